//! The program behind teardown.test.ts. Its parameters say how it ends, and which mechanism it uses.

import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { OP } from "../../ts/abi.gen.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { Guest } from "../conformance/guest.ts";
import { openMechanism } from "./other-host.ts";

const WORKERS = 5;

/** What a worker is told, which has no parameters of its own. */
interface Wanted {
  readonly end: "terminate" | "abandon";
  readonly mechanism: MechanismName;
}

const wanted = workerData as Wanted | null;
const mechanism = wanted?.mechanism ?? (process.argv[3] as MechanismName);

async function startWaiting(): Promise<Guest> {
  const grants = { connect: [{}], listen: [{}] };
  const guest = new Guest(openMechanism(mechanism, { grants, handlesMax: 64 }));
  const { listener, server } = await guest.pair();
  for (let index = 0; index < 5; index++) {
    guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.add({ op: OP.ACCEPT, handle: listener });
  }
  guest.turn();
  return guest;
}

async function inWorkers(end: Wanted["end"]): Promise<void> {
  const before = ringsAndSockets();
  for (let index = 0; index < WORKERS; index++) {
    const register = new URL("../support/register-ts.mjs", import.meta.url).href;
    // The others read TypeScript by themselves, and Deno refuses arguments for a worker.
    const execArgv = jsRuntime() === "node" ? ["--import", register] : [];
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { end, mechanism } satisfies Wanted,
      execArgv,
    });
    const exit = once(worker, "exit");
    await once(worker, "message");
    if (end === "terminate") await worker.terminate();
    await exit;
  }
  // Deno says that a worker has ended before it has. The first may leave some of the runtime's behind.
  while (ringsAndSockets() > before + 3) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Open descriptors of the kinds that a backend has and runtimes hardly. */
function ringsAndSockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /io_uring|socket/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // The descriptor that readdir used.
    }
  }).length;
}

if (isMainThread) {
  switch (process.argv[2]) {
    case "exit":
      await startWaiting();
      process.stdout.write("waiting\n", () => process.exit());
      break;
    case "throw":
      await startWaiting();
      process.stdout.write("waiting\n");
      process.on("uncaughtException", () => process.exit(7));
      setImmediate(() => {
        throw new Error("on purpose");
      });
      break;
    case "terminate":
      await inWorkers("terminate");
      process.stdout.write(`terminated ${WORKERS} workers\n`);
      break;
    case "abandon":
      await inWorkers("abandon");
      process.stdout.write(`${WORKERS} workers ended\n`);
      break;
    default:
      // Nobody disposes these: the process has all of them to close when it ends.
      for (let index = 0; index < 50; index++)
        openMechanism(mechanism, { grants: {}, handlesMax: 1 });
      process.stdout.write("forgotten\n");
  }
} else {
  const guest = await startWaiting();
  parentPort?.postMessage("waiting");
  if (wanted?.end === "abandon") process.exit();
  // Blocks the worker in native code, over and over. Deno ends no worker that only computes.
  for (;;) {
    guest.backend.turn(Number.POSITIVE_INFINITY);
    if (!guest.backend.canWait) await new Promise((resolve) => setImmediate(resolve));
  }
}

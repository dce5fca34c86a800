//! The program behind teardown.test.ts. Its parameter says how it ends.

import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { OP } from "../../ts/abi.gen.ts";
import { UringBackend } from "../../ts/host/native/uring-backend.ts";
import { Guest } from "../conformance/guest.ts";

const WORKERS = 5;

async function startWaiting(): Promise<Guest> {
  const grants = { connect: [{}], listen: [{}] };
  const guest = new Guest(UringBackend.open({ grants, handlesMax: 64 }));
  const { listener, server } = await guest.pair();
  for (let index = 0; index < 5; index++) {
    guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.add({ op: OP.ACCEPT, handle: listener });
  }
  guest.turn();
  return guest;
}

async function inWorkers(end: "terminate" | "abandon"): Promise<void> {
  const before = readdirSync("/proc/self/fd").length;
  for (let index = 0; index < WORKERS; index++) {
    const register = new URL("../support/register-ts.mjs", import.meta.url).href;
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: end,
      execArgv: ["--import", register],
    });
    const exit = once(worker, "exit");
    await once(worker, "message");
    if (end === "terminate") await worker.terminate();
    await exit;
  }
  const after = readdirSync("/proc/self/fd").length;
  // The first worker may leave one of Node's own behind.
  if (after > before + 3) throw new Error(`${after - before} descriptors leaked`);
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
      for (let index = 0; index < 50; index++) UringBackend.open({ grants: {}, handlesMax: 1 });
      process.stdout.write("forgotten\n");
  }
} else {
  const guest = await startWaiting();
  parentPort?.postMessage("waiting");
  if (workerData === "abandon") process.exit();
  // Blocks the worker in native code, over and over.
  for (;;) guest.backend.turn(Number.POSITIVE_INFINITY);
}

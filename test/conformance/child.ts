//! The program behind the laws about the life of a process: opens a backend, leaves it idle, waiting
//! or closing, and never exits by itself. Parameters: the backend's name, or one of other-host.ts;
//! "idle", "accepting", "receiving" or "closing". Or uses its own streams, "inheriting" or "echoing", and ends.

import { OP } from "../../ts/abi.gen.ts";
import type { Backend, BackendName, BackendOptions } from "../../ts/host/backend.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { openOther } from "../native/other-host.ts";
import { Guest, must } from "./guest.ts";
import { endOf, SHELL, shell, spawn } from "./process-guest.ts";

const [name = "", situation] = process.argv.slice(2);

// Whatever the tests around it are told to use.
delete process.env.STACKFUL_BACKEND;

const backend = await open({
  grants: { connect: [{}], listen: [{}], stdio: true, processes: { programs: [SHELL] } },
  handlesMax: 16,
});
const guest = new Guest(backend);
if (situation === "inheriting") await inherit();
if (situation === "echoing") await echo();

// Open handles, with operations behind them but none in flight.
const { listener, port, client, server } = await guest.pair();
await guest.writeAll(client, "hello");
await guest.readExactly(server, 5);
await guest.udp();
const udp = await guest.udp();
must(await guest.sendTo(udp.handle, "hello", udp.address));
await guest.receiveFrom(udp.handle);
for (const [op, handle] of [
  [OP.READ, server],
  [OP.RECEIVE_FROM, udp.handle],
] as const) {
  const waiting = guest.start({ op, handle, ...guest.put("?") });
  guest.cancel(waiting.token);
  await waiting.result;
}

if (situation === "accepting") {
  const accepted = guest.accept(listener);
  guest.turn();
  process.stdout.write(`${port}\n`);
  must(await accepted);
  process.stdout.write("accepted\n");
} else if (situation === "receiving") {
  const received = guest.receiveFrom(udp.handle);
  guest.turn();
  process.stdout.write(`${udp.address.port}\n`);
  await received;
  process.stdout.write("received\n");
} else if (situation === "closing") {
  for (const handle of [client, server]) must(await guest.close(handle));
  const accept = guest.start({ op: OP.ACCEPT, handle: listener });
  guest.turn();
  // From an event loop that has nothing else to do.
  setTimeout(async () => {
    guest.cancel(accept.token);
    must(await guest.close(listener));
    process.stdout.write("closed\n");
  }, 1);
} else {
  process.stdout.write("idle\n");
}

async function open(options: BackendOptions): Promise<Backend> {
  const other = openOther(name, options);
  return other ?? (await openBackend(name as BackendName, options)).backend;
}

async function inherit(): Promise<never> {
  process.stdout.write("before\n");
  const stdio = ["null", "inherit", "null"] as const;
  const { handle } = await spawn(guest, shell("echo inherited", { stdio }));
  await endOf(guest, handle);
  process.stdout.write("after\n");
  await backend[Symbol.asyncDispose]();
  process.exit(0);
}

/** Writes what it reads, until that ends. */
async function echo(): Promise<never> {
  const [input, output] = [0, 1].map((number) =>
    guest.submit({ op: OP.STDIO, argument: number }).then(must),
  );
  await guest.writeAll(await output!, await guest.readToEnd(await input!));
  await backend[Symbol.asyncDispose]();
  process.exit(0);
}

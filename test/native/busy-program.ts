//! The program behind a law of wait.test.ts, which needs an event loop with nothing else in it. Waits in
//! turns that always find something, while a connection to the host waits in the host's own loop; prints
//! when a turn says so. Its parameter names the mechanism.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { OP } from "../../ts/abi.gen.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { Guest } from "../conformance/guest.ts";
import { openMechanism } from "./other-host.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const ROUNDS_MAX = 1000;

const grants = { connect: [{}], listen: [{}] };
const backend = openMechanism(process.argv[2] as MechanismName, { grants, handlesMax: 64 });
const guest = new Guest(backend);
const { client, server } = await guest.pair();
const host = createServer((socket) => socket.destroy());
host.listen(0, "127.0.0.1");
await once(host, "listening");
const { port } = host.address() as AddressInfo;
await backend.turnHostLoop();

guest.automatic = false;
guest.add({ op: OP.CONNECT, pointer: guest.putAddress({ bytes: [127, 0, 0, 1], port }) });
while (backend.turn(FOREVER) === 0);
const [out, back] = [guest.put("x"), guest.put("?")];
let made = false;
for (let round = 0; !made && round < ROUNDS_MAX; round++) {
  guest.add({ op: OP.READ, handle: server, ...back });
  guest.add({ op: OP.WRITE, handle: client, ...out });
  for (let delivered = 0; delivered < 2; ) {
    delivered += backend.turn(FOREVER);
    made ||= backend.hostLoopReady;
  }
  guest.drain();
}
process.stdout.write(made ? "made way\n" : `held the loop for ${ROUNDS_MAX} rounds\n`, () =>
  process.exit(),
);

//! Peers are killed in mid-transfer, or reset, abandon or finish their connections.

import assert from "node:assert/strict";
import type { Random } from "../../../ts/host/sim/random.ts";
import { Bench, type Server } from "../bench.ts";
import type { Fault, PlannedConnection } from "../peer-plan.ts";
import { Peer } from "../peers.ts";
import { addCounts, type Counts, type Scenario, type Trial } from "../scenario.ts";

const CONTROL_BYTES = 300_000;
const FAULT_BYTES_MAX = 200_000;

export const peers: Scenario = {
  name: "peers",
  law: "connections whose peers are killed, reset or leave in mid-transfer end, and no byte is lost or repeated",
  run: ({ backend, random, size }: Trial): Promise<Counts> =>
    Bench.with({ backend }, async (bench) => {
      const counts: Counts = {};
      const rounds = size === "short" ? 1 : 12;
      for (let round = 0; round < rounds; round++) {
        addCounts(counts, await peersRound(bench, random, size === "short" ? 3 : 24));
      }
      return counts;
    }),
};

/** Some that are killed and some that are not, at both ends; and connections that have nothing to do with them. */
export async function peersRound(bench: Bench, random: Random, most: number): Promise<Counts> {
  const counts: Counts = {};
  const server = await bench.server();
  const control = await bench.server();
  const controls = bench.clients(control.port, random.integer(2 ** 20), 4, CONTROL_BYTES);
  await Promise.all(
    [true, false].map(async (killed) => {
      addCounts(counts, await onePeer(bench, server, random, killed, most));
    }),
  );
  assert.equal((await controls).whole, 4, "connections to nobody who is killed");
  assert.equal((await control.close()).whole, 4, "connections from nobody who is killed");
  const { ended, reset, whole, bytes } = await server.close();
  addCounts(counts, { ended, reset, whole, bytes, killed: 1 });
  return counts;
}

/** A process that the guest connects to, and that connects to the guest. */
async function onePeer(
  bench: Bench,
  { port }: Server,
  random: Random,
  killed: boolean,
  most: number,
): Promise<Counts> {
  const first = random.integer(2 ** 20);
  const calls = { port, first, connections: planned(random, killed, most, CALLED) };
  const accepts = planned(random, killed, most, ACCEPTED);
  const peer = new Peer({ calls, accepts });
  try {
    const numbers = random.integer(2 ** 20);
    const clients = bench.clients(await peer.port(), numbers, accepts.length, -1);
    await (killed ? peer.kill() : peer.finish());
    const { ended, reset, bytes } = await clients;
    return { ended, reset, bytes };
  } finally {
    await peer.end();
  }
}

/** How connections are found by what kills it. */
const KILLED: readonly Fault[] = ["killed", "stalled"];

/** What becomes of connections that it makes, and of those that it accepts. */
const CALLED: readonly Fault[] = ["reset", "abandoned", "finished", "none"];
const ACCEPTED: readonly Fault[] = ["reset", "abandoned", "finished"];

function planned(
  random: Random,
  killed: boolean,
  most: number,
  faults: readonly Fault[],
): PlannedConnection[] {
  return Array.from({ length: 1 + random.integer(most) }, () => {
    const kinds = killed ? KILLED : faults;
    const fault = kinds[random.integer(kinds.length)]!;
    return { fault, at: 1 + random.integer(FAULT_BYTES_MAX) };
  });
}

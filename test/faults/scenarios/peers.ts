//! Peers are killed in mid-transfer, or reset, abandon or finish their connections.

import assert from "node:assert/strict";
import type { Random } from "../../../ts/host/sim/random.ts";
import { Bench, type Server } from "../bench.ts";
import type { Fault, PeerPlan, PlannedConnection } from "../peer-plan.ts";
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
        addCounts(counts, await peersRound(bench, random, size === "short" ? 6 : 24));
      }
      return counts;
    }),
};

/** Some that are killed and some that are not, at either end; and connections that have nothing to do with them. */
export async function peersRound(bench: Bench, random: Random, most: number): Promise<Counts> {
  const counts: Counts = {};
  const server = await bench.server();
  const control = await bench.server();
  const first = random.integer(2 ** 20);
  const controls = bench.clients(control.port, first, 4, CONTROL_BYTES);
  await Promise.all(
    [true, false].flatMap((killed) => [
      callers(server, random, killed, most),
      callees(bench, random, killed, most, counts),
    ]),
  );
  assert.equal((await controls).whole, 4, "connections to nobody who is killed");
  assert.equal((await control.close()).whole, 4, "connections from nobody who is killed");
  const { ended, reset, whole, bytes } = await server.close();
  addCounts(counts, { ended, reset, whole, bytes, killed: 2 });
  return counts;
}

/** A process that connects to the guest. */
async function callers(
  { port }: Server,
  random: Random,
  killed: boolean,
  most: number,
): Promise<void> {
  const peer = new Peer({ port, ...plan(random, killed, most) });
  try {
    await (killed ? peer.kill() : peer.finish());
  } finally {
    await peer.end();
  }
}

/** A process that the guest connects to. */
async function callees(
  bench: Bench,
  random: Random,
  killed: boolean,
  most: number,
  counts: Counts,
): Promise<void> {
  const planned = plan(random, killed, most, ["reset", "abandoned", "finished"]);
  const peer = new Peer(planned);
  try {
    const port = await peer.port();
    const clients = bench.clients(port, planned.first, planned.connections.length, -1);
    await (killed ? peer.kill() : peer.finish());
    const { ended, reset, bytes } = await clients;
    addCounts(counts, { ended, reset, bytes });
  } finally {
    await peer.end();
  }
}

const FAULTS: readonly Fault[] = ["reset", "abandoned", "finished", "none"];

function plan(random: Random, killed: boolean, most: number, faults = FAULTS): PeerPlan {
  const connections: PlannedConnection[] = [];
  for (let left = 1 + random.integer(most); left > 0; left--) {
    const fault = killed ? "killed" : faults[random.integer(faults.length)]!;
    connections.push({ fault, at: 1 + random.integer(FAULT_BYTES_MAX) });
  }
  return { first: random.integer(2 ** 20), connections };
}

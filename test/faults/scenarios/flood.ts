//! More connections than there may be tasks.

import assert from "node:assert/strict";
import { Bench } from "../bench.ts";
import type { PlannedConnection } from "../peer-plan.ts";
import { Peer } from "../peers.ts";
import { addCounts, type Counts, type Scenario, type Trial } from "../scenario.ts";

const TASKS_MAX = 24;
const STREAM_BYTES_MAX = 8_192;

export const flood: Scenario = {
  name: "flood",
  law: "of more connections than there may be tasks each is served whole, in its turn, or refused",
  async run(trial) {
    const counts: Counts = {};
    for (const waits of [true, false]) addCounts(counts, await floodOnce(trial, waits));
    return counts;
  },
};

/** `waits`: the server waits for room; else it closes what it has no room for. */
function floodOnce({ backend, random, size }: Trial, waits: boolean): Promise<Counts> {
  const limits = { tasksMax: TASKS_MAX };
  return Bench.with({ backend, limits }, async (bench) => {
    const { port, close } = await bench.server({ backlog: 4096, waits });
    const first = random.integer(2 ** 20);
    const connections: PlannedConnection[] = [];
    for (let left = size === "short" ? 150 : 2_000; left > 0; left--) {
      connections.push({ fault: "none", at: 1 + random.integer(STREAM_BYTES_MAX) });
    }
    const peer = new Peer({
      calls: { port, first, connections, together: waits ? "connected" : "answered" },
    });
    try {
      const bytes = await peer.finish();
      const { begun, whole, ended, refused, liveMax } = await close();
      assert(liveMax < TASKS_MAX, `tasksMax is ${TASKS_MAX}, and ${liveMax} were served at once`);
      assert.equal(begun + refused, connections.length, "every connection is served or refused");
      assert.equal(whole, begun, "what is served is served to its end");
      assert.equal(refused > 0, !waits, "who waits for room refuses nobody");
      return { connections: connections.length, whole, ended, refused, bytes };
    } finally {
      await peer.end();
    }
  });
}

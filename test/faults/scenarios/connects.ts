//! Connections by the thousand: made, used a little or not at all, closed in every way.

import assert from "node:assert/strict";
import type { Random } from "../../../ts/host/sim/random.ts";
import { Bench } from "../bench.ts";
import type { Counts, Scenario } from "../scenario.ts";

export const connects: Scenario = {
  name: "connects",
  law: "connections that are made and closed by the thousand are each accepted once, and leave nothing",
  run: ({ backend, random, size }) =>
    Bench.with({ backend }, (bench) =>
      connectsRound(bench, random, size === "short" ? 400 : 10_000),
    ),
};

export async function connectsRound(bench: Bench, random: Random, count: number): Promise<Counts> {
  const server = await bench.server();
  const atOnce = 1 + random.integer(64);
  const seed = random.integer(2 ** 24);
  const made = await bench.counted(
    async (tally) => void (await bench.call("visits", server.port, count, atOnce, seed, tally)),
  );
  const accepted = await server.close();
  assert.equal(made.begun, count, "every connection is made");
  assert.equal(accepted.begun, count, "every connection is accepted, once");
  assert.equal(accepted.whole, made.whole, "what is whole at one end is whole at the other");
  const { whole, bytes } = made;
  return { connections: count, whole, reset: accepted.reset, bytes };
}

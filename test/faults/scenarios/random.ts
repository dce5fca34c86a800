//! All of it at random, for as long as is asked: several accidents at a time, around one runtime that outlives
//! them all.

import assert from "node:assert/strict";
import type { Random } from "../../../ts/host/sim/random.ts";
import { Bench } from "../bench.ts";
import { runApart } from "../run.ts";
import { addCounts, type Counts, type Scenario, type Trial } from "../scenario.ts";
import { connectsRound } from "./connects.ts";
import { peersRound } from "./peers.ts";

/** What the process may have grown by between the first part of the run and the last. */
const GROWTH_BYTES_MAX = 96 * 2 ** 20;

/** Rounds whose memory is compared, and how many have to be between them. */
const COMPARED = 5;

/** How many accidents need no process of their own: the first. */
const HERE = 2;

type Accident = (bench: Bench, trial: Trial, random: Random) => Promise<Counts>;

/** @param others - The scenarios that have a runtime or a process of their own. */
export function randomOf(others: readonly Scenario[]): Scenario {
  const accidents: readonly Accident[] = [
    (bench, { size }, random) => peersRound(bench, random, size === "short" ? 3 : 12),
    (bench, _, random) => connectsRound(bench, random, 1 + random.integer(1_000)),
    ...others.map(apart),
  ];
  return {
    name: "random",
    law: "whatever happens at once, no byte is lost or repeated, and nothing is left or hangs",
    run(trial) {
      const { backend, minutes } = trial;
      const lastsMs = 60_000 * minutes;
      return Bench.with({ backend, lastsMs }, (bench) => all(bench, trial, accidents));
    },
  };
}

function apart(scenario: Scenario): Accident {
  return async (_, { backend }, random) => {
    const job = { scenario: scenario.name, backend, size: "short", minutes: 0 } as const;
    const outcome = await runApart(scenario, { ...job, seed: String(random.bits()) });
    if ("failure" in outcome) throw new Error(`${scenario.name}: ${outcome.failure}`);
    return "counts" in outcome ? { [`${scenario.name} runs`]: 1, ...outcome.counts } : {};
  };
}

async function all(bench: Bench, trial: Trial, accidents: readonly Accident[]): Promise<Counts> {
  const { random, size, minutes } = trial;
  const endMs = performance.now() + 60_000 * minutes;
  const counts: Counts = {};
  const sizes: number[] = [];
  const held = bench.held();
  const goesOn = (): boolean => (size === "short" ? sizes.length < 1 : performance.now() < endMs);
  while (goesOn()) {
    const chosen = size === "short" ? accidents.slice(0, HERE) : choose(accidents, random);
    const outcomes = chosen.map((accident, index) =>
      accident(bench, trial, random.fork(`${sizes.length} ${index}`)),
    );
    const told = await bench.ends(`round ${sizes.length}`, Promise.all(outcomes));
    for (const outcome of told) addCounts(counts, outcome);
    assert.deepEqual(bench.held(), held, "nothing is left of a round");
    globalThis.gc?.();
    sizes.push(process.memoryUsage.rss());
  }
  const growth = growthOf(sizes);
  assert(growth < GROWTH_BYTES_MAX, `the process has grown by ${growth} bytes`);
  return { rounds: sizes.length, ...counts, growth };
}

/** One to three of them, which happen at once. */
function choose(accidents: readonly Accident[], random: Random): Accident[] {
  const count = 1 + random.integer(3);
  return Array.from({ length: count }, () => accidents[random.integer(accidents.length)]!);
}

/** What the last rounds have more than those after the first. */
function growthOf(sizes: readonly number[]): number {
  if (sizes.length < 4 * COMPARED) return 0;
  const early = Math.max(...sizes.slice(COMPARED, 2 * COMPARED));
  return Math.max(...sizes.slice(-COMPARED)) - early;
}

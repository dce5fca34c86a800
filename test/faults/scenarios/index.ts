import type { Scenario } from "../scenario.ts";
import { connects } from "./connects.ts";
import { descriptors } from "./descriptors.ts";
import { disk } from "./disk.ts";
import { executors } from "./executors.ts";
import { flood } from "./flood.ts";
import { peers } from "./peers.ts";
import { randomOf } from "./random.ts";
import { refused } from "./refused.ts";

export const scenarios: readonly Scenario[] = [
  peers,
  connects,
  descriptors,
  flood,
  disk,
  refused,
  executors,
  randomOf([descriptors, flood, disk, refused, executors]),
];

/** @throws {RangeError} there is none of that name. */
export function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) throw new RangeError(`there is no scenario "${name}"`);
  return scenario;
}

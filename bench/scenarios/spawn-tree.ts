/**
 * A binary tree of tasks: every inner one spawns two children, joins both and adds them up.
 *
 * For: the price of a task in divide and conquer, where the parents stay parked while their children
 * run. Not for: short tasks one after the other (see spawn).
 */
import { param, type Scenario } from "../scenario.ts";
import { spawnTree } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "spawn-tree",
  summary: "a binary tree of tasks that spawn and join each other",
  /** Of all nodes: 2 ** (depth + 1) - 1. */
  metrics: ["ns/task"],
  params: { smoke: [{ depth: 5 }], full: [{ depth: 13 }] },
  /** Every leaf counts 1. */
  checksum: (params) => String(2 ** param(params, "depth")),
  implementations: { stackful: spawnTree },
  peers: ["go", "tokio"],
};

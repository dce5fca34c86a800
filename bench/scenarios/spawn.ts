/**
 * Tasks that return a number at once, spawned and joined in batches.
 *
 * For: the price of a task's whole life (create, run, join, free) when stacks can be used again,
 * and so whether a task per request is cheap enough. Not for: the memory of many tasks (see
 * parked), nor for the cost of the first task.
 */
import { spawnInJs } from "../js/spawn.ts";
import { param, type Scenario } from "../scenario.ts";
import { spawn } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "spawn",
  summary: "spawn, run and join tasks, batch by batch",
  metrics: ["ns/task"],
  params: { smoke: [{ tasks: 250, batch: 100 }], full: [{ tasks: 1_000_000, batch: 1000 }] },
  /** Task i returns i. */
  checksum: (params) => {
    const tasks = param(params, "tasks");
    return String((tasks * (tasks - 1)) / 2);
  },
  implementations: { stackful: spawn, js: spawnInJs },
  peers: ["go", "tokio"],
};

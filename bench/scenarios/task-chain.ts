/**
 * A chain of tasks: each spawns the next one and joins it, so at its end all are parked at once.
 *
 * For: the price of a task that has to wait for its child, with no stack to use again before the
 * chain unwinds. Not for: recursion, which needs no tasks.
 */
import { param, type Scenario } from "../scenario.ts";
import { taskChain } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "task-chain",
  summary: "10000 tasks, each of which spawns and joins the next one",
  metrics: ["ns/task"],
  params: { smoke: [{ tasks: 100 }], full: [{ tasks: 10_000 }] },
  /** Task i returns i and what the next one returned. */
  checksum: (params) => {
    const tasks = param(params, "tasks");
    return String((tasks * (tasks - 1)) / 2);
  },
  implementations: { stackful: taskChain },
  peers: ["go", "tokio"],
};

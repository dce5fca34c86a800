/**
 * Ten thousand tasks that all sleep, for no time or for 10 ms.
 *
 * For: the price of a sleep among many, from the first spawn to the last join. The processor time
 * says more than the clock, which cannot go below the sleep. Sleeping for 0 ms means what it means
 * to each runtime: Go does not wait at all, Tokio waits for the next millisecond. Not for: precision.
 */
import { param, type Scenario } from "../scenario.ts";
import { sleepers } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "sleep-10k",
  summary: "10000 tasks sleep at the same time",
  /** In all, and per task. */
  metrics: ["ms", "us/task", "us-cpu/task"],
  params: {
    smoke: [0, 1].map((ms) => ({ tasks: 100, ms })),
    full: [0, 10].map((ms) => ({ tasks: 10_000, ms })),
  },
  /** Task i adds i to a sum when it wakes up. */
  checksum: (params) => {
    const tasks = param(params, "tasks");
    return String((tasks * (tasks - 1)) / 2);
  },
  implementations: { stackful: sleepers },
  peers: ["go", "tokio"],
};

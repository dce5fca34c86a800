/**
 * Four tasks add to a counter under one lock that waits by parking the task.
 *
 * For: the price of a lock and an unlock when nobody else wants the lock (`yieldEvery` 0), and when
 * it is held across a yield, so that the others run into it (each `yieldEvery`-th time). Whether a
 * lock goes to the task that waited longest or to the one that runs is the runtime's choice, and
 * most of the second figure. Not for: locks between threads.
 */
import { param, type Scenario } from "../scenario.ts";
import { mutex } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "mutex",
  summary: "four tasks share a lock, free or held across yields",
  metrics: ["ns/lock"],
  params: {
    smoke: [0, 16].map((yieldEvery) => ({ tasks: 4, locks: 100, yieldEvery })),
    full: [0, 16].map((yieldEvery) => ({ tasks: 4, locks: 100_000, yieldEvery })),
  },
  /** The counter. `locks` is of each task. */
  checksum: (params) => String(param(params, "tasks") * param(params, "locks")),
  implementations: { stackful: mutex },
  peers: ["go", "tokio"],
};

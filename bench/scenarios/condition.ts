/**
 * Two tasks take turns: each waits, under a lock, until the turn is its own, then passes it on.
 *
 * For: the price of waiting for a condition that another task makes true; a round is one turn of
 * each. Tokio has no condition variable: there it is a lock and a Notify for each task. Not for:
 * conditions with many waiters.
 */
import { param, type Scenario } from "../scenario.ts";
import { condition } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "condition",
  summary: "two tasks take turns by a lock and a condition variable",
  metrics: ["ns/round"],
  params: { smoke: [{ rounds: 100 }], full: [{ rounds: 100_000 }] },
  /** The turns that were taken. */
  checksum: (params) => String(2 * param(params, "rounds")),
  implementations: { stackful: condition },
  peers: ["go", "tokio"],
};

/**
 * A million tasks that park at one gate; then the gate opens, and all of them end.
 *
 * For: whether a million tasks are possible, and what one costs in memory and time: to spawn it and
 * run it until it is parked, and to wake it and let it end. Not for: memory alone (see parked), as
 * here the tasks share what they wait for, and nobody keeps a handle of each.
 */
import { param, type Scenario } from "../scenario.ts";
import { million } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "million",
  summary: "a million tasks are spawned, parked and woken at once",
  metrics: ["bytes/task", "ns/spawn", "ns/wake"],
  params: { smoke: [{ tasks: 1000 }], full: [{ tasks: 1_000_000 }] },
  /** Task i adds i to a sum when it is woken. */
  checksum: (params) => {
    const tasks = param(params, "tasks");
    return String((tasks * (tasks - 1)) / 2);
  },
  implementations: { stackful: million },
  peers: ["go", "tokio"],
  warmUp: false,
};

/**
 * Many tasks that are parked at the same time, each waiting for a message of its own.
 *
 * For: the resident memory of one parked task at a shallow depth, all told: stack, task record, its
 * channel, and the handles that the program keeps to wake and join it. Not for: tasks with deep
 * stacks, which cost what their frames need. The figure is the growth of the process's resident
 * size divided by the tasks, so with few tasks it is mostly page granularity.
 */
import { parkedInJs } from "../js/parked.ts";
import { param, type Scenario } from "../scenario.ts";
import { parked } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "parked",
  summary: "resident memory of tasks that wait for a message",
  metrics: ["bytes/task"],
  params: { smoke: [{ tasks: 1000 }], full: [{ tasks: 10_000 }, { tasks: 100_000 }] },
  /** Task i is sent i when all are parked, and returns it. */
  checksum: (params) => {
    const tasks = param(params, "tasks");
    return String((tasks * (tasks - 1)) / 2);
  },
  implementations: { stackful: parked, js: parkedInJs },
  peers: ["go", "tokio"],
  warmUp: false,
};

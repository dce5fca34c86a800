/**
 * Two tasks that do nothing but yield to the scheduler.
 *
 * For: the price of one yield from task to scheduler to task, and how it grows with the frames
 * (`depth`) between the task's entry and the yield. Not for: a claim about applications, which
 * seldom yield without having waited for something.
 *
 * A future or an async function has no stack: for tokio depth is a chain of boxed futures, for js a
 * chain of async functions, of which only the innermost wakes up. A scheduler may run the same task
 * twice in a row (the notes count the turns); the way through the scheduler is the same.
 */
import { switchInJs } from "../js/switch.ts";
import { param, type Scenario } from "../scenario.ts";
import { switches } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "switch",
  summary: "two tasks yield in turns, at three depths of the call stack",
  metrics: ["ns/switch"],
  metricsOf: { stackful: ["js-calls/switch"] },
  params: {
    smoke: [
      { depth: 0, rounds: 100 },
      { depth: 4, rounds: 100 },
    ],
    full: [0, 4, 16].map((depth) => ({ depth, rounds: 1_000_000 })),
  },
  /** Each task adds up 0..rounds-1, and 1 in every frame on its way back. */
  checksum: (params) => {
    const rounds = param(params, "rounds");
    return String(rounds * (rounds - 1) + 2 * param(params, "depth"));
  },
  implementations: { stackful: switches, js: switchInJs },
  peers: ["go", "tokio"],
};

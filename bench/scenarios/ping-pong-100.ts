/**
 * A hundred pairs of tasks, each of which does what ping-pong does.
 *
 * For: the price of a wait that another task ends when many tasks are ready: their stacks and
 * records compete for the caches, and no short cut to "the other task" helps. Not for: the
 * throughput of channels.
 */
import { param, type Scenario } from "../scenario.ts";
import { pingPongs } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "ping-pong-100",
  summary: "ping-pong by 100 pairs of tasks at the same time",
  metrics: ["ns/round"],
  params: {
    smoke: [{ pairs: 10, rounds: 10 }],
    full: [{ pairs: 100, rounds: 1000 }],
  },
  /** The sum of the last number that came back in each pair. `rounds` is of each pair. */
  checksum: (params) => String(2 * param(params, "pairs") * param(params, "rounds")),
  implementations: { stackful: pingPongs },
  peers: ["go", "tokio"],
};

/**
 * Many producers send numbers to one consumer over one channel.
 *
 * For: the price of an item when the channel is mostly full and most senders wait. Producer p of n
 * sends p, p + n, p + 2n and so on; the consumer receives them one by one. Not for: the throughput
 * of a channel between two tasks.
 */
import { param, type Scenario } from "../scenario.ts";
import { fanIn } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "fan-in",
  summary: "1000 producers, one channel, one consumer",
  metrics: ["ns/item"],
  params: {
    smoke: [{ producers: 10, items: 1000, buffer: 4 }],
    full: [{ producers: 1000, items: 100_000, buffer: 256 }],
  },
  /** The sum of the items 0, 1, 2 and so on. */
  checksum: (params) => {
    const items = param(params, "items");
    return String((items * (items - 1)) / 2);
  },
  implementations: { stackful: fanIn },
  peers: ["go", "tokio"],
};

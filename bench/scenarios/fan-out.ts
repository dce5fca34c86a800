/**
 * One producer sends numbers to many consumers over one channel, then closes it.
 *
 * For: the price of an item when most receivers wait. Which consumer gets an item does not matter.
 * Not for: broadcasting. Tokio has no channel for several receivers: there it is flume's.
 */
import { param, type Scenario } from "../scenario.ts";
import { fanOut } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "fan-out",
  summary: "one producer, one channel, 1000 consumers",
  metrics: ["ns/item"],
  params: {
    smoke: [{ consumers: 10, items: 1000, buffer: 4 }],
    full: [{ consumers: 1000, items: 100_000, buffer: 256 }],
  },
  /** The sum of what all consumers received: the items 0, 1, 2 and so on. */
  checksum: (params) => {
    const items = param(params, "items");
    return String((items * (items - 1)) / 2);
  },
  implementations: { stackful: fanOut },
  peers: ["go", "tokio"],
};

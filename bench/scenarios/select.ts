/**
 * One consumer waits for whichever of eight channels has an item; each has a producer of its own.
 *
 * For: the price of a wait for several things, of which one happens. Producer p of 8 sends p, p + 8,
 * p + 16 and so on; a select takes one item. Not for: fairness between the channels.
 */
import { param, type Scenario } from "../scenario.ts";
import { selects } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "select",
  summary: "one consumer selects over eight channels",
  metrics: ["ns/item"],
  params: {
    smoke: [{ items: 1000, buffer: 2 }],
    full: [{ items: 100_000, buffer: 16 }],
  },
  /** The sum of the items 0, 1, 2 and so on. */
  checksum: (params) => {
    const items = param(params, "items");
    return String((items * (items - 1)) / 2);
  },
  implementations: { stackful: selects },
  peers: ["go", "tokio"],
};

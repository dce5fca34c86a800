import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("barrier");

describe("a barrier", () => {
  law("opens for 2 when the last has come, again and again", "barrier_rounds", [2, 5]);
  law("opens for 100 when the last has come, again and again", "barrier_rounds", [100, 4]);
  for (const seed of [1, 2, 3]) {
    law(`keeps its parties in step, seed ${seed}`, "barrier_keeps_step", [seed]);
  }
  law("is broken for good when a waiter is canceled", "barrier_breaks", [0]);
  law("is broken for good when a waiter times out", "barrier_breaks", [1]);
  law("is broken for good when one comes canceled", "barrier_breaks", [2]);
  law("is broken for good when one comes without time", "barrier_breaks", [3]);
  law("of one party never waits; one of none is refused", "barrier_edges");
});

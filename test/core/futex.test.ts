import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("futex");

describe("a futex", () => {
  law("wakes those at its address, in order", "futex_by_address", [0]);
  law("wakes those at its address when others share its queue", "futex_by_address", [1]);
  law("does not wait for a word that has changed", "futex_edges");
});

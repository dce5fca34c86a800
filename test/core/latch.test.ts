import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("latch");

describe("a latch", () => {
  law("opens at zero and stays unchanged by what is refused", "latch_opens_at_zero");
  law("counts to 2 ** 31 - 1", "latch_limits");
  law("is a wait group", "latch_as_wait_group", [5]);
});

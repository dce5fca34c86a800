import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("futures");

describe("a future", () => {
  law("is set once and read by all", "future_is_set_once");
  law("closed without a value gives EPIPE", "future_closed");
});

describe("once", () => {
  for (const failures of [0, 1, 3, 5]) {
    law(
      `after ${failures} failures somebody succeeds, and nobody runs it again`,
      "once_failure_passes_on",
      [failures],
    );
  }
  law("is not held up by a canceled waiter or runner", "once_cancel");
});

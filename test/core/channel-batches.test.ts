import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("channel-batches");

describe("a batch", () => {
  const ends = ["closed", "closed at once", "canceled", "timed out"];
  ends.forEach((end, how) => {
    for (const capacity of [0, 2]) {
      law(`${end} says how many were sent, capacity ${capacity}`, "batch_partial", [capacity, how]);
    }
    law(`${end} before the first was sent is an error`, "batch_none", [how]);
  });
  law("may be empty, must not be endless, and sends what fits", "batch_edges");
});

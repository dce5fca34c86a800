import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("channel-unbounded");

describe("an unbounded channel", () => {
  law("refuses no items, empty ones, and more than 8 MiB", "unbounded_refuses");
  for (const limit of [1, 7, 256, 257, 5_000]) {
    law(
      `grows through wrap-around up to its limit of ${limit}`,
      "unbounded_grows_through_wrap_around",
      [limit],
    );
  }
  for (const bytes of [1_000, 1_025, 3_000, 100_000]) {
    law(`holds items of ${bytes} bytes`, "unbounded_large_items", [bytes]);
  }
  law("gives its memory back when it is destroyed", "unbounded_destroy_gives_back");
  law("is ENOMEM when it cannot grow, and keeps what it has", "unbounded_without_memory");
});

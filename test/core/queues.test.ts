import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("queues");

// Goal: every call of a channel does what a plain queue with two lines of waiters says.
// Method: 8 tasks send and receive, one by one, in batches and without waiting, with and without a
// timeout; some are canceled, time passes, the channel is closed. After every step the results of all
// calls, the items and the count must be those of the model.
describe.each([
  ["bounded", 0],
  ["unbounded", 1],
] as const)("%s", (_name, unbounded) => {
  test("any sequence of calls agrees with the model", async () => {
    const guest = await load();
    const run = fc.asyncProperty(
      fc.integer({ min: unbounded, max: 12 }),
      fc.constantFrom(1, 4, 8, 24, 100, 700, 2100),
      fc.integer({ min: 1, max: 400 }),
      fc.nat(),
      async (limit, bytes, steps, seed) => {
        const host = await VirtualHost.open(guest, { guestMemoryBytes: 4 << 20 });
        const line = await host.run("agrees_with_the_model", [
          unbounded,
          limit,
          bytes,
          steps,
          seed,
        ]);
        expect(line).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 120 });
  });
});

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

law("a channel on the stack of a task that fails gives EOWNERDEAD", "channel_of_a_failed_task");

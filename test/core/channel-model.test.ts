import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { load } = virtualLawsOf("channel-model");

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

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("semaphore");

describe("a semaphore", () => {
  law("serves in order, whatever those behind want", "semaphore_serves_in_order");
  law("serves the next when its first is canceled", "semaphore_head_gives_up", [0]);
  law("serves the next when its first times out", "semaphore_head_gives_up", [1]);
  law("keeps its order when one in the middle leaves", "semaphore_middle_gives_up");
  law("holds up to 2 ** 32 - 1 permits", "semaphore_limits");
  law("that cannot be canceled is had in the end", "semaphore_uncancelable");

  // Method: tasks take and give back at random, others cancel them; in the end all permits are there.
  test("loses and makes no permit under churn", async () => {
    const guest = await load();
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      async (tasks, rounds, seed) => {
        const host = await VirtualHost.open(guest, { guestMemoryBytes: 4 << 20 });
        expect(await host.run("semaphore_churn", [tasks, rounds, seed])).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 40 });
  });
});

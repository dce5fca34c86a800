import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lawsOf, withRuntime } from "../support/runtime.ts";
import { withVirtualTime } from "../support/virtual-time.ts";

const { virtualLaw: law, load } = lawsOf("conserve");

law(
  "a select that another arm ends lets others at the semaphore",
  "who_leaves_a_semaphore_lets_others_in",
  [0],
);
law(
  "a select that is canceled lets others at the semaphore",
  "who_leaves_a_semaphore_lets_others_in",
  [1],
);
law("a row of 20,000 semaphores", "along_a_row_of_semaphores", [20_000]);

// Goal: an arm has its effect if and only if select returns it.
// Method: 24 tasks select at random among sends and receives on four shared channels, two of them
// rendezvous, with plain calls, timeouts and cancels in between. Every item is numbered: what was
// accepted has been received once, or is still in a buffer.
law("items are conserved over 10,000 rounds", "items_are_conserved", [10_000, 1]);

test("items are conserved, whatever the seed", async () => {
  const guest = await load();
  const run = fc.asyncProperty(fc.nat(), async (seed) => {
    expect(await runtime.spawn("items_are_conserved", [2_400, seed], options)).toBe(0);
  });
  const options = { stackBytes: 65_536 };
  let runtime!: Parameters<Parameters<typeof withRuntime>[2]>[0];
  await withVirtualTime(() =>
    withRuntime(guest, {}, async (opened) => {
      runtime = opened;
      await fc.assert(run, { numRuns: 20 });
    }),
  );
});

law("permits are conserved over 10,000 rounds", "permits_are_conserved", [10_000, 1]);

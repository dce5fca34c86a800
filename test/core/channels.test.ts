import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lawsOf, withRuntime } from "../support/runtime.ts";

const { law, load } = lawsOf("channels");
const options = { stackBytes: 65_536 };

law("a rendezvous hands over only when both are there", "rendezvous");
for (const capacity of [1, 2, 7]) {
  law(`a sender parks once ${capacity} items are buffered`, "parks_when_full", [capacity]);
}
law("parked receivers are served in the order they came", "receivers_are_served_in_order");
law("parked senders are served in the order they came", "senders_are_served_in_order");
law("try variants give EAGAIN where the others park", "try_variants");
law("after close the buffered items can be received, then EPIPE", "close_keeps_what_is_buffered");
law("an immediate close drops the buffered items", "immediate_close_drops_what_is_buffered");
for (const capacity of [0, 1, 8]) {
  for (const immediate of [0, 1]) {
    const how = `${immediate === 1 ? "an immediate" : "a"} close, capacity ${capacity}`;
    law(
      `parked senders get EPIPE and their items are not taken: ${how}`,
      "close_wakes_parked_senders",
      [capacity, immediate],
    );
    law(`parked receivers get EPIPE: ${how}`, "close_wakes_parked_receivers", [
      capacity,
      immediate,
    ]);
  }
}
law("init refuses empty items, missing buffers and sizes over 2 GiB", "init_refuses");
for (const capacity of [0, 1, 3]) {
  law(`items of 1 to 100 bytes arrive whole, capacity ${capacity}`, "item_sizes", [capacity]);
}

// Goal: no item is lost, doubled or out of its sender's order, whatever the interleaving.
// Method: senders and receivers yield a random number of times before each step, and choose between
// the parking and the try form, by a seeded generator; receivers check order, a table checks the rest.
test("many senders and receivers lose, double and reorder nothing", async () => {
  const guest = await load();
  await withRuntime(guest, {}, async (runtime) => {
    const run = fc.asyncProperty(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 60 }),
      fc.nat(),
      async (capacity, senders, receivers, perSender, seed) => {
        const args = [capacity, senders, receivers, perSender, seed];
        expect(await runtime.spawn("many_senders_and_receivers", args, options)).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 100 });
  });
});

test("a canceled send took no item, a canceled receive lost none", async () => {
  const guest = await load();
  await withRuntime(guest, {}, async (runtime) => {
    const run = fc.asyncProperty(
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      async (capacity, count, seed) => {
        const args = [capacity, count, seed];
        expect(await runtime.spawn("cancels_lose_nothing", args, options)).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 100 });
  });
});

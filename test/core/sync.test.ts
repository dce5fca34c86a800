import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("sync");

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

describe("a barrier", () => {
  law("opens for 2 when the last has come, again and again", "barrier_rounds", [2, 5]);
  law("opens for 100 when the last has come, again and again", "barrier_rounds", [100, 4]);
  for (const seed of [1, 2, 3]) {
    law(`keeps its parties in step, seed ${seed}`, "barrier_keeps_step", [seed]);
  }
  law("is broken for good when a waiter is canceled", "barrier_breaks", [0]);
  law("is broken for good when a waiter times out", "barrier_breaks", [1]);
  law("is broken for good when one comes canceled", "barrier_breaks", [2]);
  law("is broken for good when one comes without time", "barrier_breaks", [3]);
  law("of one party never waits; one of none is refused", "barrier_edges");
});

describe("an event", () => {
  law("manual: lets all through until it is reset", "event_manual");
  law("automatic: lets one through for each set", "event_automatic");
});

describe("a timer", () => {
  law("fires once, at its time, at once when that is up", "timer_fires_once");
  law("can be started anew and stopped", "timer_restart_and_stop");
  law("fires an automatic event", "timer_automatic");
  law("goes with the stack it lies on", "timer_on_a_stack_that_ends");
});

law("a notification wakes those that wait, in order, and is not kept", "notify_wakes_and_forgets");

describe("a latch", () => {
  law("opens at zero and stays unchanged by what is refused", "latch_opens_at_zero");
  law("counts to 2 ** 31 - 1", "latch_limits");
  law("is a wait group", "latch_as_wait_group", [5]);
});

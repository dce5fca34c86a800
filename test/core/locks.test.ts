import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("locks");

describe("a mutex", () => {
  law("goes to those that wait in their order, and is theirs at once", "mutex_hands_over_in_order");
  law("refuses its holder, who is not its holder, and who has no time", "mutex_errors");
  law("that is free is taken without a cancel point, whatever the time", "mutex_uncontended");
  law("that cannot be canceled is had in the end, and the request stays", "mutex_uncancelable");
  law("passes over those that were canceled or timed out", "mutex_waiters_leave");
  law("handed over before the cancel is held", "mutex_handed_then_canceled");
});

describe("a recursive mutex", () => {
  law("is free after as many unlocks as locks", "recursive_locks");
  law("counts nothing for a canceled waiter", "recursive_canceled_waiter");
});

describe("a condition", () => {
  law("wakes in order, one per signal, all per broadcast", "condition_signals_in_order");
  law("shares one line with those that lock", "condition_and_lock_are_one_line");
  law(
    "has the mutex after a cancel, a timeout and a signal",
    "condition_always_has_the_mutex",
    [0],
  );
  law("has the mutex in its turn when somebody holds it", "condition_always_has_the_mutex", [1]);
  law("loses no signal to a canceled waiter", "condition_signal_is_not_lost");
  law("does not let go of the mutex when it need not wait", "condition_entry");
});

describe("a reader-writer lock", () => {
  law("serves writers first and then all readers together", "rwlock_writers_first");
  law(
    "goes to the writer after the last reader, and not to later readers",
    "rwlock_last_reader_wakes_the_writer",
  );
  law(
    "goes to the next writer when the first gave up",
    "rwlock_last_reader_wakes_a_writer_queued_later",
  );
  law("lets readers in when a writer is canceled", "rwlock_a_writer_that_gives_up", [0]);
  law("lets readers in when a writer times out", "rwlock_a_writer_that_gives_up", [1]);
  law("refuses whom it must", "rwlock_errors");
});

// Goal: exclusion holds, and nobody is forgotten, under any interleaving of locks, cancels and time.
// Method: tasks lock in all forms and yield at random by a seed, others cancel them; a counter says
// who is inside. Whoever is forgotten waits for ever, which ends the run.
test.each([
  ["mutex", "mutex_churn"],
  ["condition", "condition_churn"],
  ["rwlock", "rwlock_churn"],
])("%s: exclusion holds and nobody is forgotten under churn", async (_name, entry) => {
  const guest = await load();
  const run = fc.asyncProperty(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 20 }),
    fc.nat(),
    async (tasks, rounds, seed) => {
      const host = await VirtualHost.open(guest, { guestMemoryBytes: 4 << 20 });
      expect(await host.run(entry, [tasks, rounds, seed])).toBe(0);
    },
  );
  await fc.assert(run, { numRuns: 40 });
});

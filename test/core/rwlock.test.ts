import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { churn, law } = virtualLawsOf("rwlock");

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
// Method: tasks lock in all forms and yield at random by a seed, others cancel them; counters say
// who is inside. Whoever is forgotten waits for ever, which ends the run.
churn("rwlock: exclusion holds and nobody is forgotten under churn", "rwlock_churn");

import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { churn, law } = virtualLawsOf("condition");

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

// Goal: nothing is lost or made, and nobody is forgotten, under any interleaving of waits, cancels and
// time.
// Method: producers and consumers share a bounded buffer, others cancel them at random by a seed.
// Whoever is forgotten waits for ever, which ends the run.
churn("condition: exclusion holds and nobody is forgotten under churn", "condition_churn");

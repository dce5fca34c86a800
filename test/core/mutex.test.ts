import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { churn, law } = virtualLawsOf("mutex");

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

// Goal: exclusion holds, and nobody is forgotten, under any interleaving of locks, cancels and time.
// Method: tasks lock in all forms and yield at random by a seed, others cancel them; a counter says
// who is inside. Whoever is forgotten waits for ever, which ends the run.
churn("mutex: exclusion holds and nobody is forgotten under churn", "mutex_churn");

import { lawsOf } from "../support/runtime.ts";

const { virtualLaw: law } = lawsOf("requests");

law("a request waits for the last shield to end", "a_shield_keeps_the_request", [1]);
law("shields nest", "a_shield_keeps_the_request", [5]);
law("a shielded wait is not ended by a request", "a_shielded_wait_goes_on");
law("shields nest 255 deep and trap above", "shields_nest_255_deep");
law("a shielded join passes nothing on", "a_shielded_join_passes_nothing_on", [0]);
law(
  "a join shielded after the request passes nothing on",
  "a_shielded_join_passes_nothing_on",
  [1],
);
law("a checkpoint never parks, and is ECANCELED once", "a_checkpoint_never_parks");
law("recancel gives a noticed request once more", "recancel_gives_it_once_more");
law("recancel of a timeout stays the timeout's", "recancel_of_a_timeout");
law("recancel takes back the request that was noticed last", "recancel_after_several");
law("a timeout that was passed over claims nothing", "a_timeout_passed_over_claims_nothing");

law("a task-local has the bound value until it is cleared", "local_set_get_clear");
law("bindings of one key hide each other and come back", "local_bindings_nest");
law("bindings can be cleared in any order", "local_clear_in_any_order");
law("bindings are each task's own and survive its waits", "locals_are_each_tasks_own");
law("a binding that is set again is there once", "local_set_again");
law("bindings end with a task that traps", "locals_end_with_a_trap");

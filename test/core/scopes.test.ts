import { lawsOf } from "../support/runtime.ts";

const { virtualLaw: law } = lawsOf("scopes");

law("a scope ends one wait once its time is up", "a_scope_ends_a_wait");
law("a scope that ends in time does nothing", "a_scope_that_ends_in_time_does_nothing");
law("other results pass through the end of a scope", "results_pass_through");
law("without time nothing waits, and what need not wait is done", "no_time_at_all");
law("a timeout that nobody noticed is taken back", "an_unnoticed_timeout_is_taken_back");
law("a timeout in a shield is noticed after it", "expiry_in_a_shield_waits");
law("a scope's time can be set anew", "a_time_can_be_set_anew");

law("of nested scopes the inner one is first", "the_inner_one_first");
law("of nested scopes the outer one is first", "the_outer_one_first");
law("of nested scopes that expire at once the outer one is meant", "both_at_once");
law("each of many scopes ends one wait, the earliest first", "earliest_of_many");
law("scopes may end in any order", "ended_in_any_order");
law("a scope that is begun again is there once", "begun_again");

law("a user's request in a scope is not the scope's", "a_user_request_is_the_users");
law("a user's request wins over a timeout that is pending", "a_user_request_wins");
law("a user's request wins over a timeout that was noticed", "a_later_user_request_wins");

law("a scope around a join passes the cancel on", "around_a_join");
law("a scope around a group cancels its members", "around_a_group");
law(
  "a user's request wins over a timeout, while the group ends",
  "a_user_request_while_a_group_ends",
  [5],
);
law(
  "a user's request wins over a later timeout, while the group ends",
  "a_user_request_while_a_group_ends",
  [40],
);
law("a scope around a select", "around_a_select");
law("a scope around a condition", "around_a_condition");
law("a scope around an operation", "around_an_operation", [], {
  grants: { listen: ["127.0.0.1:0"] },
});

for (const [how, name] of ["returns", "traps", "returns later", "traps later"].entries()) {
  law(`an open scope ends with its task: it ${name}`, "an_open_scope_ends_with_its_task", [how]);
}
law("a scope is its task's own", "a_scope_is_its_tasks_own");
law("a scope has no heirs", "a_scope_has_no_heirs");

import { lawsOf } from "../support/runtime.ts";

const { virtualLaw: law } = lawsOf("groups");

law("a wait is for all members, gives their results, and can be repeated", "wait_is_for_all");
law("the first error stays, and is cleared by the wait", "the_first_error_stays");
law("fail-fast cancels the others: an error", "fail_fast_cancels_the_others", [0]);
law("fail-fast cancels the others: a trap", "fail_fast_cancels_the_others", [1]);
law("spawn is ECANCELED while the group is being canceled", "no_spawn_while_canceled");
law("one member at a time, in the order of their spawns", "running_is_bounded", [1]);
law("seven members at a time, in the order of their spawns", "running_is_bounded", [7]);
for (const [how, name] of ["cancel", "a request", "fail-fast"].entries()) {
  law(`members in line start and end, canceled by ${name}`, "a_canceled_line_starts", [how]);
}
law("room in a group is for spawning no faster than members end", "room_in_a_group");
law("room that one does not use is the next one's", "room_for_all_who_wait");

law("cancel cancels and waits, and is no cancel point", "cancel_cancels_and_waits");
law("a canceled waiter cancels the members", "a_canceled_waiter_cancels_the_members", [0]);
law("a waiter canceled before cancels the members", "a_canceled_waiter_cancels_the_members", [1]);
law("several wait for one group", "several_wait");
law("a timed wait that times out leaves the members alone", "a_wait_with_a_time");
law("a group in a select", "in_a_select");

law("a member cannot wait for its own group: EDEADLK", "a_member_cannot_wait_for_its_group");
law("members spawn members", "members_spawn_members", [0]);
law("members spawn members, three at a time", "members_spawn_members", [3]);
for (const [how, name] of ["a cancel", "a timeout", "a trap"].entries()) {
  law(`${name} at the top ends groups nested 1,000 deep`, "nested_groups", [how]);
}
law("a cancel at the top ends a tree of 16,384 members", "a_tree_of_groups");

const ends = ["traps", "returns", "runs out of stack", "traps with members in line"];
for (const [how, name] of ends.entries()) {
  law(`a group goes with the stack it lies on: its task ${name}`, "a_group_goes_with_its_stack", [
    how,
  ]);
}
law("a group that nobody waited for ends with its task", "a_group_that_nobody_waited_for");
law("a group goes with its stack, whoever spawned", "a_lent_group_goes_with_its_stack");

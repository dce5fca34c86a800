import { lawsOf } from "../support/runtime.ts";

const { virtualLaw: law } = lawsOf("lifetimes");

law("a wait for a task can be repeated and does not free it", "wait_can_be_repeated");
law("a canceled wait for a task cancels nobody", "wait_cancels_nobody");
law(
  "the end that is there is returned and the request stays",
  "wait_for_an_end_is_no_cancel_point",
);
law("poll is EAGAIN while the task lives, then its result", "poll_never_waits");
law("wait and poll: EDEADLK, EINVAL and ESRCH", "wait_and_poll_errors");
law("wait for a task that trapped is ENOTRECOVERABLE each time", "wait_for_a_trapped_task");
law("waiters and joiners of one task all get its result", "many_wait_and_join");
law("a timed wait or join that times out leaves the task alone", "timed_waits");

law("cancel_wait waits for the end whatever happens", "cancel_wait_waits");
law("cancel_wait of a task that has ended gives its result", "cancel_wait_of_what_has_ended");

law("spawn_wait holds tasksMax and loses nobody", "spawn_wait_bounds_tasks", [6], {
  limits: { tasksMax: 6 },
});
law("room for a task is first come, first served", "room_is_first_come_first_served", [], {
  limits: { tasksMax: 6 },
});
law("a wait for room times out", "room_times_out", [], { limits: { tasksMax: 2 } });
// Of the 4 GiB that there are, what the guest does not reserve for itself.
const little = { guestMemoryBytes: 3 * 1024 ** 3 };
law(
  "spawn_wait waits for memory of the size that was asked for",
  "spawn_wait_waits_for_memory",
  [1],
  { limits: little },
);
law("spawn_wait waits for memory of the default size", "spawn_wait_waits_for_memory", [0], {
  limits: { ...little, stackBytes: 8 * 1024 ** 2 },
});
law("a spawn that fails changes nothing", "spawn_errors_change_nothing");

law("woken tasks run in the order of their wakes", "woken_tasks_run_in_the_order_of_their_wakes");
law(
  "maybe_yield yields once the budget is spent, and is a cancel point",
  "maybe_yield_yields_once_the_budget_is_spent",
);

law("park with a time: permits, timeouts and late unparks", "timed_parks");
law("of an unpark and a timeout the first counts", "an_unpark_before_the_time_counts");

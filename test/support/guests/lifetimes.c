/* lifetimes.c - laws of waiting for tasks, of the room there is for them, and of turns. */
#include "virtual.h"

static int32_t return_task(void *value) { return (int32_t)value; }
static int32_t park_task(void *value) { return sf_park() < 0 ? -SF_ECANCELED : (int32_t)value; }
static int32_t sleep_task(void *ms) { return sf_sleep((uint32_t)ms * MS) < 0 ? -1 : (int32_t)ms; }
static int32_t trap_task(void *ms) {
  sf_sleep((uint32_t)ms * MS);
  __builtin_trap();
}

/* ── Wait and poll ─────────────────────────────────────────────────────────────────────────────── */

LAW(wait_can_be_repeated)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(sleep_task, (void *)5, NULL, &task) == 0);
  for (int32_t i = 0; i < 3; i++) {
    result = 0;
    CHECK(sf_task_wait(task, &result) == 0 && result == 5);
    CHECK(sf_task_wait(task, NULL) == 0);
  }
  CHECK(sf_join(task, &result) == 0 && result == 5);
  CHECK(sf_task_wait(task, &result) == -SF_ESRCH);
  return 0;
}

struct waiting {
  sf_task_t target;
  int32_t result, error, after;
};
static int32_t wait_task(void *argument) {
  struct waiting *waiting = argument;
  waiting->error = sf_task_wait(waiting->target, &waiting->result);
  waiting->after = sf_checkpoint();
  return 0;
}

LAW(wait_cancels_nobody)(void) {
  struct waiting waiting = {.error = 1};
  sf_task_t waiter;
  int32_t result;
  CHECK(sf_spawn(sleep_task, (void *)50, NULL, &waiting.target) == 0);
  CHECK(sf_spawn(wait_task, &waiting, NULL, &waiter) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel(waiter) == 0);
  CHECK(sf_join(waiter, NULL) == 0);
  CHECK(waiting.error == -SF_ECANCELED && waiting.after == 0 && waiting.result == 0);
  CHECK(sf_task_poll(waiting.target, NULL) == -SF_EAGAIN);
  CHECK(sf_join(waiting.target, &result) == 0 && result == 50);
  return 0;
}

LAW(wait_for_an_end_is_no_cancel_point)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(return_task, (void *)4, NULL, &task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_task_wait(task, &result) == 0 && result == 4);
  CHECK(sf_join(task, &result) == 0 && result == 4);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(poll_never_waits)(void) {
  sf_task_t task;
  int32_t result = 77;
  CHECK(sf_spawn(sleep_task, (void *)9, NULL, &task) == 0);
  CHECK(sf_task_poll(task, &result) == -SF_EAGAIN && result == 77);
  CHECK(settle() == 0);
  CHECK(sf_task_poll(task, &result) == -SF_EAGAIN && result == 77);
  CHECK(sf_sleep(20 * MS) == 0);
  for (int32_t i = 0; i < 3; i++) {
    result = 0;
    CHECK(sf_task_poll(task, &result) == 0 && result == 9);
    CHECK(sf_task_poll(task, NULL) == 0);
  }
  CHECK(sf_join(task, NULL) == 0);
  CHECK(sf_task_poll(task, &result) == -SF_ESRCH);
  return 0;
}

LAW(wait_and_poll_errors)(void) {
  sf_task_t task;
  CHECK(sf_task_wait(sf_self(), NULL) == -SF_EDEADLK);
  CHECK(sf_task_poll(sf_self(), NULL) == -SF_EDEADLK);
  CHECK(sf_task_wait(0, NULL) == -SF_ESRCH);
  CHECK(sf_task_poll(0, NULL) == -SF_ESRCH);
  CHECK(sf_spawn(sleep_task, (void *)5, NULL, &task) == 0);
  CHECK(sf_detach(task) == 0);
  CHECK(sf_task_wait(task, NULL) == -SF_EINVAL);
  CHECK(sf_task_poll(task, NULL) == -SF_EINVAL);
  CHECK(sf_sleep(20 * MS) == 0);
  CHECK(sf_task_wait(task, NULL) == -SF_ESRCH);
  CHECK(sf_detach(task) == -SF_ESRCH);
  return 0;
}

LAW(wait_for_a_trapped_task)(void) {
  sf_task_t task;
  CHECK(sf_spawn(trap_task, (void *)5, NULL, &task) == 0);
  CHECK(sf_task_wait(task, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_task_wait(task, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_task_poll(task, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  return 0;
}

static int32_t join_task(void *target) {
  int32_t result = -1;
  int32_t error = sf_join(*(sf_task_t *)target, &result);
  return error < 0 ? error : result;
}

/* Some wait, some join: all get the result, and the joined task is gone afterwards. */
LAW(many_wait_and_join)(void) {
  struct waiting waiting[20] = {0};
  sf_task_t target, waiters[20], joiners[20];
  CHECK(sf_spawn(sleep_task, (void *)30, NULL, &target) == 0);
  for (int32_t i = 0; i < 20; i++) {
    waiting[i].target = target;
    CHECK(sf_spawn(wait_task, &waiting[i], NULL, &waiters[i]) == 0);
    CHECK(sf_spawn(join_task, &target, NULL, &joiners[i]) == 0);
  }
  CHECK(settle() == 0);
  CHECK(sf_cancel(waiters[7]) == 0);
  int32_t result;
  for (int32_t i = 0; i < 20; i++) {
    CHECK(sf_join(waiters[i], NULL) == 0);
    CHECK(waiting[i].error == (i == 7 ? -SF_ECANCELED : 0));
    CHECK(waiting[i].result == (i == 7 ? 0 : 30));
    CHECK(sf_join(joiners[i], &result) == 0 && result == 30);
  }
  CHECK(sf_task_poll(target, NULL) == -SF_ESRCH);
  return 0;
}

LAW(timed_waits)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(sleep_task, (void *)50, NULL, &task) == 0);
  CHECK(sf_task_wait_timeout(task, &result, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_task_wait_timeout(task, &result, sf_after(5 * MS)) == -SF_ETIMEDOUT);
  CHECK(sf_join_timeout(task, &result, sf_after(5 * MS)) == -SF_ETIMEDOUT && result == 0);
  CHECK(sf_task_wait_timeout(task, &result, sf_after(LONG)) == 0 && result == 50);
  result = 0;
  CHECK(sf_task_wait_timeout(task, &result, sf_after(0)) == 0 && result == 50);
  result = 0;
  CHECK(sf_join_timeout(task, &result, SF_NEVER) == 0 && result == 50);
  CHECK(sf_join_timeout(task, &result, SF_NEVER) == -SF_ESRCH);
  CHECK(sf_spawn(trap_task, (void *)5, NULL, &task) == 0);
  CHECK(sf_join_timeout(task, NULL, sf_after(LONG)) == -SF_ENOTRECOVERABLE);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  return 0;
}

/* ── Cancel and wait ───────────────────────────────────────────────────────────────────────────── */

/* Takes its time to end, whatever happens. */
static int32_t stubborn_task(void *unused) {
  (void)unused;
  int32_t first = sf_sleep(LONG);
  sf_sleep(20 * MS);
  return first;
}
static int32_t cancel_wait_task(void *target) {
  int32_t result = 1;
  int32_t error = sf_cancel_wait(*(sf_task_t *)target, &result);
  if (error != 0 || result != -SF_ECANCELED) return 1;
  if (sf_task_poll(*(sf_task_t *)target, NULL) != -SF_ESRCH) return 2;
  return sf_checkpoint();
}

LAW(cancel_wait_waits)(void) {
  sf_task_t target, canceler;
  int32_t result;
  CHECK(sf_spawn(stubborn_task, NULL, NULL, &target) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(target, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_cancel_wait(target, &result) == -SF_ESRCH);

  /* A request for the one that waits stays pending. */
  CHECK(sf_spawn(stubborn_task, NULL, NULL, &target) == 0);
  CHECK(sf_spawn(cancel_wait_task, &target, NULL, &canceler) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel(canceler) == 0);
  CHECK(sf_join(canceler, &result) == 0 && result == -SF_ECANCELED);
  return 0;
}

LAW(cancel_wait_of_what_has_ended)(void) {
  sf_task_t task;
  int32_t result;
  CHECK(sf_spawn(return_task, (void *)3, NULL, &task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(task, &result) == 0 && result == 3);
  CHECK(sf_spawn(trap_task, (void *)0, NULL, &task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(task, &result) == -SF_ENOTRECOVERABLE);
  /* One that has not run yet runs up to its first cancel point. */
  CHECK(sf_spawn(stubborn_task, NULL, NULL, &task) == 0);
  CHECK(sf_cancel_wait(task, &result) == 0 && result == -SF_ECANCELED);
  return 0;
}

/* ── Room ──────────────────────────────────────────────────────────────────────────────────────── */

static int32_t running, running_most, ended_count;
static int32_t busy_task(void *unused) {
  (void)unused;
  if (++running > running_most) running_most = running;
  sf_sleep(3 * MS);
  running--;
  ended_count++;
  return 0;
}

LAW(spawn_wait_bounds_tasks)(int32_t tasks_max) {
  running = running_most = ended_count = 0;
  for (int32_t i = 0; i < 200; i++) CHECK(sf_spawn_wait(busy_task, NULL, NULL, NULL) == 0);
  CHECK(sf_spawn(busy_task, NULL, NULL, NULL) == -SF_EAGAIN);
  CHECK(sf_sleep(100 * MS) == 0);
  CHECK(ended_count == 200 && running == 0);
  /* The one that spawns is a task as well. */
  CHECK(running_most == tasks_max - 1);
  return 0;
}

static int32_t room_order[8], room_count;
static sf_task_t room_tasks[8];
static int32_t room_task(void *id) {
  int32_t error = sf_spawn_room(return_task, 0);
  if (error < 0) return error;
  room_order[room_count++] = (int32_t)id;
  sf_sleep(MS);
  return 0;
}

/* tasks_max 6: this one, two that sleep and three that wait for room. */
LAW(room_is_first_come_first_served)(void) {
  sf_task_t sleepers[2];
  int32_t result;
  room_count = 0;
  for (int32_t i = 0; i < 2; i++) CHECK(sf_spawn(park_task, NULL, NULL, &sleepers[i]) == 0);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_spawn(room_task, (void *)i, NULL, &room_tasks[i]) == 0);
  CHECK(settle() == 0);
  CHECK(room_count == 0);
  CHECK(sf_cancel(room_tasks[1]) == 0);
  CHECK(sf_join(room_tasks[1], &result) == 0 && result == -SF_ECANCELED);
  CHECK(settle() == 0);
  /* The end of that one made room. */
  CHECK(room_count >= 1 && room_order[0] == 0);
  for (int32_t i = 0; i < 2; i++) CHECK(sf_unpark(sleepers[i]) == 0);
  CHECK(sf_join(room_tasks[0], NULL) == 0 && sf_join(room_tasks[2], NULL) == 0);
  CHECK(room_count == 2 && room_order[1] == 2);
  for (int32_t i = 0; i < 2; i++) CHECK(sf_join(sleepers[i], NULL) == 0);
  CHECK(sf_spawn_room(return_task, 0) == 0);
  return 0;
}

LAW(room_times_out)(void) {
  sf_task_t sleeper;
  struct sf_timeout scope;
  CHECK(sf_spawn(park_task, NULL, NULL, &sleeper) == 0);
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, sf_spawn_room(return_task, 0)) == -SF_ETIMEDOUT);
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, sf_spawn_wait(return_task, NULL, NULL, NULL)) == -SF_ETIMEDOUT);
  CHECK(sf_spawn_room(return_task, (8 << 20) + 1) == -SF_EINVAL);
  CHECK(sf_cancel_wait(sleeper, NULL) == 0);
  return 0;
}

/* A recursion: the linker cannot tell what it needs. */
NOINLINE static int32_t park_below(int32_t depth) {
  static volatile int32_t sink;
  if (depth == 0) return sf_park();
  sink = depth;
  return park_below(depth - 1) - depth + sink;
}
static int32_t large_task(void *value) { return park_below(1) < 0 ? -1 : (int32_t)value; }
static int32_t large_spawner(void *options) {
  sf_task_t task;
  int32_t result, error = sf_spawn_wait(large_task, (void *)7, options, &task);
  if (error < 0) return error;
  sf_unpark(task);
  error = sf_join(task, &result);
  return error < 0 ? error : result;
}

/* Memory for stacks of 8 MiB runs out; the spawn goes on when one of them has ended. `how`: 0 the
 * stack is as large as the linker says, 1 as the options say. */
LAW(spawn_wait_waits_for_memory)(int32_t how) {
  sf_task_t *tasks = malloc(1024 * sizeof(*tasks)), spawner;
  struct sf_spawn_options options = {.stack_bytes = 8 << 20}, *chosen = how == 0 ? NULL : &options;
  int32_t count = 0, error = 0, result;
  while (count < 1024 && (error = sf_spawn(large_task, NULL, chosen, &tasks[count])) == 0) count++;
  CHECK(error == -SF_ENOMEM);
  CHECK(spawn_small(large_spawner, chosen, &spawner) == 0);
  CHECK(settle() == 0);
  CHECK(sf_task_poll(spawner, NULL) == -SF_EAGAIN);
  CHECK(sf_unpark(tasks[0]) == 0);
  CHECK(sf_join(tasks[0], NULL) == 0);
  CHECK(sf_join(spawner, &result) == 0 && result == 7);
  for (int32_t i = 1; i < count; i++) {
    CHECK(sf_unpark(tasks[i]) == 0);
    CHECK(sf_join(tasks[i], NULL) == 0);
  }
  free(tasks);
  return 0;
}

/* ── Turns ─────────────────────────────────────────────────────────────────────────────────────── */

static int32_t order[64], order_count;
static int32_t park_note_task(void *id) {
  for (int32_t i = 0; i < 2; i++) {
    if (sf_park() < 0) return -1;
    order[order_count++] = (int32_t)id;
  }
  return 0;
}

LAW(woken_tasks_run_in_the_order_of_their_wakes)(void) {
  static const int32_t wakes[] = {3, 0, 4, 1, 2};
  sf_task_t tasks[5];
  order_count = 0;
  for (int32_t i = 0; i < 5; i++) CHECK(sf_spawn(park_note_task, (void *)i, NULL, &tasks[i]) == 0);
  CHECK(settle() == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_unpark(tasks[wakes[i]]) == 0);
  CHECK(sf_yield() == 0);
  CHECK(order_count == 5);
  for (int32_t i = 0; i < 5; i++) CHECK(order[i] == wakes[i]);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_unpark(tasks[i]) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_join(tasks[i], NULL) == 0);
  return 0;
}

static int32_t turns;
static int32_t turn_task(void *unused) {
  (void)unused;
  while (sf_yield() == 0) turns++;
  return 0;
}

LAW(maybe_yield_yields_once_the_budget_is_spent)(void) {
  sf_task_t task;
  turns = 0;
  CHECK(sf_spawn(turn_task, NULL, NULL, &task) == 0);
  uint32_t calls = 0;
  for (; turns == 0 && calls < 10000000; calls++) CHECK(sf_maybe_yield() == 0);
  CHECK(calls > 1 && turns > 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_maybe_yield() == -SF_ECANCELED);
  CHECK(sf_maybe_yield() == 0);
  CHECK(sf_cancel_wait(task, NULL) == 0);
  return 0;
}

/* ── Park with a time ──────────────────────────────────────────────────────────────────────────── */

static int32_t unpark_later_task(void *target) {
  sf_sleep(5 * MS);
  return sf_unpark(*(sf_task_t *)target);
}

LAW(timed_parks)(void) {
  sf_task_t self = sf_self(), task;
  CHECK(sf_park_timeout(sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_park_timeout(sf_after(3 * MS)) == -SF_ETIMEDOUT);
  CHECK(sf_park_timeout(sf_at(sf_monotonic_ns())) == -SF_ETIMEDOUT);
  CHECK(sf_park_timeout(sf_at(sf_monotonic_ns() + MS)) == -SF_ETIMEDOUT);
  /* A permit is there whatever the time. */
  CHECK(sf_unpark(self) == 0);
  CHECK(sf_park_timeout(sf_after(0)) == 0);
  CHECK(sf_park_timeout(sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_spawn(unpark_later_task, &self, NULL, &task) == 0);
  CHECK(sf_park_timeout(sf_after(LONG)) == 0);
  CHECK(sf_join(task, NULL) == 0);
  /* An unpark that comes too late is remembered. */
  CHECK(sf_spawn(unpark_later_task, &self, NULL, &task) == 0);
  CHECK(sf_park_timeout(sf_after(MS)) == -SF_ETIMEDOUT);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(sf_park() == 0);
  CHECK(sf_cancel(self) == 0);
  CHECK(sf_park_timeout(SF_NEVER) == -SF_ECANCELED);
  return 0;
}

/* Unparked first, and the time is up before it runs: both are due in one turn. */
static int32_t waiter_result, waiter_after;
static int32_t park_timeout_task(void *unused) {
  (void)unused;
  waiter_result = sf_park_timeout(sf_after(2 * MS + 800000));
  waiter_after = sf_checkpoint();
  return 0;
}
static int32_t wake_at_task(void *target) {
  sf_sleep(2 * MS + 200000);
  return sf_unpark(*(sf_task_t *)target);
}

LAW(an_unpark_before_the_time_counts)(void) {
  sf_task_t parker, waker;
  CHECK(sf_spawn(wake_at_task, &parker, NULL, &waker) == 0);
  CHECK(sf_spawn(park_timeout_task, NULL, NULL, &parker) == 0);
  CHECK(sf_join(parker, NULL) == 0);
  CHECK(sf_join(waker, NULL) == 0);
  CHECK(waiter_after == 0);
  /* The waker only runs after timers have fired: the time was up first. */
  CHECK(waiter_result == -SF_ETIMEDOUT);
  return 0;
}

/* ── Limits ────────────────────────────────────────────────────────────────────────────────────── */

LAW(spawn_errors_change_nothing)(void) {
  sf_task_t task = 5;
  struct sf_spawn_options options = {.stack_bytes = (8 << 20) + 1, .name = "large"};
  CHECK(sf_spawn(return_task, NULL, &options, &task) == -SF_EINVAL && task == 5);
  CHECK(sf_spawn_wait(return_task, NULL, &options, &task) == -SF_EINVAL && task == 5);
  options.stack_bytes = 0;
  CHECK(sf_spawn(return_task, (void *)3, &options, &task) == 0 && task != 5);
  int32_t result;
  char name[8];
  CHECK(sf_task_name(task, name, 8) == 5 && memcmp(name, "large", 5) == 0);
  CHECK(sf_join(task, &result) == 0 && result == 3);
  return 0;
}

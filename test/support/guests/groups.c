/* groups.c - laws of groups. */
#include "virtual.h"

static struct sf_group group;
static int32_t canceled, ended;

static int32_t return_task(void *value) { return (int32_t)value; }
static int32_t sleep_task(void *ms) {
  int32_t error = sf_sleep((uint32_t)ms * MS);
  canceled += error == -SF_ECANCELED;
  ended++;
  return error < 0 ? error : (int32_t)ms;
}
static int32_t fail_task(void *ms) {
  sf_sleep((uint32_t)ms * MS);
  return -(int32_t)ms;
}
static int32_t trap_task(void *ms) {
  sf_sleep((uint32_t)ms * MS);
  __builtin_trap();
}
static void start(uint32_t running_max, uint32_t flags) {
  canceled = ended = 0;
  sf_group_init(&group, running_max, flags);
}
static int32_t member(sf_entry_fn entry, int32_t argument, int32_t *result) {
  return sf_group_spawn(&group, entry, (void *)argument, NULL, result);
}

LAW(wait_is_for_all)(void) {
  int32_t results[50];
  start(0, 0);
  CHECK(sf_group_wait(&group) == 0);
  for (int32_t i = 0; i < 50; i++) CHECK(member(sleep_task, 1 + i * 7 % 50, &results[i]) == 0);
  CHECK(sf_group_count(&group) == 50);
  CHECK(sf_group_wait(&group) == 0);
  CHECK(ended == 50 && sf_group_count(&group) == 0);
  for (int32_t i = 0; i < 50; i++) CHECK(results[i] == 1 + i * 7 % 50);
  /* Again, and with members that have ended before anybody waits. */
  for (int32_t i = 0; i < 5; i++) CHECK(member(return_task, i, &results[i]) == 0);
  CHECK(settle() == 0 && sf_group_count(&group) == 0);
  CHECK(sf_group_wait(&group) == 0 && results[4] == 4);
  return 0;
}

LAW(the_first_error_stays)(void) {
  start(0, 0);
  CHECK(member(fail_task, 30, NULL) == 0 && member(fail_task, 10, NULL) == 0);
  CHECK(member(fail_task, 20, NULL) == 0 && member(sleep_task, 40, NULL) == 0);
  CHECK(sf_group_wait(&group) == -10);
  /* Nobody was canceled, and the error is gone. */
  CHECK(canceled == 0 && ended == 1);
  CHECK(member(sleep_task, 1, NULL) == 0 && sf_group_wait(&group) == 0);
  CHECK(member(fail_task, 5, NULL) == 0 && settle() == 0 && sf_sleep(10 * MS) == 0);
  /* It failed while nobody waited; new members do not hide that. */
  CHECK(member(sleep_task, 1, NULL) == 0 && sf_group_wait(&group) == -5);
  CHECK(member(trap_task, 1, NULL) == 0 && sf_group_wait(&group) == -SF_ENOTRECOVERABLE);
  CHECK(member(return_task, -SF_ECANCELED, NULL) == 0 && sf_group_wait(&group) == 0);
  return 0;
}

LAW(fail_fast_cancels_the_others)(int32_t trap) {
  int32_t results[4];
  start(0, SF_GROUP_FAIL_FAST);
  for (int32_t i = 0; i < 3; i++) CHECK(member(sleep_task, 50000, &results[i]) == 0);
  CHECK(member(trap ? trap_task : fail_task, 10, &results[3]) == 0);
  CHECK(sf_group_wait(&group) == (trap ? -SF_ENOTRECOVERABLE : -10));
  CHECK(canceled == 3 && results[0] == -SF_ECANCELED);
  CHECK(results[3] == (trap ? -SF_ENOTRECOVERABLE : -10));
  /* As new. */
  CHECK(member(sleep_task, 5, NULL) == 0 && sf_group_wait(&group) == 0 && canceled == 3);
  return 0;
}

static int32_t spawn_result;
static int32_t spawn_when_canceled_task(void *unused) {
  (void)unused;
  sf_sleep(LONG);
  spawn_result = member(return_task, 1, NULL);
  sf_shield_begin();
  sf_sleep(5 * MS);
  sf_shield_end();
  return 0;
}

LAW(no_spawn_while_canceled)(void) {
  start(0, 0);
  spawn_result = 0;
  CHECK(member(spawn_when_canceled_task, 0, NULL) == 0);
  CHECK(settle() == 0);
  sf_group_cancel_request(&group);
  CHECK(member(return_task, 1, NULL) == -SF_ECANCELED);
  CHECK(sf_group_wait(&group) == 0);
  CHECK(spawn_result == -SF_ECANCELED);
  CHECK(member(return_task, 1, NULL) == 0 && sf_group_wait(&group) == 0);
  sf_group_cancel_request(&group);
  CHECK(member(sleep_task, 1, NULL) == 0 && sf_group_wait(&group) == 0 && canceled == 0);
  return 0;
}

static int32_t running, running_most, order[100], order_count;
static int32_t bounded_task(void *id) {
  order[order_count++] = (int32_t)id;
  if (++running > running_most) running_most = running;
  sf_sleep((1 + (uint32_t)id * 13 % 7) * MS);
  running--;
  return 0;
}

LAW(running_is_bounded)(int32_t most) {
  running = running_most = order_count = 0;
  start((uint32_t)most, 0);
  for (int32_t i = 0; i < 100; i++) CHECK(member(bounded_task, i, NULL) == 0);
  CHECK(sf_group_count(&group) == 100);
  CHECK(sf_group_wait(&group) == 0);
  CHECK(running_most == most && order_count == 100);
  for (int32_t i = 0; i < 100; i++) CHECK(order[i] == i);
  return 0;
}

/* Those that have not started run up to their first cancel point. */
LAW(a_canceled_line_starts)(int32_t how) {
  start(2, how == 2 ? SF_GROUP_FAIL_FAST : 0);
  for (int32_t i = 0; i < 50; i++)
    CHECK(member(how == 2 && i == 1 ? fail_task : sleep_task, 5000, NULL) == 0);
  CHECK(settle() == 0);
  if (how == 0) CHECK(sf_group_cancel(&group) == 0);
  if (how == 1) sf_group_cancel_request(&group);
  CHECK(sf_group_wait(&group) == (how == 2 ? -5000 : 0));
  CHECK(sf_group_count(&group) == 0);
  CHECK(how == 2 ? ended == 49 && canceled == 48 : ended == 50 && canceled == 50);
  return 0;
}

LAW(room_in_a_group)(void) {
  running = running_most = order_count = 0;
  start(3, 0);
  for (int32_t i = 0; i < 60; i++) {
    CHECK(sf_group_room(&group) == 0);
    CHECK(sf_group_count(&group) < 3);
    CHECK(member(bounded_task, i, NULL) == 0);
  }
  CHECK(sf_group_wait(&group) == 0);
  CHECK(running_most == 3 && order_count == 60);
  start(0, 0);
  CHECK(sf_group_room(&group) == 0);
  return 0;
}

static int32_t room_task(void *unused) {
  (void)unused;
  return sf_group_room(&group);
}

/* Also those get room that the one before did not use; and a wait for it can be canceled. */
LAW(room_for_all_who_wait)(void) {
  sf_task_t tasks[5];
  int32_t result;
  start(2, 0);
  CHECK(member(sleep_task, 20, NULL) == 0 && member(sleep_task, 30, NULL) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_spawn(room_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(tasks[0], &result) == 0 && result == -SF_ECANCELED);
  for (int32_t i = 1; i < 5; i++) CHECK(sf_join(tasks[i], &result) == 0 && result == 0);
  CHECK(sf_group_wait(&group) == 0);
  return 0;
}

/* ── Cancel ────────────────────────────────────────────────────────────────────────────────────── */

LAW(cancel_cancels_and_waits)(void) {
  start(0, 0);
  CHECK(sf_group_cancel(&group) == 0);
  for (int32_t i = 0; i < 10; i++) CHECK(member(sleep_task, 5000, NULL) == 0);
  CHECK(sf_group_cancel(&group) == 0);
  CHECK(canceled == 10 && sf_group_count(&group) == 0);
  /* Not a cancel point, and an error from before does not count. */
  CHECK(member(return_task, -7, NULL) == 0 && settle() == 0);
  CHECK(member(sleep_task, 5000, NULL) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_group_cancel(&group) == 0 && canceled == 11);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(member(trap_task, 1, NULL) == 0);
  CHECK(sf_group_cancel(&group) == -SF_ENOTRECOVERABLE);
  CHECK(sf_group_wait(&group) == 0);
  return 0;
}

static int32_t waiter_after;
static int32_t wait_task(void *unused) {
  (void)unused;
  int32_t result = sf_group_wait(&group);
  waiter_after = sf_checkpoint();
  return result;
}

LAW(a_canceled_waiter_cancels_the_members)(int32_t before) {
  sf_task_t task;
  int32_t result;
  start(0, 0);
  for (int32_t i = 0; i < 10; i++) CHECK(member(sleep_task, 5000, NULL) == 0);
  CHECK(sf_spawn(wait_task, NULL, NULL, &task) == 0);
  if (!before) CHECK(settle() == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &result) == 0 && result == -SF_ECANCELED);
  CHECK(waiter_after == 0 && canceled == 10 && sf_group_count(&group) == 0);
  return 0;
}

/* Several wait: all get the error, the canceled one -ECANCELED. */
LAW(several_wait)(void) {
  sf_task_t tasks[4];
  int32_t result;
  start(0, 0);
  CHECK(member(fail_task, 10, NULL) == 0 && member(sleep_task, 40, NULL) == 0);
  for (int32_t i = 0; i < 4; i++) CHECK(sf_spawn(wait_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(sf_sleep(20 * MS) == 0);
  CHECK(sf_cancel(tasks[2]) == 0);
  for (int32_t i = 0; i < 4; i++) {
    CHECK(sf_join(tasks[i], &result) == 0);
    CHECK(result == (i == 2 ? -SF_ECANCELED : -10));
  }
  CHECK(sf_group_wait(&group) == 0);
  return 0;
}

LAW(a_wait_with_a_time)(void) {
  start(0, 0);
  CHECK(member(sleep_task, 50, NULL) == 0);
  CHECK(sf_group_wait_timeout(&group, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_group_wait_timeout(&group, sf_after(5 * MS)) == -SF_ETIMEDOUT);
  CHECK(canceled == 0 && sf_group_count(&group) == 1);
  CHECK(sf_group_wait_timeout(&group, sf_after(LONG)) == 0 && ended == 1);
  CHECK(sf_group_wait_timeout(&group, sf_after(0)) == 0);
  CHECK(member(fail_task, 5, NULL) == 0);
  CHECK(sf_group_wait_timeout(&group, SF_NEVER) == -5);
  return 0;
}

LAW(in_a_select)(void) {
  struct sf_event event = {0};
  start(0, 0);
  CHECK(member(fail_task, 10, NULL) == 0);
  struct sf_arm first[] = {sf_on_event(&event), sf_on_group(&group), sf_on_timeout(sf_after(LONG))};
  CHECK(sf_select(first, 3) == 1 && first[1].waiter.result == -10);
  CHECK(member(sleep_task, 50, NULL) == 0);
  struct sf_arm second[] = {sf_on_group(&group), sf_on_timeout(sf_after(5 * MS))};
  CHECK(sf_select(second, 2) == 1 && canceled == 0);
  CHECK(sf_group_wait(&group) == 0);
  struct sf_arm third[] = {sf_on_timeout(SF_NEVER), sf_on_group(&group)};
  CHECK(sf_select(third, 2) == 1 && third[1].waiter.result == 0);
  return 0;
}

/* ── Members and their group ───────────────────────────────────────────────────────────────────── */

static int32_t own_group_task(void *unused) {
  (void)unused;
  CHECK(sf_group_wait(&group) == -SF_EDEADLK);
  CHECK(sf_group_cancel(&group) == -SF_EDEADLK);
  struct sf_arm arms[] = {sf_on_timeout(sf_after(MS)), sf_on_group(&group)};
  CHECK(sf_select(arms, 2) == 1 && arms[1].waiter.result == -SF_EDEADLK);
  return 0;
}

LAW(a_member_cannot_wait_for_its_group)(void) {
  int32_t line;
  start(0, 0);
  CHECK(member(return_task, -9, NULL) == 0 && settle() == 0);
  CHECK(member(own_group_task, 0, &line) == 0);
  CHECK(sf_group_wait(&group) == -9);
  return line;
}

static int32_t breed_task(void *depth) {
  ended++;
  if ((int32_t)depth == 0) return 0;
  for (int32_t i = 0; i < 2; i++)
    if (member(breed_task, (int32_t)depth - 1, NULL) != 0) return -1;
  return sf_sleep(MS);
}

LAW(members_spawn_members)(int32_t running_max) {
  start((uint32_t)running_max, 0);
  CHECK(member(breed_task, 8, NULL) == 0);
  CHECK(sf_group_wait(&group) == 0);
  CHECK(ended == 511 && sf_group_count(&group) == 0);
  return 0;
}

/* A group on the stack of every task, one in the other. */
static int32_t chain_task(void *depth) {
  struct sf_group inner;
  sf_group_init(&inner, 0, 0);
  if ((int32_t)depth == 0) return sleep_task((void *)100000);
  struct sf_spawn_options options = {.stack_bytes = 2048};
  if (sf_group_spawn(&inner, chain_task, (void *)((int32_t)depth - 1), &options, NULL) != 0) return -1;
  int32_t error = sf_group_wait(&inner);
  canceled += error == -SF_ECANCELED;
  return error;
}

/* `how`: 0 a cancel from the top, 1 a scope there, 2 the top traps. */
static int32_t top_task(void *how) {
  struct sf_group inner;
  struct sf_timeout scope;
  sf_group_init(&inner, 0, 0);
  if (sf_group_spawn(&inner, chain_task, (void *)1000, NULL, NULL) != 0) return -1;
  if ((int32_t)how == 2) {
    sf_sleep(5 * MS);
    __builtin_trap();
  }
  sf_timeout_begin(&scope, (int32_t)how == 1 ? sf_after(5 * MS) : SF_NEVER);
  return sf_timeout_end(&scope, sf_group_wait(&inner));
}

LAW(nested_groups)(int32_t how) {
  sf_task_t task;
  int32_t result = 0;
  start(0, 0);
  CHECK(sf_spawn(top_task, (void *)how, NULL, &task) == 0);
  CHECK(settle() == 0);
  if (how == 0) CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &result) == (how == 2 ? -SF_ENOTRECOVERABLE : 0));
  if (how != 2) CHECK(result == (how == 0 ? -SF_ECANCELED : -SF_ETIMEDOUT));
  CHECK(sf_sleep(5 * MS) == 0);
  CHECK(canceled == 1001 && ended == 1);
  return 0;
}

static int32_t tree_task(void *depth) {
  struct sf_group inner;
  sf_group_init(&inner, 0, 0);
  if ((int32_t)depth == 0) return sleep_task((void *)100000);
  struct sf_spawn_options options = {.stack_bytes = 2048};
  for (int32_t i = 0; i < 4; i++)
    if (sf_group_spawn(&inner, tree_task, (void *)((int32_t)depth - 1), &options, NULL) != 0)
      return -1;
  return sf_group_wait(&inner);
}

LAW(a_tree_of_groups)(void) {
  start(0, 0);
  CHECK(member(tree_task, 7, NULL) == 0);
  CHECK(settle() == 0);
  CHECK(sf_group_cancel(&group) == 0);
  CHECK(ended == 16384 && canceled == 16384);
  return 0;
}

/* ── Groups on the stack of a task that is over ────────────────────────────────────────────────── */

NOINLINE static int32_t overflow(int32_t depth) {
  volatile char array[64];
  array[depth & 63] = 1;
  return overflow(depth + 1) + array[(depth + 1) & 63];
}

/* `how`: 0 traps, 1 returns, 2 runs out of stack, 3 traps with members that have not started. */
static struct sf_group *lent;
static int32_t owner_task(void *how) {
  struct sf_group own;
  int32_t results[8];
  sf_group_init(&own, (int32_t)how == 3 ? 2 : 0, 0);
  for (int32_t i = 0; i < 8; i++)
    if (sf_group_spawn(&own, sleep_task, (void *)50000, NULL, &results[i]) != 0) return -1;
  lent = &own;
  sf_sleep(5 * MS);
  if ((int32_t)how == 1) return 0;
  if ((int32_t)how == 2) return overflow(0);
  __builtin_trap();
}
static int32_t lent_wait_task(void *unused) {
  (void)unused;
  return sf_group_wait(lent);
}
static int32_t lent_select_task(void *unused) {
  (void)unused;
  struct sf_arm arms[] = {sf_on_group(lent), sf_on_timeout(sf_after(LONG))};
  return sf_select(arms, 2);
}
static int32_t lent_room_task(void *unused) {
  (void)unused;
  return sf_group_room(lent);
}

LAW(a_group_goes_with_its_stack)(int32_t how) {
  start(0, 0);
  for (int32_t round = 0; round < 5; round++) {
    sf_task_t owner, waiter, selecting, room;
    int32_t results[3];
    canceled = ended = 0;
    CHECK(sf_spawn(owner_task, (void *)how, NULL, &owner) == 0);
    CHECK(settle() == 0);
    CHECK(sf_spawn(lent_wait_task, NULL, NULL, &waiter) == 0);
    CHECK(sf_spawn(lent_select_task, NULL, NULL, &selecting) == 0);
    CHECK(sf_spawn(lent_room_task, NULL, NULL, &room) == 0);
    CHECK(sf_join(owner, NULL) == (how == 1 ? 0 : -SF_ENOTRECOVERABLE));
    CHECK(sf_join(waiter, &results[0]) == 0 && results[0] == -SF_EOWNERDEAD);
    CHECK(sf_join(selecting, &results[1]) == 0);
    CHECK(results[1] == (how == 1 ? 0 : -SF_EOWNERDEAD));
    CHECK(sf_join(room, &results[2]) == 0);
    CHECK(results[2] == (how == 3 ? -SF_EOWNERDEAD : 0));
    CHECK(settle() == 0);
    CHECK(canceled == 8 && ended == 8);
  }
  return 0;
}

/* Nothing but the group on the stack, and so at its very top. */
static int32_t careless_task(void *count) {
  struct sf_group own;
  sf_group_init(&own, 0, SF_GROUP_FAIL_FAST);
  for (int32_t i = 0; i < (int32_t)count; i++)
    if (sf_group_spawn(&own, sleep_task, (void *)50000, NULL, NULL) != 0) return -1;
  return sf_sleep(5 * MS);
}

LAW(a_group_that_nobody_waited_for)(void) {
  start(0, 0);
  for (int32_t round = 1; round <= 5; round++) {
    sf_task_t owner;
    int32_t result;
    CHECK(sf_spawn(careless_task, (void *)10, NULL, &owner) == 0);
    CHECK(sf_join(owner, &result) == 0 && result == 0);
    CHECK(settle() == 0);
    CHECK(canceled == 10 * round && ended == canceled);
  }
  return 0;
}

/* The first member is another task's doing: the group goes with the stack it lies on nevertheless. */
static int32_t lend_task(void *unused) {
  (void)unused;
  struct sf_group own;
  sf_group_init(&own, 0, 0);
  lent = &own;
  sf_sleep(5 * MS);
  __builtin_trap();
}

LAW(a_lent_group_goes_with_its_stack)(void) {
  sf_task_t owner;
  start(0, 0);
  CHECK(sf_spawn(lend_task, NULL, NULL, &owner) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_group_spawn(lent, sleep_task, (void *)50000, NULL, NULL) == 0);
  CHECK(sf_join(owner, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(settle() == 0);
  CHECK(canceled == 3);
  return 0;
}

/* scopes.c - laws of timeout scopes. */
#include "virtual.h"

static int32_t sleep_task(void *ms) { return sf_sleep((uint32_t)ms * MS); }
static int32_t cancel_task(void *target) {
  sf_sleep(10 * MS);
  return sf_cancel(*(sf_task_t *)target);
}

/* ── One scope ─────────────────────────────────────────────────────────────────────────────────── */

LAW(a_scope_ends_a_wait)(void) {
  struct sf_timeout scope;
  uint64_t start = sf_monotonic_ns();
  sf_timeout_begin(&scope, sf_after(20 * MS));
  CHECK(sf_sleep(5 * MS) == 0);
  CHECK(!sf_timeout_expired(&scope));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_timeout_expired(&scope));
  CHECK(sf_monotonic_ns() - start >= 20 * MS && sf_monotonic_ns() - start < 22 * MS);
  /* At most once. */
  CHECK(sf_sleep(50 * MS) == 0);
  CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ETIMEDOUT);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(a_scope_that_ends_in_time_does_nothing)(void) {
  struct sf_timeout scope;
  for (int32_t i = 0; i < 3; i++) {
    sf_timeout_begin(&scope, sf_after(20 * MS));
    CHECK(sf_timeout_end(&scope, sf_sleep(5 * MS)) == 0);
    CHECK(!sf_timeout_expired(&scope));
    CHECK(sf_sleep(100 * MS) == 0);
  }
  sf_timeout_begin(&scope, sf_after(20 * MS));
  CHECK(sf_timeout_end(&scope, 17) == 17);
  sf_timeout_begin(&scope, SF_NEVER);
  CHECK(sf_timeout_end(&scope, sf_sleep(LONG)) == 0);
  sf_timeout_begin(&scope, sf_at(UINT64_MAX - 1));
  CHECK(sf_timeout_end(&scope, sf_sleep(LONG)) == 0);
  sf_timeout_begin(&scope, sf_after(UINT64_MAX));
  CHECK(sf_timeout_end(&scope, sf_sleep(LONG)) == 0);
  return 0;
}

/* Other results pass unchanged, also when the time was up. */
LAW(results_pass_through)(void) {
  struct sf_timeout scope;
  static const int32_t results[] = {0, 5, -SF_EPIPE, -SF_ETIMEDOUT};
  for (uint32_t i = 0; i < 4; i++) {
    sf_timeout_begin(&scope, sf_after(5 * MS));
    CHECK(sf_sleep(LONG) == -SF_ECANCELED);
    CHECK(sf_timeout_end(&scope, results[i]) == results[i]);
    sf_timeout_begin(&scope, sf_after(LONG));
    CHECK(sf_timeout_end(&scope, results[i]) == results[i]);
  }
  /* An -ECANCELED that is not the scope's. */
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ECANCELED);
  return 0;
}

LAW(no_time_at_all)(void) {
  struct sf_timeout scope;
  int32_t buffer[1], item = 1;
  struct sf_channel channel;
  CHECK(sf_channel_init(&channel, buffer, 1, 4) == 0);
  for (int32_t how = 0; how < 2; how++) {
    sf_timeout_t none = how == 0 ? sf_after(0) : sf_at(sf_monotonic_ns());
    sf_timeout_begin(&scope, none);
    CHECK(sf_checkpoint() == -SF_ECANCELED);
    CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ETIMEDOUT);
    /* What need not wait is done. */
    CHECK(sf_channel_send_timeout(&channel, &item, none) == 0);
    CHECK(sf_channel_send_timeout(&channel, &item, none) == -SF_ETIMEDOUT);
    CHECK(sf_channel_receive_timeout(&channel, &item, none) == 0);
    CHECK(sf_channel_receive_timeout(&channel, &item, none) == -SF_ETIMEDOUT);
    CHECK(sf_checkpoint() == 0);
  }
  return 0;
}

/* The time was up, but nobody noticed: it goes with the scope. */
LAW(an_unnoticed_timeout_is_taken_back)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(LONG));
  sf_timeout_begin(&inner, sf_after(5 * MS));
  sf_shield_begin();
  CHECK(sf_sleep(50 * MS) == 0);
  sf_shield_end();
  CHECK(!sf_timeout_expired(&inner));
  CHECK(sf_timeout_end(&inner, 0) == 0);
  CHECK(sf_checkpoint() == 0 && sf_sleep(5 * MS) == 0);
  CHECK(sf_timeout_end(&outer, 0) == 0);
  CHECK(sf_sleep(5 * MS) == 0);
  return 0;
}

LAW(expiry_in_a_shield_waits)(void) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(5 * MS));
  sf_shield_begin();
  sf_shield_begin();
  CHECK(sf_sleep(50 * MS) == 0);
  sf_shield_end();
  CHECK(sf_sleep(50 * MS) == 0);
  sf_shield_end();
  CHECK(!sf_timeout_expired(&scope));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_timeout_expired(&scope));
  CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ETIMEDOUT);
  return 0;
}

LAW(a_time_can_be_set_anew)(void) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(10 * MS));
  for (int32_t i = 0; i < 5; i++) {
    CHECK(sf_sleep(8 * MS) == 0);
    sf_timeout_set(&scope, sf_after(10 * MS));
  }
  sf_timeout_set(&scope, SF_NEVER);
  CHECK(sf_sleep(LONG) == 0);
  sf_timeout_set(&scope, sf_after(3 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_timeout_expired(&scope));
  /* Again, after it was noticed; and taken back before it is. */
  sf_timeout_set(&scope, sf_after(3 * MS));
  CHECK(!sf_timeout_expired(&scope));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  sf_timeout_set(&scope, sf_after(3 * MS));
  sf_shield_begin();
  CHECK(sf_sleep(10 * MS) == 0);
  sf_shield_end();
  sf_timeout_set(&scope, sf_after(LONG));
  CHECK(sf_sleep(10 * MS) == 0);
  CHECK(sf_timeout_end(&scope, 0) == 0);
  sf_timeout_set(&scope, sf_after(0));
  CHECK(sf_checkpoint() == 0);
  return 0;
}

/* ── Nested ────────────────────────────────────────────────────────────────────────────────────── */

LAW(the_inner_one_first)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(50 * MS));
  sf_timeout_begin(&inner, sf_after(5 * MS));
  CHECK(sf_timeout_end(&inner, sf_sleep(LONG)) == -SF_ETIMEDOUT);
  CHECK(!sf_timeout_expired(&outer));
  CHECK(sf_timeout_end(&outer, sf_sleep(LONG)) == -SF_ETIMEDOUT);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(the_outer_one_first)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(5 * MS));
  sf_timeout_begin(&inner, sf_after(50 * MS));
  int32_t result = sf_timeout_end(&inner, sf_sleep(LONG));
  CHECK(result == -SF_ECANCELED && !sf_timeout_expired(&inner));
  CHECK(sf_timeout_end(&outer, result) == -SF_ETIMEDOUT);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

/* Both at once: the outer one is meant, and the inner one is taken back. */
LAW(both_at_once)(void) {
  struct sf_timeout outer, inner;
  uint64_t at = sf_monotonic_ns() + 5 * MS;
  sf_timeout_begin(&outer, sf_at(at));
  sf_timeout_begin(&inner, sf_at(at));
  sf_shield_begin();
  CHECK(sf_sleep(20 * MS) == 0);
  sf_shield_end();
  int32_t result = sf_timeout_end(&inner, sf_sleep(LONG));
  CHECK(result == -SF_ECANCELED);
  CHECK(sf_timeout_end(&outer, result) == -SF_ETIMEDOUT);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(earliest_of_many)(void) {
  struct sf_timeout scopes[20];
  for (int32_t i = 0; i < 20; i++)
    sf_timeout_begin(&scopes[i], sf_after((uint64_t)(10 + (i * 7 + 3) % 20) * MS));
  /* Those that are out of time one after the other, from 10 ms to 29 ms. */
  for (int32_t i = 0; i < 20; i++) CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_sleep(LONG) == 0);
  for (int32_t i = 19; i >= 0; i--) {
    CHECK(sf_timeout_expired(&scopes[i]));
    CHECK(sf_timeout_end(&scopes[i], 0) == 0);
  }
  return 0;
}

/* Scopes may end in any order; the others go on. */
LAW(ended_in_any_order)(void) {
  struct sf_timeout scopes[3];
  static const int32_t orders[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}};
  for (uint32_t i = 0; i < 4; i++) {
    for (int32_t j = 0; j < 3; j++) sf_timeout_begin(&scopes[j], sf_after(5 * MS));
    CHECK(sf_sleep(MS) == 0);
    CHECK(sf_timeout_end(&scopes[orders[i][0]], 0) == 0);
    CHECK(sf_timeout_end(&scopes[orders[i][1]], 0) == 0);
    CHECK(sf_timeout_end(&scopes[orders[i][2]], sf_sleep(LONG)) == -SF_ETIMEDOUT);
    CHECK(sf_sleep(20 * MS) == 0);
    CHECK(sf_timeout_end(&scopes[1], -SF_ECANCELED) == -SF_ECANCELED);
  }
  return 0;
}

/* Begun again without an end: as if it had been ended. */
LAW(begun_again)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(5 * MS));
  sf_timeout_begin(&inner, sf_after(6 * MS));
  CHECK(sf_sleep(MS) == 0);
  sf_timeout_begin(&outer, sf_after(30 * MS));
  sf_timeout_begin(&outer, sf_after(40 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(!sf_timeout_expired(&outer) && sf_timeout_expired(&inner));
  CHECK(sf_timeout_end(&outer, sf_sleep(LONG)) == -SF_ETIMEDOUT);
  CHECK(sf_timeout_end(&inner, 0) == 0);
  CHECK(sf_sleep(LONG) == 0);
  return 0;
}

/* ── User requests ─────────────────────────────────────────────────────────────────────────────── */

static int32_t scoped_line;
static int32_t scoped_sleep_task(void *ms) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after((uint32_t)ms * MS));
  int32_t result = sf_timeout_end(&scope, sf_sleep(LONG));
  scoped_line = sf_checkpoint() == 0 && sf_sleep(MS) == 0 ? 0 : __LINE__;
  return result;
}

LAW(a_user_request_is_the_users)(void) {
  sf_task_t task;
  int32_t result;
  CHECK(sf_spawn(scoped_sleep_task, (void *)50, NULL, &task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(task, &result) == 0 && result == -SF_ECANCELED && scoped_line == 0);
  return 0;
}

/* Both before the task has noticed either. */
static int32_t both_task(void *unused) {
  (void)unused;
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(5 * MS));
  sf_shield_begin();
  CHECK(sf_sleep(30 * MS) == 0);
  sf_shield_end();
  CHECK(sf_timeout_end(&scope, sf_sleep(LONG)) == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(a_user_request_wins)(void) {
  sf_task_t task;
  int32_t line;
  CHECK(sf_spawn(both_task, NULL, NULL, &task) == 0);
  CHECK(sf_sleep(20 * MS) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &line) == 0);
  return line;
}

/* It comes after the timeout was noticed, and before the scope ends. */
LAW(a_later_user_request_wins)(void) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(5 * MS));
  int32_t result = sf_sleep(LONG);
  CHECK(result == -SF_ECANCELED && sf_cancel(sf_self()) == 0);
  CHECK(sf_timeout_end(&scope, result) == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  /* With another result it stays pending. */
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED && sf_cancel(sf_self()) == 0);
  CHECK(sf_timeout_end(&scope, 7) == 7);
  CHECK(sf_checkpoint() == -SF_ECANCELED && sf_checkpoint() == 0);
  return 0;
}

/* ── Around what waits ─────────────────────────────────────────────────────────────────────────── */

/* A join passes the time on to the task that is joined, and its result counts. */
LAW(around_a_join)(void) {
  struct sf_timeout scope;
  sf_task_t task;
  int32_t result = 1;
  CHECK(sf_spawn(sleep_task, (void *)50000, NULL, &task) == 0);
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_join(task, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ETIMEDOUT);
  /* Over before the join. */
  CHECK(sf_spawn(sleep_task, (void *)50000, NULL, &task) == 0);
  sf_timeout_begin(&scope, sf_after(0));
  CHECK(sf_join(task, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_timeout_end(&scope, 0) == 0);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(around_a_group)(void) {
  struct sf_timeout scope;
  struct sf_group group;
  int32_t results[3];
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_group_spawn(&group, sleep_task, (void *)50000, NULL, &results[i]) == 0);
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, sf_group_wait(&group)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 3; i++) CHECK(results[i] == -SF_ECANCELED);
  CHECK(sf_group_count(&group) == 0);
  return 0;
}

static struct sf_group shared_group;
static int32_t slow_end_task(void *unused) {
  (void)unused;
  int32_t first = sf_sleep(LONG);
  sf_shield_begin();
  sf_sleep(50 * MS);
  sf_shield_end();
  return first == -SF_ECANCELED ? 0 : __LINE__;
}
static int32_t scoped_group_task(void *ms) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after((uint32_t)ms * MS));
  int32_t result = sf_timeout_end(&scope, sf_group_wait(&shared_group));
  scoped_line = sf_checkpoint() == 0 ? 0 : __LINE__;
  return result;
}

/* While the canceled members take their time: a request after the timeout, or before it. The user's
 * wins either way. */
LAW(a_user_request_while_a_group_ends)(int32_t timeout_ms) {
  sf_task_t task;
  int32_t result;
  sf_group_init(&shared_group, 0, 0);
  CHECK(sf_group_spawn(&shared_group, slow_end_task, NULL, NULL, NULL) == 0);
  CHECK(sf_spawn(scoped_group_task, (void *)timeout_ms, NULL, &task) == 0);
  CHECK(sf_sleep(20 * MS) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &result) == 0);
  CHECK(result == -SF_ECANCELED);
  return scoped_line;
}

LAW(around_a_select)(void) {
  struct sf_timeout scope;
  struct sf_event event = {0};
  struct sf_arm arms[2] = {sf_on_event(&event), sf_on_timeout(sf_after(LONG))};
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, sf_select(arms, 2)) == -SF_ETIMEDOUT);
  struct sf_arm again[2] = {sf_on_event(&event), sf_on_timeout(sf_after(5 * MS))};
  sf_timeout_begin(&scope, sf_after(LONG));
  CHECK(sf_timeout_end(&scope, sf_select(again, 2)) == 1);
  CHECK(sf_select_timeout(NULL, 0, sf_after(5 * MS)) == -SF_ETIMEDOUT);
  return 0;
}

static struct sf_mutex mutex;
static int32_t hold_mutex_task(void *unused) {
  (void)unused;
  if (sf_mutex_lock(&mutex) < 0) return -1;
  sf_sleep(30 * MS);
  return sf_mutex_unlock(&mutex);
}

/* The time is up while it waits for the condition, and then for the mutex. */
LAW(around_a_condition)(void) {
  struct sf_condition condition = {0};
  struct sf_timeout scope;
  sf_mutex_init(&mutex);
  CHECK(sf_mutex_lock(&mutex) == 0);
  sf_task_t holder;
  CHECK(sf_spawn(hold_mutex_task, NULL, NULL, &holder) == 0);
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_timeout_end(&scope, sf_condition_wait(&condition, &mutex)) == -SF_ETIMEDOUT);
  CHECK(sf_task_poll(holder, NULL) == 0 || sf_mutex_try_lock(&mutex) == -SF_EDEADLK);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_join(holder, NULL) == 0);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

static struct sf_address bound;
static int32_t open_listener(void) {
  struct sf_address address;
  CHECK(sf_address_parse("127.0.0.1", 9, 0, &address) == 0);
  int32_t listener = sf_tcp_listen(&address, 8);
  if (listener >= 0) sf_local_address(listener, &bound);
  return listener;
}

LAW(around_an_operation)(void) {
  struct sf_timeout scope;
  int32_t listener = open_listener();
  CHECK(listener >= 0);
  CHECK(sf_tcp_accept_timeout(listener, NULL, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_tcp_accept_timeout(listener, NULL, sf_after(5 * MS)) == -SF_ETIMEDOUT);
  /* Of two scopes the outer one. */
  sf_timeout_begin(&scope, sf_after(5 * MS));
  CHECK(sf_tcp_accept_timeout(listener, NULL, sf_after(LONG)) == -SF_ECANCELED);
  CHECK(sf_timeout_end(&scope, -SF_ECANCELED) == -SF_ETIMEDOUT);
  /* A user's request. */
  sf_task_t self = sf_self(), canceler;
  CHECK(sf_spawn(cancel_task, &self, NULL, &canceler) == 0);
  CHECK(sf_tcp_accept_timeout(listener, NULL, sf_after(LONG)) == -SF_ECANCELED);
  CHECK(sf_join(canceler, NULL) == 0);
  CHECK(sf_checkpoint() == 0);
  CHECK(sf_close(listener) == 0);
  return 0;
}

/* ── Owners ────────────────────────────────────────────────────────────────────────────────────── */

/* Leaves its scope open. `how`: 0 returns, 1 traps, 2 returns with the time armed, 3 traps so. */
static struct sf_timeout abandoned[2];
static int32_t abandon_task(void *how) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(5 * MS));
  sf_timeout_begin(&abandoned[0], sf_after(6 * MS));
  if ((int32_t)how & 2) sf_sleep(MS);
  if ((int32_t)how & 1) __builtin_trap();
  return 0;
}

LAW(an_open_scope_ends_with_its_task)(int32_t how) {
  for (int32_t round = 0; round < 10; round++) {
    sf_task_t task, next;
    CHECK(sf_spawn(abandon_task, (void *)how, NULL, &task) == 0);
    CHECK(sf_join(task, NULL) == (how & 1 ? -SF_ENOTRECOVERABLE : 0));
    /* Whoever has its region next is not concerned. */
    CHECK(sf_spawn(sleep_task, (void *)50, NULL, &next) == 0);
    CHECK((uint32_t)next == (uint32_t)task);
    int32_t result;
    CHECK(sf_join(next, &result) == 0 && result == 0);
  }
  return 0;
}

static int32_t end_for_others_task(void *unused) {
  (void)unused;
  CHECK(sf_timeout_end(&abandoned[1], -SF_ECANCELED) == -SF_ECANCELED);
  sf_timeout_set(&abandoned[1], SF_NEVER);
  return 0;
}

/* Another task can neither end it nor set it. */
LAW(a_scope_is_its_tasks_own)(void) {
  sf_task_t task;
  int32_t line;
  sf_timeout_begin(&abandoned[1], sf_after(5 * MS));
  CHECK(sf_spawn(end_for_others_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, &line) == 0);
  if (line != 0) return line;
  CHECK(sf_timeout_end(&abandoned[1], sf_sleep(LONG)) == -SF_ETIMEDOUT);
  return 0;
}

static int32_t leave_expired_task(void *unused) {
  (void)unused;
  sf_timeout_begin(&abandoned[1], sf_after(5 * MS));
  return sf_sleep(LONG);
}
static int32_t end_as_heir_task(void *unused) {
  (void)unused;
  sf_timeout_set(&abandoned[1], sf_after(MS));
  CHECK(sf_sleep(10 * MS) == 0);
  CHECK(sf_timeout_end(&abandoned[1], -SF_ECANCELED) == -SF_ECANCELED);
  return 0;
}

/* Nor can the task that has the region of its task next. */
LAW(a_scope_has_no_heirs)(void) {
  sf_task_t task, heir;
  int32_t result;
  CHECK(sf_spawn(leave_expired_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_spawn(end_as_heir_task, NULL, NULL, &heir) == 0);
  CHECK((uint32_t)heir == (uint32_t)task);
  CHECK(sf_join(heir, &result) == 0);
  return result;
}

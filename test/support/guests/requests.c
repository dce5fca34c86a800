/* requests.c - laws of shields, checkpoints, requests taken back, and task-locals. */
#include "virtual.h"

/* ── Shields ───────────────────────────────────────────────────────────────────────────────────── */

static int32_t shield_task(void *depth) {
  for (int32_t i = 0; i < (int32_t)depth; i++) sf_shield_begin();
  for (int32_t i = 0; i < (int32_t)depth; i++) {
    CHECK(sf_checkpoint() == 0);
    CHECK(sf_sleep(10 * MS) == 0);
    CHECK(sf_yield() == 0 && sf_maybe_yield() == 0);
    sf_shield_end();
  }
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(a_shield_keeps_the_request)(int32_t depth) {
  sf_task_t task;
  int32_t line;
  CHECK(sf_spawn(shield_task, (void *)depth, NULL, &task) == 0);
  CHECK(settle() == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &line) == 0);
  return line;
}

static int32_t parked_line;
static int32_t park_shielded_task(void *unused) {
  (void)unused;
  sf_shield_begin();
  int32_t error = sf_park();
  sf_shield_end();
  CHECK(error == 0);
  CHECK(sf_park() == -SF_ECANCELED);
  parked_line = 0;
  return 0;
}

LAW(a_shielded_wait_goes_on)(void) {
  sf_task_t task;
  parked_line = -1;
  CHECK(sf_spawn(park_shielded_task, NULL, NULL, &task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(settle() == 0);
  CHECK(sf_task_poll(task, NULL) == -SF_EAGAIN);
  CHECK(sf_unpark(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  return parked_line;
}

static int32_t many_shields_task(void *count) {
  for (int32_t i = 0; i < (int32_t)count; i++) sf_shield_begin();
  for (int32_t i = 0; i < (int32_t)count; i++) sf_shield_end();
  sf_shield_end(); /* one too many does nothing */
  sf_cancel(sf_self());
  return sf_checkpoint();
}

LAW(shields_nest_255_deep)(void) {
  sf_task_t task;
  int32_t result;
  CHECK(sf_spawn(many_shields_task, (void *)255, NULL, &task) == 0);
  CHECK(sf_join(task, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_spawn(many_shields_task, (void *)256, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  return 0;
}

/* A shielded joiner passes nothing on. */
static int32_t sleep_task(void *ms) { return sf_sleep((uint32_t)ms * MS); }
static int32_t shielded_join_task(void *target) {
  int32_t result = 1;
  sf_shield_begin();
  int32_t error = sf_join(*(sf_task_t *)target, &result);
  sf_shield_end();
  CHECK(error == 0 && result == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(a_shielded_join_passes_nothing_on)(int32_t before) {
  sf_task_t target, joiner;
  int32_t line;
  CHECK(sf_spawn(sleep_task, (void *)50, NULL, &target) == 0);
  CHECK(sf_spawn(shielded_join_task, &target, NULL, &joiner) == 0);
  if (!before) CHECK(settle() == 0);
  CHECK(sf_cancel(joiner) == 0);
  CHECK(sf_join(joiner, &line) == 0);
  return line;
}

/* ── Checkpoints and requests taken back ───────────────────────────────────────────────────────── */

static int32_t ran;
static int32_t ran_task(void *unused) {
  (void)unused;
  ran = 1;
  return 0;
}

LAW(a_checkpoint_never_parks)(void) {
  ran = 0;
  CHECK(sf_spawn(ran_task, NULL, NULL, NULL) == 0);
  for (int32_t i = 0; i < 1000; i++) CHECK(sf_checkpoint() == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED && sf_checkpoint() == 0);
  CHECK(ran == 0);
  CHECK(settle() == 0);
  CHECK(ran == 1);
  return 0;
}

LAW(recancel_gives_it_once_more)(void) {
  for (int32_t i = 0; i < 3; i++) {
    CHECK(sf_cancel(sf_self()) == 0);
    CHECK(sf_sleep(LONG) == -SF_ECANCELED);
    CHECK(sf_sleep(MS) == 0);
    sf_recancel();
    CHECK(sf_sleep(LONG) == -SF_ECANCELED);
    CHECK(sf_sleep(MS) == 0);
  }
  /* In a shield it stays pending. */
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  sf_shield_begin();
  sf_recancel();
  CHECK(sf_sleep(MS) == 0);
  sf_shield_end();
  CHECK(sf_checkpoint() == -SF_ECANCELED && sf_checkpoint() == 0);
  return 0;
}

/* Of a timeout: it is attributed to its scope. */
LAW(recancel_of_a_timeout)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(5 * MS));
  sf_timeout_begin(&inner, sf_after(LONG));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  sf_recancel();
  CHECK(sf_timeout_end(&inner, sf_sleep(LONG)) == -SF_ECANCELED);
  CHECK(sf_timeout_end(&outer, -SF_ECANCELED) == -SF_ETIMEDOUT);
  CHECK(sf_checkpoint() == 0);
  /* Taken back and not noticed again: it goes with its scope. */
  sf_timeout_begin(&outer, sf_after(5 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  sf_recancel();
  CHECK(sf_timeout_end(&outer, 3) == 3);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

/* The newest request is taken back, whose ever it is. */
LAW(recancel_after_several)(void) {
  struct sf_timeout outer, inner;
  sf_timeout_begin(&outer, sf_after(5 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  sf_recancel();
  CHECK(sf_timeout_end(&outer, 0) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED && sf_checkpoint() == 0);

  sf_timeout_begin(&outer, sf_after(20 * MS));
  sf_timeout_begin(&inner, sf_after(5 * MS));
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  CHECK(sf_sleep(LONG) == -SF_ECANCELED);
  sf_recancel();
  CHECK(sf_timeout_end(&inner, 0) == 0);
  CHECK(sf_timeout_end(&outer, sf_sleep(LONG)) == -SF_ETIMEDOUT);
  return 0;
}

/* ── Task-locals ───────────────────────────────────────────────────────────────────────────────── */

static const char key, other_key;

static int32_t value_of(const void *of) { return *(int32_t *)sf_local_get(of); }

LAW(local_set_get_clear)(void) {
  struct sf_local local;
  int32_t value = 5;
  CHECK(sf_local_get(&key) == NULL);
  sf_local_set(&local, &key, &value);
  CHECK(sf_local_get(&key) == &value);
  CHECK(sf_local_get(&other_key) == NULL);
  value = 6;
  CHECK(value_of(&key) == 6);
  sf_local_clear(&local);
  CHECK(sf_local_get(&key) == NULL);
  sf_local_clear(&local);
  CHECK(sf_local_get(&key) == NULL);
  sf_local_set(&local, &key, NULL);
  CHECK(sf_local_get(&key) == NULL);
  sf_local_clear(&local);
  return 0;
}

LAW(local_bindings_nest)(void) {
  struct sf_local locals[3], others;
  int32_t values[3] = {0, 1, 2}, other = 9;
  sf_local_set(&others, &other_key, &other);
  for (int32_t i = 0; i < 3; i++) {
    sf_local_set(&locals[i], &key, &values[i]);
    CHECK(value_of(&key) == i && value_of(&other_key) == 9);
  }
  for (int32_t i = 2; i >= 0; i--) {
    CHECK(value_of(&key) == i);
    sf_local_clear(&locals[i]);
  }
  CHECK(sf_local_get(&key) == NULL && value_of(&other_key) == 9);
  return 0;
}

LAW(local_clear_in_any_order)(void) {
  struct sf_local locals[4];
  int32_t values[4] = {0, 1, 2, 3};
  static const int32_t clears[] = {1, 3, 0, 2}, left[] = {3, 2, 2};
  for (int32_t i = 0; i < 4; i++) sf_local_set(&locals[i], &key, &values[i]);
  for (int32_t i = 0; i < 4; i++) {
    sf_local_clear(&locals[clears[i]]);
    if (i < 3) CHECK(value_of(&key) == left[i]);
  }
  CHECK(sf_local_get(&key) == NULL);
  return 0;
}

static int32_t local_task(void *id) {
  struct sf_local local;
  int32_t value = (int32_t)id;
  CHECK(sf_local_get(&key) == NULL);
  sf_local_set(&local, &key, &value);
  for (int32_t i = 0; i < 5; i++) {
    CHECK(sf_sleep(MS) == 0 && sf_yield() == 0);
    CHECK(value_of(&key) == (int32_t)id + i);
    value++;
  }
  return 0; /* what is left goes with the task */
}

LAW(locals_are_each_tasks_own)(void) {
  sf_task_t tasks[20];
  int32_t line, value = -1;
  struct sf_local local;
  sf_local_set(&local, &key, &value);
  for (int32_t round = 0; round < 2; round++) {
    for (int32_t i = 0; i < 20; i++)
      CHECK(sf_spawn(local_task, (void *)(i * 100), NULL, &tasks[i]) == 0);
    for (int32_t i = 0; i < 20; i++) {
      CHECK(sf_join(tasks[i], &line) == 0);
      if (line != 0) return line;
      CHECK(value_of(&key) == -1);
    }
  }
  return 0;
}

/* A binding that is set again moves to the front; it is never there twice. */
LAW(local_set_again)(void) {
  struct sf_local first, second;
  int32_t values[3] = {0, 1, 2};
  sf_local_set(&first, &key, &values[0]);
  sf_local_clear(&first);
  sf_local_set(&first, &other_key, &values[1]);
  CHECK(sf_local_get(&key) == NULL && value_of(&other_key) == 1);
  sf_local_set(&second, &key, &values[2]);
  sf_local_set(&first, &key, &values[0]);
  CHECK(value_of(&key) == 0 && sf_local_get(&other_key) == NULL);
  sf_local_set(&first, &key, &values[1]);
  CHECK(value_of(&key) == 1 && sf_local_get(&other_key) == NULL);
  sf_local_clear(&first);
  CHECK(value_of(&key) == 2);
  sf_local_clear(&second);
  CHECK(sf_local_get(&key) == NULL);
  return 0;
}

static int32_t trap_with_local_task(void *unused) {
  (void)unused;
  struct sf_local local;
  int32_t value = 1;
  sf_local_set(&local, &key, &value);
  sf_yield();
  __builtin_trap();
}
static int32_t unbound_task(void *unused) {
  (void)unused;
  return sf_local_get(&key) == NULL ? 0 : __LINE__;
}

LAW(locals_end_with_a_trap)(void) {
  sf_task_t task;
  int32_t line;
  CHECK(sf_spawn(trap_with_local_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  /* Its region is used again. */
  CHECK(sf_spawn(unbound_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, &line) == 0);
  return line;
}

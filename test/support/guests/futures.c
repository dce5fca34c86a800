/* futures.c - laws of futures, and of what is done once. */
#include "law-tasks.h"

/* ── Future ──────────────────────────────────────────────────────────────────────────────────────── */

struct pair {
  int32_t a, b;
};

static struct sf_future future;
static struct pair future_storage;

static int32_t future_task(void *argument) {
  struct actor *actor = argument;
  struct pair value = {0, 0};
  void *out = actor->amount ? NULL : &value;
  int32_t result = actor->timeout == 0 ? sf_future_wait(&future, out)
                                       : sf_future_wait_timeout(&future, out, actor->timeout);
  note(actor->id);
  if (result == 0 && out != NULL) CHECK(value.a == 3 && value.b == 4);
  if (result != 0) CHECK(value.a == 0);
  return result;
}

LAW(future_is_set_once)(void) {
  static struct actor actors[6];
  struct pair value = {3, 4}, got = {0, 0};
  sf_future_init(&future, &future_storage, sizeof(future_storage));
  CHECK(sf_future_try(&future, &got) == -SF_EAGAIN);
  CHECK(sf_future_wait_timeout(&future, &got, sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 6; i++) {
    actors[i].amount = i == 3;
    actors[i].timeout = i == 2 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, future_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2);
  CHECK(sf_future_set(&future, &value) == 0);
  value.a = 99;
  CHECK(sf_future_set(&future, &value) == -SF_EALREADY);
  sf_future_close(&future); /* No effect. */
  settle();
  CHECK(notes_count == 6 && notes[2] == 1 && notes[3] == 3 && notes[4] == 4 && notes[5] == 5);
  for (int32_t i = 0; i < 6; i++)
    CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : i == 2 ? -SF_ETIMEDOUT : 0);
  for (int32_t i = 0; i < 3; i++) {
    memset(&got, 0, sizeof(got));
    CHECK((i ? sf_future_wait(&future, &got) : sf_future_try(&future, &got)) == 0);
    CHECK(got.a == 3 && got.b == 4);
  }
  CHECK(sf_future_wait_timeout(&future, NULL, sf_after(0)) == 0);
  return 0;
}

LAW(future_closed)(void) {
  static struct actor actors[3];
  struct pair value = {3, 4};
  sf_future_init(&future, &future_storage, sizeof(future_storage));
  for (int32_t i = 0; i < 3; i++) CHECK(act(&actors[i], i, future_task) == 0);
  settle();
  sf_future_close(&future);
  sf_future_close(&future);
  CHECK(sf_future_set(&future, &value) == -SF_EALREADY);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EPIPE);
  CHECK(sf_future_try(&future, &value) == -SF_EPIPE);
  CHECK(sf_future_wait(&future, &value) == -SF_EPIPE);
  /* A value of no bytes is still set once. */
  sf_future_init(&future, NULL, 0);
  CHECK(sf_future_try(&future, NULL) == -SF_EAGAIN);
  CHECK(sf_future_set(&future, NULL) == 0);
  CHECK(sf_future_set(&future, NULL) == -SF_EALREADY);
  CHECK(sf_future_wait(&future, NULL) == 0);
  CHECK(sf_future_wait(&future, &value) == 0);
  CHECK(value.a == 3);
  return 0;
}

/* ── Once ────────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_once once;
static int32_t once_runs, once_inside;

/* Fails as often as *argument says, then succeeds. */
static int32_t once_function(void *failures) {
  if (++once_inside != 1) return -SF_EPROTO;
  once_runs++;
  CHECK(sf_once_begin(&once) == -SF_EDEADLK);
  int32_t error = sf_sleep(SF_SECOND);
  once_inside--;
  if (error < 0) return error;
  return (*(int32_t *)failures)-- > 0 ? -SF_EIO : 5;
}

static int32_t once_failures;

static int32_t once_task(void *argument) {
  struct actor *actor = argument;
  actor->result = sf_once(&once, once_function, &once_failures);
  note(actor->id);
  return actor->result;
}

/* Each failure is its caller's own, and the next in line tries; after a success all have it. */
LAW(once_failure_passes_on)(int32_t failures) {
  static struct actor actors[5];
  once_failures = failures;
  for (int32_t i = 0; i < 5; i++) CHECK(act(&actors[i], i, once_task) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK_JOIN(actors[i].task, i < failures ? -SF_EIO : 0);
  CHECK(once_runs == (failures < 5 ? failures + 1 : 5));
  for (int32_t i = 0; i < 5; i++) CHECK(notes[i] == i);
  int32_t runs = once_runs;
  CHECK(sf_once(&once, once_function, &once_failures) == 0);
  CHECK(once_runs == runs + (failures >= 5));
  CHECK(sf_once_begin(&once) == 0);
  CHECK(sf_once_end(&once, 1) == -SF_EPERM);
  return 0;
}

/* A canceled waiter leaves the line; a canceled runner fails, and the next one runs. */
LAW(once_cancel)(void) {
  static struct actor actors[4];
  for (int32_t i = 0; i < 4; i++) CHECK(act(&actors[i], i, once_task) == 0);
  settle();
  CHECK(sf_once_end(&once, 1) == -SF_EPERM); /* Not the caller's. */
  CHECK(sf_cancel(actors[1].task) == 0);
  settle();
  CHECK(notes_count == 1 && notes[0] == 1);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, -SF_ECANCELED);
  CHECK(once_runs == 2 && notes_count == 2);
  CHECK_JOIN(actors[2].task, 0);
  CHECK_JOIN(actors[3].task, 0);
  CHECK(once_runs == 2);
  return 0;
}

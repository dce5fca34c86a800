/* signal-watch.c - laws of tasks that wait for signals. */
#include "law-tasks.h"

__attribute__((import_module("test"), import_name("raise"))) uint32_t test_raise(uint32_t kind);

static struct sf_signal signals[8];

static int32_t signal_task(void *argument) {
  struct actor *actor = argument;
  int32_t result = actor->timeout == 0
                       ? sf_signal_wait(&signals[actor->amount])
                       : sf_signal_wait_timeout(&signals[actor->amount], actor->timeout);
  note(actor->id);
  return result;
}

LAW(signal_wakes_every_watcher)(void) {
  static struct actor actors[6];
  CHECK(sf_signal_wait(&signals[0]) == -SF_EINVAL); /* It watches nothing. */
  CHECK(sf_signal_watch(&signals[0], 0) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], 8) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], UINT32_MAX) == -SF_EINVAL);
  CHECK(test_raise(SF_SIGNAL_INTERRUPT) == 0); /* Before anybody watches: nobody's. */
  for (int32_t i = 0; i < 4; i++)
    CHECK(sf_signal_watch(&signals[i], i < 3 ? SF_SIGNAL_INTERRUPT : SF_SIGNAL_TERMINATE) == 0);
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 6; i++) {
    actors[i].amount = i < 4 ? i : 0;
    actors[i].timeout = i == 4 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, signal_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[5].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2);
  CHECK(test_raise(SF_SIGNAL_INTERRUPT) == 3);
  settle();
  CHECK(notes_count == 5 && notes[2] == 0 && notes[3] == 1 && notes[4] == 2);
  CHECK(test_raise(SF_SIGNAL_TERMINATE) == 1);
  for (int32_t i = 0; i < 6; i++)
    CHECK_JOIN(actors[i].task, i == 4 ? -SF_ETIMEDOUT : i == 5 ? -SF_ECANCELED : 1);
  CHECK(test_raise(0) == 0 && test_raise(8) == 0 && test_raise(UINT32_MAX) == 0);
  return 0;
}

LAW(signal_coalesces)(void) {
  for (int32_t i = 0; i < 2; i++) CHECK(sf_signal_watch(&signals[i], SF_SIGNAL_USER1) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 5); /* There already: no cancel point. */
  CHECK(sf_signal_wait(&signals[0]) == -SF_ECANCELED);
  CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  CHECK(sf_signal_wait(&signals[1]) == 6);
  /* Raised again before the woken task runs: seen at its next wait. */
  static struct actor actor;
  CHECK(act(&actor, 0, signal_task) == 0);
  settle();
  CHECK(test_raise(SF_SIGNAL_USER1) == 1);
  CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK_JOIN(actor.task, 1);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(1)) == -SF_ETIMEDOUT);
  return 0;
}

/* Leaves what it watches to the test, which looks at sf_shared.signals_watched. */
int32_t EXPORT(signal_watch)(int32_t index, int32_t kind) {
  return sf_signal_watch(&signals[index], (uint32_t)kind);
}
int32_t EXPORT(signal_unwatch)(int32_t index) {
  sf_signal_unwatch(&signals[index]);
  return 0;
}

static int32_t select_signal_task(void *argument) {
  struct actor *actor = argument;
  struct sf_arm arms[] = {sf_on_timeout(SF_NEVER), sf_on_signal(&signals[actor->amount]),
                          sf_on_signal(&signals[actor->amount])};
  int32_t which = sf_select(arms, 3);
  note(actor->id);
  return which < 1 ? -1000 : arms[which].waiter.result;
}

/* Whoever waits for a signal that is no longer watched does not wait for ever, and is in no queue that
 * a later signal walks. */
LAW(signal_unwatch_ends_waits)(void) {
  static struct actor actors[4];
  for (int32_t i = 0; i < 2; i++) CHECK(sf_signal_watch(&signals[i], SF_SIGNAL_HANGUP) == 0);
  for (int32_t i = 0; i < 4; i++) {
    actors[i].amount = i == 3;
    CHECK(act(&actors[i], i, i == 1 ? select_signal_task : signal_task) == 0);
  }
  settle();
  sf_signal_unwatch(&signals[0]);
  sf_signal_unwatch(&signals[0]);
  settle();
  CHECK(notes_count == 3);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EINVAL);
  CHECK(test_raise(SF_SIGNAL_HANGUP) == 1);
  CHECK_JOIN(actors[3].task, 1);
  CHECK(sf_signal_wait(&signals[0]) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], SF_SIGNAL_QUIT) == 0);
  CHECK(test_raise(SF_SIGNAL_QUIT) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  return 0;
}

LAW(signal_select)(void) {
  static struct actor actors[2];
  CHECK(sf_signal_watch(&signals[0], SF_SIGNAL_WINDOW) == 0);
  CHECK(sf_signal_watch(&signals[1], SF_SIGNAL_USER2) == 0);
  CHECK(test_raise(SF_SIGNAL_USER2) == 0);
  struct sf_arm arms[] = {sf_on_signal(&signals[0]), sf_on_signal(&signals[1])};
  CHECK(sf_select(arms, 2) == 1); /* Received already. */
  CHECK(arms[1].waiter.result == 1);
  CHECK(sf_select_try(arms, 2) == -SF_EAGAIN);
  for (int32_t i = 0; i < 2; i++) {
    actors[i].amount = i;
    CHECK(act(&actors[i], i, select_signal_task) == 0);
  }
  settle();
  CHECK(test_raise(SF_SIGNAL_WINDOW) == 1);
  CHECK(test_raise(SF_SIGNAL_USER2) == 1);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(actors[i].task, 1);
  /* The arm that won has seen it. */
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(1)) == -SF_ETIMEDOUT);
  return 0;
}

/* futex.c - laws of futexes. */
#include "law-tasks.h"

static uint32_t words[4096];
static uint32_t *futex_words[8];

static int32_t futex_task(void *argument) {
  struct actor *actor = argument;
  uint32_t *word = futex_words[actor->amount];
  int32_t result = actor->timeout == 0 ? sf_futex_wait(word, 7)
                                       : sf_futex_wait_timeout(word, 7, actor->timeout);
  note(actor->id);
  return result;
}

/* Words that share a queue in the core, as its hash is now, and whatever it is. */
static int32_t colliding_words(int32_t count) {
  int32_t found = 0;
  for (int32_t i = 0; i < 4096 && found < count; i++) {
    uint32_t bucket = (uint32_t)(uintptr_t)&words[i] * 2654435769u >> 24;
    if (bucket == (uint32_t)(uintptr_t)&words[0] * 2654435769u >> 24) futex_words[found++] = &words[i];
  }
  for (int32_t i = 0; i < found; i++) *futex_words[i] = 7;
  return found;
}

LAW(futex_by_address)(int32_t collide) {
  static struct actor actors[12];
  if (collide) {
    CHECK(colliding_words(3) == 3);
  } else {
    for (int32_t i = 0; i < 3; i++) *(futex_words[i] = &words[i]) = 7;
  }
  for (int32_t i = 0; i < 12; i++) {
    actors[i].amount = i % 3;
    CHECK(act(&actors[i], i, futex_task) == 0);
  }
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_futex_wake(futex_words[1], 0) == 0);
  CHECK(sf_futex_wake(futex_words[1], 2) == 2);
  settle();
  CHECK(notes_count == 2 && notes[0] == 1 && notes[1] == 4);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_futex_wake(futex_words[0], 1) == 1);
  settle();
  CHECK(notes_count == 4 && notes[2] == 0 && notes[3] == 3);
  CHECK(sf_futex_wake(futex_words[2], UINT32_MAX) == 4);
  CHECK(sf_futex_wake(futex_words[2], UINT32_MAX) == 0);
  CHECK(sf_futex_wake(futex_words[0], 100) == 2);
  CHECK(sf_futex_wake(futex_words[1], 100) == 2);
  for (int32_t i = 0; i < 12; i++) CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : 0);
  return 0;
}

LAW(futex_edges)(void) {
  static struct actor actors[2];
  *(futex_words[0] = &words[0]) = 7;
  CHECK(sf_futex_wait(&words[0], 8) == -SF_EAGAIN);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_futex_wait(&words[0], 8) == -SF_EAGAIN); /* No cancel point. */
  CHECK(sf_futex_wait(&words[0], 7) == -SF_ECANCELED);
  CHECK(sf_futex_wait_timeout(&words[0], 7, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_futex_wait_timeout(&words[0], 7, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_futex_wake(&words[0], 1) == 0);
  CHECK(sf_futex_wake((uint32_t *)0xfffffffc, 1) == 0); /* Only a name. */
  /* A change of the word alone wakes nobody; woken in time is no timeout. */
  actors[0].timeout = sf_after(2 * SF_SECOND);
  for (int32_t i = 0; i < 2; i++) CHECK(act(&actors[i], i, futex_task) == 0);
  settle();
  words[0] = 8;
  CHECK(sf_sleep(SF_SECOND) == 0);
  CHECK(notes_count == 0);
  CHECK(sf_futex_wake(&words[0], 1) == 1);
  CHECK(sf_sleep(5 * SF_SECOND) == 0);
  CHECK(notes_count == 1);
  CHECK(sf_futex_wake(&words[0], 1) == 1);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(actors[i].task, 0);
  return 0;
}

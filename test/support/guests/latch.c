/* latch.c - laws of latches. */
#include "law-tasks.h"

static struct sf_latch latch;
static uint32_t seed;

static int32_t latch_task(void *argument) {
  struct actor *actor = argument;
  actor->result = actor->timeout == 0 ? sf_latch_wait(&latch)
                                      : sf_latch_wait_timeout(&latch, actor->timeout);
  note(actor->id);
  return actor->result;
}

LAW(latch_opens_at_zero)(void) {
  static struct actor actors[4];
  CHECK(sf_latch_wait(&latch) == 0); /* All zero bytes are a count of 0. */
  sf_latch_init(&latch, 3);
  CHECK(sf_latch_wait_timeout(&latch, sf_after(0)) == -SF_ETIMEDOUT);
  actors[1].timeout = sf_after(SF_SECOND);
  for (int32_t i = 0; i < 4; i++) CHECK(act(&actors[i], i, latch_task) == 0);
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_latch_done(&latch) == 0);
  CHECK(sf_latch_add(&latch, 2) == 0);
  CHECK(sf_latch_add(&latch, -3) == 0);
  CHECK(sf_latch_add(&latch, 0) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2);
  CHECK(sf_latch_add(&latch, -2) == -SF_EINVAL);
  settle();
  CHECK(notes_count == 2);
  CHECK(sf_latch_done(&latch) == 0);
  settle();
  CHECK(notes_count == 4 && notes[2] == 2 && notes[3] == 3);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, -SF_ETIMEDOUT);
  for (int32_t i = 2; i < 4; i++) CHECK_JOIN(actors[i].task, 0);
  CHECK(sf_latch_done(&latch) == -SF_EINVAL);
  CHECK(sf_latch_wait(&latch) == 0);
  return 0;
}

LAW(latch_limits)(void) {
  sf_latch_init(&latch, INT32_MAX);
  CHECK(sf_latch_add(&latch, 1) == -SF_EINVAL);
  CHECK(sf_latch_add(&latch, INT32_MAX) == -SF_EINVAL);
  CHECK(sf_latch_add(&latch, -INT32_MAX) == 0);
  CHECK(sf_latch_wait(&latch) == 0);
  CHECK(sf_latch_add(&latch, INT32_MIN) == -SF_EINVAL);
  CHECK(sf_latch_add(&latch, INT32_MAX) == 0);
  CHECK(sf_latch_wait_timeout(&latch, sf_after(1)) == -SF_ETIMEDOUT);
  /* What it was given at first counts down all the way. */
  sf_latch_init(&latch, UINT32_MAX);
  CHECK(sf_latch_add(&latch, 1) == -SF_EINVAL);
  CHECK(sf_latch_add(&latch, -INT32_MAX) == 0);
  CHECK(sf_latch_add(&latch, -INT32_MAX) == 0);
  CHECK(sf_latch_add(&latch, -2) == -SF_EINVAL);
  CHECK(sf_latch_wait_timeout(&latch, sf_after(1)) == -SF_ETIMEDOUT);
  CHECK(sf_latch_done(&latch) == 0);
  CHECK(sf_latch_wait(&latch) == 0);
  return 0;
}

/* As a wait group: used again and again, and woken tasks may add at once. */
static int32_t work_task(void *unused) {
  (void)unused;
  stagger(&seed);
  note(1);
  return sf_latch_done(&latch);
}

LAW(latch_as_wait_group)(int32_t seed_given) {
  seed = (uint32_t)seed_given;
  for (int32_t round = 1; round <= 20; round++) {
    int32_t count = (int32_t)random_next(&seed) % 10;
    notes_count = 0;
    CHECK(sf_latch_add(&latch, count) == 0);
    for (int32_t i = 0; i < count; i++) CHECK(sf_spawn(work_task, NULL, NULL, NULL) == 0);
    CHECK(sf_latch_wait(&latch) == 0);
    CHECK(notes_count == count);
  }
  return 0;
}

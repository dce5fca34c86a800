/* semaphore.c - laws of semaphores. */
#include "law-tasks.h"

static struct sf_semaphore semaphore;
static uint32_t seed;

static int32_t acquire_task(void *argument) {
  struct actor *actor = argument;
  uint32_t permits = (uint32_t)actor->amount;
  actor->result = actor->timeout == 0
                      ? sf_semaphore_acquire(&semaphore, permits)
                      : sf_semaphore_acquire_timeout(&semaphore, permits, actor->timeout);
  if (actor->result == 0) note(actor->id);
  return actor->result;
}

static int32_t acquirers(struct actor *actors, const int32_t *amounts, int32_t count) {
  notes_count = 0;
  for (int32_t i = 0; i < count; i++) {
    actors[i].amount = amounts[i];
    CHECK(act(&actors[i], i, acquire_task) == 0);
  }
  settle();
  return 0;
}

LAW(semaphore_serves_in_order)(void) {
  static struct actor actors[5];
  static const int32_t amounts[5] = {3, 1, 5, 1, 1};
  sf_semaphore_init(&semaphore, 2);
  CHECK(sf_semaphore_permits(&semaphore) == 2);
  CHECK(acquirers(actors, amounts, 5) == 0);
  /* Those behind the first could have theirs, but wait for their turn; also a new one. */
  CHECK(notes_count == 0);
  CHECK(sf_semaphore_try_acquire(&semaphore, 1) == -SF_EAGAIN);
  CHECK(sf_semaphore_acquire_timeout(&semaphore, 1, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  settle();
  CHECK(notes_count == 1 && sf_semaphore_permits(&semaphore) == 0);
  CHECK(sf_semaphore_release(&semaphore, 5) == 0);
  settle();
  CHECK(notes_count == 2 && sf_semaphore_permits(&semaphore) == 4);
  /* One release may serve many. */
  CHECK(sf_semaphore_release(&semaphore, 4) == 0);
  settle();
  CHECK(notes_count == 5 && sf_semaphore_permits(&semaphore) == 1);
  for (int32_t i = 0; i < 5; i++) {
    CHECK(notes[i] == i);
    CHECK_JOIN(actors[i].task, 0);
  }
  return 0;
}

/* Whoever leaves the head of the line lets those behind it through, and takes nothing along. */
LAW(semaphore_head_gives_up)(int32_t by_timeout) {
  static struct actor actors[4];
  static const int32_t amounts[4] = {10, 2, 1, 5};
  sf_semaphore_init(&semaphore, 3);
  actors[0].timeout = by_timeout ? sf_after(SF_SECOND) : 0;
  CHECK(acquirers(actors, amounts, 4) == 0);
  CHECK(notes_count == 0);
  if (by_timeout)
    CHECK(sf_sleep(2 * SF_SECOND) == 0);
  else
    CHECK(sf_cancel(actors[0].task) == 0);
  settle();
  CHECK(notes_count == 2 && notes[0] == 1 && notes[1] == 2);
  CHECK(sf_semaphore_permits(&semaphore) == 0);
  CHECK(sf_semaphore_release(&semaphore, 5) == 0);
  CHECK_JOIN(actors[0].task, by_timeout ? -SF_ETIMEDOUT : -SF_ECANCELED);
  for (int32_t i = 1; i < 4; i++) CHECK_JOIN(actors[i].task, 0);
  CHECK(sf_semaphore_permits(&semaphore) == 0);
  return 0;
}

/* One in the middle leaves: nobody else is affected. */
LAW(semaphore_middle_gives_up)(void) {
  static struct actor actors[3];
  static const int32_t amounts[3] = {2, 1, 1};
  sf_semaphore_init(&semaphore, 1);
  CHECK(acquirers(actors, amounts, 3) == 0);
  CHECK(sf_cancel(actors[1].task) == 0);
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_semaphore_release(&semaphore, 2) == 0);
  CHECK_JOIN(actors[0].task, 0);
  CHECK_JOIN(actors[1].task, -SF_ECANCELED);
  CHECK_JOIN(actors[2].task, 0);
  return 0;
}

LAW(semaphore_limits)(void) {
  sf_semaphore_init(&semaphore, UINT32_MAX - 1);
  CHECK(sf_semaphore_release(&semaphore, 2) == -SF_EOVERFLOW);
  CHECK(sf_semaphore_permits(&semaphore) == UINT32_MAX - 1);
  CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  CHECK(sf_semaphore_release(&semaphore, 1) == -SF_EOVERFLOW);
  CHECK(sf_semaphore_release(&semaphore, UINT32_MAX) == -SF_EOVERFLOW);
  CHECK(sf_semaphore_release(&semaphore, 0) == 0);
  CHECK(sf_semaphore_acquire(&semaphore, UINT32_MAX) == 0);
  CHECK(sf_semaphore_permits(&semaphore) == 0);
  CHECK(sf_semaphore_try_acquire(&semaphore, 0) == 0);
  CHECK(sf_semaphore_acquire(&semaphore, 0) == 0);
  CHECK(sf_semaphore_try_acquire(&semaphore, 1) == -SF_EAGAIN);
  /* 2 ** 31 + 1 permits wanted must not be taken for a mark of the core's own. */
  static struct actor actor;
  actor.amount = (int32_t)0x80000001u;
  CHECK(act(&actor, 0, acquire_task) == 0);
  settle();
  CHECK(sf_semaphore_release(&semaphore, 0x80000000u) == 0);
  CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  CHECK_JOIN(actor.task, 0);
  return 0;
}

static int32_t acquire_uncancelable_task(void *unused) {
  (void)unused;
  CHECK(sf_semaphore_acquire_uncancelable(&semaphore, 2) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(semaphore_uncancelable)(void) {
  sf_task_t task;
  sf_semaphore_init(&semaphore, 1);
  CHECK(sf_spawn(acquire_uncancelable_task, NULL, NULL, &task) == 0);
  settle();
  CHECK(sf_cancel(task) == 0);
  settle();
  CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  CHECK_JOIN(task, 0);
  return 0;
}

static int32_t semaphore_churn_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    uint32_t permits = random_next(&seed) % 5;
    int32_t result = random_next(&seed) % 3
                         ? sf_semaphore_acquire(&semaphore, permits)
                         : sf_semaphore_acquire_timeout(&semaphore, permits,
                                                        sf_after(random_next(&seed) % 4));
    stagger(&seed);
    if (result == 0) CHECK(sf_semaphore_release(&semaphore, permits) == 0);
    if (random_next(&seed) % 6 == 0) sf_sleep(1);
  }
  return 0;
}

LAW(semaphore_churn)(int32_t tasks_count, int32_t rounds, int32_t seed_given) {
  static sf_task_t tasks[64];
  seed = (uint32_t)seed_given;
  sf_semaphore_init(&semaphore, 4);
  for (int32_t i = 0; i < tasks_count; i++)
    CHECK(sf_spawn(semaphore_churn_task, (void *)rounds, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < tasks_count * rounds; i++) {
    stagger(&seed);
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(sf_semaphore_permits(&semaphore) == 4);
  return 0;
}

/* barrier.c - laws of barriers. */
#include "law-tasks.h"

static struct sf_barrier barrier;
static uint32_t seed;

static int32_t barrier_task(void *argument) {
  struct actor *actor = argument;
  actor->result = actor->timeout == 0 ? sf_barrier_wait(&barrier)
                                      : sf_barrier_wait_timeout(&barrier, actor->timeout);
  note(actor->id);
  return actor->result;
}

/* Each round the last that comes is the leader, and nobody gets on before it came. */
LAW(barrier_rounds)(int32_t parties, int32_t rounds) {
  static struct actor actors[100];
  CHECK(sf_barrier_init(&barrier, (uint32_t)parties) == 0);
  for (int32_t round = 0; round < rounds; round++) {
    notes_count = 0;
    for (int32_t i = 0; i < parties - 1; i++) CHECK(act(&actors[i], i, barrier_task) == 0);
    settle();
    CHECK(notes_count == 0);
    if (round % 2 == 0) {
      CHECK(sf_barrier_wait(&barrier) == 1);
    } else {
      CHECK(act(&actors[parties - 1], parties - 1, barrier_task) == 0);
      CHECK_JOIN(actors[parties - 1].task, 1);
    }
    for (int32_t i = 0; i < parties - 1; i++) CHECK_JOIN(actors[i].task, 0);
  }
  return 0;
}

static int32_t phases[8];
static int32_t phase_task(void *argument) {
  int32_t self = (int32_t)argument;
  for (int32_t phase = 1; phase <= 20; phase++) {
    stagger(&seed);
    phases[self] = phase;
    int32_t result = sf_barrier_wait(&barrier);
    CHECK(result == 0 || result == 1);
    if (result == 1) note(phase);
    for (int32_t i = 0; i < 8; i++) CHECK(phases[i] == phase || phases[i] == phase + 1);
  }
  return 0;
}

/* Tasks that meet again and again: nobody is ever more than one meeting ahead, one leader for each. */
LAW(barrier_keeps_step)(int32_t seed_given) {
  sf_task_t tasks[8];
  seed = (uint32_t)seed_given;
  CHECK(sf_barrier_init(&barrier, 8) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK(sf_spawn(phase_task, (void *)i, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(notes_count == 20);
  for (int32_t i = 0; i < 20; i++) CHECK(notes[i] == i + 1);
  return 0;
}

/* 0: a waiter is canceled; 1: its time is up; 2: canceled before it came; 3: it came without time. */
LAW(barrier_breaks)(int32_t how) {
  static struct actor actors[3];
  CHECK(sf_barrier_init(&barrier, 4) == 0);
  if (how == 1) actors[1].timeout = sf_after(SF_SECOND);
  for (int32_t i = 0; i < (how < 2 ? 3 : 2); i++) CHECK(act(&actors[i], i, barrier_task) == 0);
  settle();
  CHECK(notes_count == 0);
  if (how == 0) CHECK(sf_cancel(actors[1].task) == 0);
  if (how == 1) CHECK(sf_sleep(2 * SF_SECOND) == 0);
  if (how == 2) {
    CHECK(sf_cancel(sf_self()) == 0);
    CHECK(sf_barrier_wait(&barrier) == -SF_ECANCELED);
  }
  if (how == 3) CHECK(sf_barrier_wait_timeout(&barrier, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK_JOIN(actors[0].task, -SF_EPIPE);
  CHECK_JOIN(actors[1].task, how == 0 ? -SF_ECANCELED : how == 1 ? -SF_ETIMEDOUT : -SF_EPIPE);
  if (how < 2) CHECK_JOIN(actors[2].task, -SF_EPIPE);
  /* For good. */
  for (int32_t i = 0; i < 5; i++) CHECK(sf_barrier_wait(&barrier) == -SF_EPIPE);
  CHECK(sf_barrier_init(&barrier, 1) == 0);
  CHECK(sf_barrier_wait(&barrier) == 1);
  return 0;
}

/* It opened before the request came: the wait was not broken, and the request stays. */
static int32_t barrier_then_canceled_task(void *unused) {
  (void)unused;
  CHECK(sf_barrier_wait(&barrier) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(barrier_edges)(void) {
  sf_task_t task;
  CHECK(sf_barrier_init(&barrier, 0) == -SF_EINVAL);
  CHECK(sf_barrier_init(&barrier, 1) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_barrier_wait(&barrier) == 1);
  CHECK(sf_barrier_wait_timeout(&barrier, sf_after(0)) == 1);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(sf_barrier_init(&barrier, 2) == 0);
  CHECK(sf_spawn(barrier_then_canceled_task, NULL, NULL, &task) == 0);
  settle();
  CHECK(sf_barrier_wait(&barrier) == 1);
  CHECK(sf_cancel(task) == 0);
  CHECK_JOIN(task, 0);
  CHECK(sf_barrier_wait_timeout(&barrier, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  return 0;
}

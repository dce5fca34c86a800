/* sync.c - laws of semaphores, barriers, events, timers, notifications and latches. */
#include "law-tasks.h"

static struct sf_semaphore semaphore;
static struct sf_barrier barrier;
static struct sf_event event;
static struct sf_notify notify;
static struct sf_latch latch;

static uint32_t seed;

static void stagger(void) {
  for (uint32_t i = random_next(&seed) % 4; i > 0; i--)
    if (sf_yield() < 0) sf_recancel();
}

/* ── Semaphore ─────────────────────────────────────────────────────────────────────────────────── */

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
    stagger();
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
    stagger();
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(sf_semaphore_permits(&semaphore) == 4);
  return 0;
}

/* ── Barrier ───────────────────────────────────────────────────────────────────────────────────── */

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
    stagger();
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

/* ── Event ─────────────────────────────────────────────────────────────────────────────────────── */

static int32_t event_task(void *argument) {
  struct actor *actor = argument;
  actor->result = actor->timeout == 0 ? sf_event_wait(&event)
                                      : sf_event_wait_timeout(&event, actor->timeout);
  note(actor->id);
  return actor->result;
}

LAW(event_manual)(void) {
  static struct actor actors[4];
  memset(&event, 0, sizeof(event)); /* All zero bytes: manual, not set. */
  CHECK(!sf_event_is_set(&event));
  CHECK(sf_event_wait_timeout(&event, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_event_wait_timeout(&event, sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 4; i++) CHECK(act(&actors[i], i, event_task) == 0);
  settle();
  CHECK(sf_cancel(actors[1].task) == 0);
  sf_event_set(&event);
  sf_event_reset(&event); /* Those who waited then are through. */
  settle();
  CHECK(notes_count == 4 && notes[0] == 1 && notes[1] == 0 && notes[2] == 2 && notes[3] == 3);
  for (int32_t i = 0; i < 4; i++) CHECK_JOIN(actors[i].task, i == 1 ? -SF_ECANCELED : 0);
  sf_event_set(&event);
  sf_event_set(&event);
  CHECK(sf_event_is_set(&event) == 1);
  CHECK(sf_cancel(sf_self()) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_event_wait(&event) == 0);
  CHECK(sf_event_wait_timeout(&event, sf_after(0)) == 0);
  sf_event_reset(&event);
  CHECK(!sf_event_is_set(&event));
  CHECK(sf_event_wait(&event) == -SF_ECANCELED);
  return 0;
}

LAW(event_automatic)(void) {
  static struct actor actors[4];
  sf_event_init(&event, 7);
  sf_event_set(&event);
  sf_event_set(&event);
  CHECK(sf_event_is_set(&event) == 1);
  CHECK(sf_event_wait(&event) == 0);
  CHECK(!sf_event_is_set(&event));
  CHECK(sf_event_wait_timeout(&event, sf_after(1)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 4; i++) CHECK(act(&actors[i], i, event_task) == 0);
  settle();
  /* A canceled waiter does not use a set up. */
  CHECK(sf_cancel(actors[0].task) == 0);
  sf_event_set(&event);
  sf_event_set(&event);
  CHECK(!sf_event_is_set(&event));
  settle();
  CHECK(notes_count == 3 && notes[1] == 1 && notes[2] == 2);
  sf_event_set(&event);
  sf_event_set(&event);
  CHECK(sf_event_is_set(&event));
  for (int32_t i = 0; i < 4; i++) CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : 0);
  sf_event_init(&event, 0);
  CHECK(!sf_event_is_set(&event));
  return 0;
}

/* ── Timer ─────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_timer timer;

LAW(timer_fires_once)(void) {
  uint64_t start = sf_monotonic_ns();
  CHECK(sf_timer_stop(&timer) == 0);
  sf_timer_start(&timer, sf_after(SF_SECOND));
  CHECK(!sf_event_is_set(&timer.event));
  CHECK(sf_event_wait(&timer.event) == 0);
  CHECK(sf_monotonic_ns() == start + SF_SECOND);
  CHECK(sf_timer_stop(&timer) == 0);
  sf_event_reset(&timer.event);
  CHECK(sf_event_wait_timeout(&timer.event, sf_after(9 * SF_SECOND)) == -SF_ETIMEDOUT);
  /* Times that are up already, and one that never is. */
  sf_timer_start(&timer, sf_after(0));
  CHECK(sf_event_is_set(&timer.event));
  sf_timer_start(&timer, sf_at(1));
  CHECK(sf_event_is_set(&timer.event));
  sf_timer_start(&timer, SF_NEVER);
  CHECK(!sf_event_is_set(&timer.event));
  CHECK(sf_event_wait_timeout(&timer.event, sf_after(1000 * SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_timer_stop(&timer) == 0);
  return 0;
}

LAW(timer_restart_and_stop)(void) {
  uint64_t start = sf_monotonic_ns();
  sf_timer_start(&timer, sf_after(SF_SECOND));
  sf_timer_start(&timer, sf_after(3 * SF_SECOND)); /* In the run of its first start. */
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(!sf_event_is_set(&timer.event));
  sf_timer_start(&timer, sf_at(start + 4 * SF_SECOND)); /* When armed. */
  CHECK(sf_sleep_until(start + 3 * SF_SECOND + 1) == 0);
  CHECK(!sf_event_is_set(&timer.event));
  CHECK(sf_event_wait(&timer.event) == 0);
  CHECK(sf_monotonic_ns() == start + 4 * SF_SECOND);
  sf_timer_start(&timer, sf_after(SF_SECOND)); /* A start resets the event. */
  CHECK(!sf_event_is_set(&timer.event));
  CHECK(sf_timer_stop(&timer) == 1);
  CHECK(sf_timer_stop(&timer) == 0);
  sf_timer_start(&timer, sf_after(SF_SECOND));
  CHECK(sf_yield() == 0);
  CHECK(sf_sleep(1) == 0);
  CHECK(sf_timer_stop(&timer) == 1);
  CHECK(sf_sleep(5 * SF_SECOND) == 0);
  CHECK(!sf_event_is_set(&timer.event));
  return 0;
}

/* Of an automatic event: each firing lets one wait return. */
LAW(timer_automatic)(void) {
  sf_event_init(&timer.event, 1);
  for (int32_t i = 0; i < 3; i++) {
    sf_timer_start(&timer, sf_after(SF_SECOND));
    CHECK(sf_event_wait(&timer.event) == 0);
    CHECK(!sf_event_is_set(&timer.event));
  }
  return 0;
}

/* Tasks that end, or trap, with timers running on their stacks: nothing fires into a stack that is
 * somebody else's by then. */
static int32_t leave_timers_task(void *how) {
  struct sf_timer timers[3];
  memset(timers, 0, sizeof(timers));
  sf_timer_start(&timers[0], sf_after(SF_SECOND));
  sf_timer_start(&timers[1], sf_after(2));
  sf_timer_start(&timers[2], SF_NEVER);
  if ((int32_t)how & 1) CHECK(sf_sleep(1) == 0); /* Armed by now. */
  sf_timer_start(&timers[1], sf_after(3));
  if ((int32_t)how & 2) CHECK(sf_event_wait(&timers[1].event) == 0);
  sf_timer_start(&timers[2], sf_after(SF_SECOND));
  if ((int32_t)how & 4) __builtin_trap();
  return 0;
}

static int32_t pattern_task(void *tag) {
  volatile uint8_t bytes[600];
  for (int32_t i = 0; i < 600; i++) bytes[i] = (uint8_t)(i * 7 + (int32_t)tag);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  for (int32_t i = 0; i < 600; i++) CHECK(bytes[i] == (uint8_t)(i * 7 + (int32_t)tag));
  return 0;
}

LAW(timer_on_a_stack_that_ends)(void) {
  sf_task_t tasks[8], patterns[8];
  for (int32_t how = 0; how < 8; how++)
    CHECK(sf_spawn(leave_timers_task, (void *)how, NULL, &tasks[how]) == 0);
  for (int32_t how = 0; how < 8; how++) {
    int32_t result;
    CHECK(sf_join(tasks[how], &result) == (how & 4 ? -SF_ENOTRECOVERABLE : 0));
    if (!(how & 4)) CHECK(result == 0);
  }
  for (int32_t i = 0; i < 8; i++) CHECK(sf_spawn(pattern_task, (void *)i, NULL, &patterns[i]) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK_JOIN(patterns[i], 0);
  return 0;
}

/* ── Notify ────────────────────────────────────────────────────────────────────────────────────── */

static int32_t notify_task(void *argument) {
  struct actor *actor = argument;
  actor->result = actor->timeout == 0 ? sf_notify_wait(&notify)
                                      : sf_notify_wait_timeout(&notify, actor->timeout);
  note(actor->id);
  return actor->result;
}

LAW(notify_wakes_and_forgets)(void) {
  static struct actor actors[8];
  CHECK(sf_notify_one(&notify) == 0);
  CHECK(sf_notify_all(&notify) == 0);
  CHECK(sf_notify_wait_timeout(&notify, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_notify_wait_timeout(&notify, sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 8; i++) {
    actors[i].timeout = i == 2 ? sf_after(SF_SECOND) : i == 3 ? sf_after(100 * SF_SECOND) : 0;
    CHECK(act(&actors[i], i, notify_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2); /* 0 and 2 are gone. */
  CHECK(sf_notify_one(&notify) == 1);
  CHECK(sf_notify_one(&notify) == 1);
  settle();
  CHECK(notes_count == 4 && notes[2] == 1 && notes[3] == 3);
  CHECK(sf_notify_all(&notify) == 4);
  CHECK(sf_notify_all(&notify) == 0);
  settle();
  for (int32_t i = 4; i < 8; i++) CHECK(notes[i] == i);
  for (int32_t i = 0; i < 8; i++)
    CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : i == 2 ? -SF_ETIMEDOUT : 0);
  return 0;
}

/* ── Latch ─────────────────────────────────────────────────────────────────────────────────────── */

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
  stagger();
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

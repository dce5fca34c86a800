/* events.c - laws of events, of timers, which set them, and of notifications. */
#include "law-tasks.h"

static struct sf_event event;
static struct sf_notify notify;

/* ── Event ───────────────────────────────────────────────────────────────────────────────────────── */

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

/* ── Timer ───────────────────────────────────────────────────────────────────────────────────────── */

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

/* ── Notify ──────────────────────────────────────────────────────────────────────────────────────── */

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

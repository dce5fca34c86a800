/* timers.c - laws of sleep and of the timer heap. */
#include "law.h"

LAW(sleep_is_never_early)(int64_t duration_ns, int64_t spin_ns) {
  for (int32_t round = 0; round < 20; round++) {
    uint64_t spin_until = sf_monotonic_ns() + (uint64_t)spin_ns;
    while (sf_monotonic_ns() < spin_until) {
    }
    uint64_t start = sf_monotonic_ns();
    CHECK(sf_sleep((uint64_t)duration_ns) == 0);
    CHECK(sf_monotonic_ns() - start >= (uint64_t)duration_ns);
    uint64_t deadline = sf_monotonic_ns() + (uint64_t)duration_ns;
    CHECK(sf_sleep_until(deadline) == 0);
    CHECK(sf_monotonic_ns() >= deadline);
  }
  return 0;
}

static int32_t yields;
static int32_t yield_task(void *unused) {
  (void)unused;
  while (sf_yield() == 0) yields++;
  return 0;
}

LAW(sleep_lets_others_run)(void) {
  sf_task_t task;
  CHECK(sf_spawn(yield_task, NULL, NULL, &task) == 0);
  CHECK(sf_sleep(2 * SF_MILLISECOND) == 0);
  CHECK(yields > 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  return 0;
}

LAW(past_deadlines_return)(void) {
  CHECK(sf_sleep(0) == 0);
  CHECK(sf_sleep_until(0) == 0);
  CHECK(sf_sleep_until(sf_monotonic_ns()) == 0);
  return 0;
}

static int32_t sleep_forever_task(void *how) {
  uint64_t far = how == NULL ? UINT64_MAX : UINT64_MAX - 1;
  return how == (void *)2 ? sf_sleep_until(far) : sf_sleep(far);
}

LAW(the_longest_sleeps)(void) {
  for (int32_t how = 0; how < 3; how++) {
    sf_task_t task;
    int32_t result;
    CHECK(sf_spawn(sleep_forever_task, (void *)how, NULL, &task) == 0);
    CHECK(sf_sleep(SF_MILLISECOND) == 0);
    CHECK(sf_cancel(task) == 0);
    CHECK(sf_join(task, &result) == 0);
    CHECK(result == -SF_ECANCELED);
  }
  return 0;
}

/* ── Many ──────────────────────────────────────────────────────────────────────────────────────── */

#define SLEEPERS_MAX 10000

struct sleeper {
  sf_task_t task;
  uint64_t deadline;
  int32_t result;
  uint8_t armed;
  uint8_t fired;
};

static struct sleeper sleepers[SLEEPERS_MAX];
static uint64_t last_deadline;
static int32_t broken_line;

static int32_t sleep_until_task(void *argument) {
  struct sleeper *sleeper = argument;
  sleeper->result = sf_sleep_until(sleeper->deadline);
  if (sleeper->result != 0) return 0;
  if (sf_monotonic_ns() < sleeper->deadline) broken_line = __LINE__;
  if (sleeper->deadline < last_deadline) broken_line = __LINE__;
  last_deadline = sleeper->deadline;
  return 0;
}

/* All are armed before the first is due, so that they must end in the order of their deadlines. */
LAW(many_timers)(int32_t count, int32_t cancel_every, int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given;
  uint64_t base = sf_monotonic_ns() + 300 * SF_MILLISECOND;
  last_deadline = 0;
  broken_line = 0;
  for (int32_t i = 0; i < count; i++) {
    struct sleeper *sleeper = &sleepers[i];
    sleeper->deadline = base + random_next(&seed) % 50000000;
    CHECK(spawn_small(sleep_until_task, sleeper, &sleeper->task) == 0);
  }
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < count; i++)
    if (i % cancel_every == 0) CHECK(sf_cancel(sleepers[i].task) == 0);
  if (sf_monotonic_ns() >= base) return -1;
  for (int32_t i = 0; i < count; i++) {
    CHECK(sf_join(sleepers[i].task, NULL) == 0);
    CHECK(sleepers[i].result == (i % cancel_every == 0 ? -SF_ECANCELED : 0));
  }
  return broken_line;
}

/* ── A script of arming and canceling ──────────────────────────────────────────────────────────── */

#define SCRIPT_TASKS 24

static uint32_t script[1024]; /* task << 24 | offset in microseconds; offset 0: cancel */

uint32_t *EXPORT(script_address)(void) { return script; }

static int32_t stop;

static int32_t scripted_task(void *argument) {
  struct sleeper *self = argument;
  for (;;) {
    if (sf_park() < 0 || stop) return 0;
    self->armed = 1;
    self->result = sf_sleep_until(self->deadline);
    self->armed = 0;
    if (self->result != 0) continue;
    self->fired = 1;
    if (sf_monotonic_ns() < self->deadline) broken_line = __LINE__;
    for (int32_t i = 0; i < SCRIPT_TASKS; i++)
      if (sleepers[i].armed && sleepers[i].deadline < self->deadline && last_deadline != 0 &&
          sleepers[i].deadline < last_deadline)
        broken_line = __LINE__;
    if (self->deadline < last_deadline) broken_line = __LINE__;
    last_deadline = self->deadline;
  }
}

/* -1: the machine was too slow for the script to be over before the first deadline. */
LAW(timer_script)(int32_t length) {
  uint64_t base = sf_monotonic_ns() + 20 * SF_MILLISECOND;
  uint64_t latest = base;
  last_deadline = 0;
  broken_line = stop = 0;
  for (int32_t i = 0; i < SCRIPT_TASKS; i++) {
    sleepers[i] = (struct sleeper){0};
    CHECK(spawn_small(scripted_task, &sleepers[i], &sleepers[i].task) == 0);
  }
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < length; i++) {
    struct sleeper *sleeper = &sleepers[(script[i] >> 24) % SCRIPT_TASKS];
    uint32_t offset = script[i] & 0xffffff;
    if (offset == 0) {
      if (!sleeper->armed) continue;
      CHECK(sf_cancel(sleeper->task) == 0);
      CHECK(sf_yield() == 0);
      CHECK(!sleeper->armed && sleeper->result == -SF_ECANCELED);
    } else if (!sleeper->armed && !sleeper->fired) {
      sleeper->deadline = base + offset % 4000 * SF_MICROSECOND;
      if (sleeper->deadline > latest) latest = sleeper->deadline;
      CHECK(sf_unpark(sleeper->task) == 0);
      CHECK(sf_yield() == 0);
      if (sf_monotonic_ns() < base) CHECK(sleeper->armed);
    }
  }
  int32_t late = sf_monotonic_ns() >= base;
  CHECK(sf_sleep_until(latest + 1) == 0);
  CHECK(sf_yield() == 0);
  int32_t left = 0;
  for (int32_t i = 0; i < SCRIPT_TASKS; i++) left += sleepers[i].armed;
  stop = 1;
  for (int32_t i = 0; i < SCRIPT_TASKS; i++) {
    CHECK(sf_unpark(sleepers[i].task) == 0);
    CHECK(sf_join(sleepers[i].task, NULL) == 0);
  }
  if (late) return -1;
  CHECK(left == 0);
  return broken_line;
}

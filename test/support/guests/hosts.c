/* hosts.c - what every host must do for a guest: laws of a few lines, one export each. */
#include <stdio.h>
#include "law.h"

__attribute__((import_module("env"), import_name("later"))) int32_t host_later(int32_t value);

/* ── Tasks ─────────────────────────────────────────────────────────────────────────────────────── */

static int32_t park_task(void *unused) {
  (void)unused;
  return sf_park();
}

static int32_t double_task(void *argument) {
  for (int32_t i = 0; i < 3; i++) CHECK(sf_yield() == 0);
  return 2 * (int32_t)argument;
}

LAW(join_all)(void) {
  static sf_task_t tasks[100];
  for (int32_t i = 0; i < 100; i++) CHECK(sf_spawn(double_task, (void *)i, NULL, &tasks[i]) == 0);
  for (int32_t i = 99; i >= 0; i--) CHECK_JOIN(tasks[i], 2 * i);
  CHECK(sf_join(tasks[0], NULL) == -SF_ESRCH);
  return 0;
}

LAW(cancel_parked)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(park_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel_wait(task, &result) == 0);
  CHECK(result == -SF_ECANCELED);
  return 0;
}

LAW(group_ends_members)(void) {
  struct sf_group group;
  sf_group_init(&group, 4, 0);
  for (int32_t i = 0; i < 20; i++) {
    CHECK(sf_group_spawn(&group, double_task, (void *)0, NULL, NULL) == 0);
  }
  CHECK(sf_group_wait(&group) == 0);
  CHECK(sf_group_spawn(&group, park_task, NULL, NULL, NULL) == 0);
  CHECK(sf_group_wait_timeout(&group, sf_after(2 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_group_cancel(&group) == 0);
  CHECK(sf_group_count(&group) == 0);
  return 0;
}

static struct sf_event gate;
static int32_t waiting;

static int32_t gate_task(void *unused) {
  (void)unused;
  waiting++;
  CHECK(sf_event_wait(&gate) == 0);
  waiting--;
  return 0;
}

int32_t EXPORT(start_many)(int32_t count) {
  waiting = 0;
  sf_event_reset(&gate);
  for (int32_t i = 0; i < count; i++) {
    sf_task_t task;
    CHECK(sf_spawn(gate_task, NULL, NULL, &task) == 0);
    CHECK(sf_detach(task) == 0);
  }
  while (waiting < count) CHECK(sf_yield() == 0);
  return 0;
}

LAW(release_many)(void) {
  sf_event_set(&gate);
  while (waiting > 0) CHECK(sf_yield() == 0);
  return 0;
}

/* ── Channels, select, locks ───────────────────────────────────────────────────────────────────── */

static struct sf_channel numbers;

static int32_t send_task(void *argument) {
  int32_t first = (int32_t)argument;
  for (int32_t i = 0; i < 100; i++) {
    int32_t item = first + i;
    CHECK(sf_channel_send(&numbers, &item) == 0);
  }
  return 0;
}

/* Eight senders, a small buffer: each item comes once, each sender's in its order. */
LAW(channel_order)(void) {
  static int32_t buffer[4];
  sf_task_t tasks[8];
  int32_t next[8] = {0}, item;
  CHECK(sf_channel_init(&numbers, buffer, 4, sizeof(int32_t)) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK(sf_spawn(send_task, (void *)(i * 100), NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 800; i++) {
    CHECK(sf_channel_receive(&numbers, &item) == 0);
    CHECK(item % 100 == next[item / 100]++);
  }
  for (int32_t i = 0; i < 8; i++) CHECK_JOIN(tasks[i], 0);
  sf_channel_close(&numbers, 0);
  CHECK(sf_channel_receive(&numbers, &item) == -SF_EPIPE);
  return 0;
}

LAW(select_one)(void) {
  static int32_t buffer[1];
  struct sf_event event;
  int32_t item = 7, taken = 0;
  CHECK(sf_channel_init(&numbers, buffer, 1, sizeof(int32_t)) == 0);
  sf_event_init(&event, 0);
  struct sf_arm late[] = {sf_on_receive(&numbers, &taken), sf_on_event(&event),
                          sf_on_timeout(sf_after(2 * SF_MILLISECOND))};
  CHECK(sf_select(late, 3) == 2);
  CHECK(sf_channel_send(&numbers, &item) == 0);
  struct sf_arm ready[] = {sf_on_event(&event), sf_on_receive(&numbers, &taken)};
  CHECK(sf_select(ready, 2) == 1);
  CHECK(taken == 7);
  sf_event_set(&event);
  struct sf_arm set[] = {sf_on_receive(&numbers, &taken), sf_on_event(&event)};
  CHECK(sf_select_timeout(set, 2, sf_after(LONG)) == 1);
  return 0;
}

static struct sf_mutex mutex;
static struct sf_semaphore semaphore;
static int32_t inside, inside_most, counter;

static int32_t lock_task(void *unused) {
  (void)unused;
  for (int32_t i = 0; i < 10; i++) {
    CHECK(sf_semaphore_acquire(&semaphore, 1) == 0);
    if (++inside > inside_most) inside_most = inside;
    CHECK(sf_mutex_lock(&mutex) == 0);
    int32_t seen = counter;
    CHECK(sf_yield() == 0);
    counter = seen + 1;
    CHECK(sf_mutex_unlock(&mutex) == 0);
    inside--;
    CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  }
  return 0;
}

LAW(locks_exclude)(void) {
  sf_task_t tasks[20];
  inside = inside_most = counter = 0;
  sf_mutex_init(&mutex);
  sf_semaphore_init(&semaphore, 3);
  for (int32_t i = 0; i < 20; i++) CHECK(sf_spawn(lock_task, NULL, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 20; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(counter == 200);
  CHECK(inside_most == 3);
  return 0;
}

/* ── Time ──────────────────────────────────────────────────────────────────────────────────────── */

static int32_t sleep_order[5], slept;

static int32_t sleep_task(void *argument) {
  int32_t place = (int32_t)argument;
  CHECK(sf_sleep((uint64_t)(5 - place) * 10 * SF_MILLISECOND) == 0);
  sleep_order[slept++] = place;
  return 0;
}

LAW(timers_and_deadlines)(void) {
  sf_task_t tasks[5];
  uint64_t begin_ns = sf_monotonic_ns();
  slept = 0;
  for (int32_t i = 0; i < 5; i++) CHECK(sf_spawn(sleep_task, (void *)i, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK_JOIN(tasks[i], 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sleep_order[i] == 4 - i);
  CHECK(sf_monotonic_ns() - begin_ns >= 50 * SF_MILLISECOND);
  CHECK(sf_park_timeout(sf_after(2 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_park_timeout(sf_at(sf_monotonic_ns())) == -SF_ETIMEDOUT);
  return 0;
}

/* ── The embedder ──────────────────────────────────────────────────────────────────────────────── */

static int32_t later_task(void *argument) { return host_later((int32_t)argument); }

LAW(imports_wait)(void) {
  sf_task_t tasks[50];
  for (int32_t i = 0; i < 50; i++) CHECK(sf_spawn(later_task, (void *)i, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 50; i++) CHECK_JOIN(tasks[i], i + 1);
  return 0;
}

/* Adds one to every item until the channel is closed; says how many there were. */
int32_t EXPORT(add_one)(struct sf_channel *from, struct sf_channel *to) {
  int32_t item, count = 0;
  while (sf_channel_receive(from, &item) == 0) {
    item++;
    CHECK(sf_channel_send(to, &item) == 0);
    count++;
  }
  return count;
}

int32_t EXPORT(wait_for_event)(struct sf_event *event) { return sf_event_wait(event); }
int32_t EXPORT(take_permit)(struct sf_semaphore *permits) {
  return sf_semaphore_acquire(permits, 1);
}

/* Waits `depth` calls further down; something is left to do after each. */
NOINLINE static int32_t wait_below(struct sf_event *event, int32_t depth) {
  int32_t result = depth == 0 ? sf_event_wait(event) : wait_below(event, depth - 1) + 1;
  return result < 0 ? result : result + 1;
}
int32_t EXPORT(wait_deep)(struct sf_event *event) { return wait_below(event, 2); }

int32_t EXPORT(trap)(void) {
  sf_yield();
  __builtin_trap();
}

int32_t EXPORT(dig)(int32_t depth) {
  volatile char bytes[256];
  bytes[depth & 255] = 1;
  return depth == 0 ? 0 : dig(depth - 1) + bytes[depth & 255];
}

int32_t EXPORT(say)(int32_t number) {
  printf("one %d\ntwo %d\n", number, number + 1);
  fprintf(stderr, "three %d\n", number + 2);
  return fflush(stdout);
}

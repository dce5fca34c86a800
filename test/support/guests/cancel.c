/* cancel.c - laws of cancel requests. */
#include "law.h"

enum wait { YIELD, SLEEP, SLEEP_UNTIL, PARK, SEND, RECEIVE, ACCEPT };

static struct sf_channel channel;
static int32_t listener;

static int32_t wait_in(enum wait wait) {
  int32_t item = 0;
  switch (wait) {
    case YIELD: return sf_yield();
    case SLEEP: return sf_sleep(1000 * SF_SECOND);
    case SLEEP_UNTIL: return sf_sleep_until(sf_monotonic_ns() + 1000 * SF_SECOND);
    case PARK: return sf_park();
    case SEND: return sf_channel_send(&channel, &item);
    case RECEIVE: return sf_channel_receive(&channel, &item);
    case ACCEPT: return sf_tcp_accept(listener, NULL);
  }
  return 1;
}

static int32_t set_up(enum wait wait) {
  static int32_t buffer[1];
  CHECK(sf_channel_init(&channel, buffer, 1, 4) == 0);
  int32_t item = 0;
  if (wait == SEND) CHECK(sf_channel_send(&channel, &item) == 0);
  if (wait == ACCEPT) {
    struct sf_address address;
    CHECK(sf_address_parse("127.0.0.1", 9, 0, &address) == 0);
    listener = sf_tcp_listen(&address, 8);
    CHECK(listener >= 0);
  }
  return 0;
}

static int32_t tear_down(enum wait wait) {
  if (wait == ACCEPT) CHECK(sf_close(listener) == 0);
  return 0;
}

struct waits {
  enum wait wait;
  int32_t first, second, started;
};

static int32_t waits_task(void *argument) {
  struct waits *waits = argument;
  waits->started = 1;
  waits->first = wait_in(waits->wait);
  waits->second = sf_yield();
  return 0;
}

/* One request, or several before it is noticed, give one -ECANCELED. */
LAW(parked)(int32_t wait, int32_t requests) {
  int32_t line = set_up((enum wait)wait);
  if (line != 0) return line;
  struct waits waits = {.wait = (enum wait)wait};
  sf_task_t task;
  CHECK(sf_spawn(waits_task, &waits, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(waits.started);
  for (int32_t i = 0; i < requests; i++) CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(waits.first == -SF_ECANCELED);
  CHECK(waits.second == 0);
  return tear_down((enum wait)wait);
}

/* The task runs until its first cancel point. */
LAW(before_it_starts)(int32_t wait) {
  int32_t line = set_up((enum wait)wait);
  if (line != 0) return line;
  struct waits waits = {.wait = (enum wait)wait};
  sf_task_t task;
  CHECK(sf_spawn(waits_task, &waits, NULL, &task) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(waits.started);
  CHECK(waits.first == -SF_ECANCELED);
  CHECK(waits.second == 0);
  return tear_down((enum wait)wait);
}

LAW(of_oneself)(void) {
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_yield() == -SF_ECANCELED);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_sleep(1000 * SF_SECOND) == -SF_ECANCELED);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_park() == -SF_ECANCELED);
  return 0;
}

/* What is there already is returned, and the request stays. */
LAW(a_result_comes_first)(void) {
  int32_t buffer[2], item = 5;
  CHECK(sf_channel_init(&channel, buffer, 2, 4) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_channel_send(&channel, &item) == 0);
  CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_unpark(sf_self()) == 0);
  CHECK(sf_park() == 0);
  CHECK(sf_channel_receive(&channel, &item) == -SF_ECANCELED);
  CHECK(sf_yield() == 0);
  return 0;
}

static int32_t receive_result[2];
static int32_t receive_task(void *unused) {
  (void)unused;
  int32_t item;
  receive_result[0] = sf_channel_receive(&channel, &item);
  receive_result[1] = sf_yield();
  return item;
}

/* The receiver was served before the request, but has not run since. */
LAW(served_before_the_request)(void) {
  int32_t item = 9, result;
  sf_task_t task;
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  CHECK(sf_spawn(receive_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_channel_try_send(&channel, &item) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, &result) == 0);
  CHECK(result == 9);
  CHECK(receive_result[0] == 0 && receive_result[1] == -SF_ECANCELED);
  return 0;
}

/* A canceled waiter leaves its queue: the next one is served. */
LAW(the_next_waiter_is_served)(void) {
  int32_t item = 3, result;
  sf_task_t tasks[3];
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(receive_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(tasks[0]) == 0);
  CHECK(sf_cancel(tasks[1]) == 0);
  CHECK(sf_channel_send(&channel, &item) == 0);
  CHECK(sf_join(tasks[2], &result) == 0);
  CHECK(result == 3);
  CHECK(sf_join(tasks[0], NULL) == 0);
  CHECK(sf_join(tasks[1], NULL) == 0);
  return 0;
}

LAW(of_an_ended_task)(void) {
  struct waits waits = {.wait = YIELD};
  sf_task_t task;
  CHECK(sf_spawn(waits_task, &waits, NULL, &task) == 0);
  for (int32_t i = 0; i < 4; i++) CHECK(sf_yield() == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(sf_cancel(task) == -SF_ESRCH);
  return 0;
}

/* ── Join ──────────────────────────────────────────────────────────────────────────────────────── */

struct family {
  sf_task_t child;
  int32_t child_waited, joined, child_result, after, later;
};

static int32_t child_task(void *argument) {
  struct family *family = argument;
  family->child_waited = sf_sleep(1000 * SF_SECOND);
  if (sf_sleep(SF_MILLISECOND) != 0) return -1;
  return 55;
}

static int32_t parent_task(void *argument) {
  struct family *family = argument;
  if (sf_spawn(child_task, family, NULL, &family->child) != 0) return -1;
  family->joined = sf_join(family->child, &family->child_result);
  family->after = sf_yield();
  family->later = sf_yield();
  return 0;
}

/* The request is passed on; the join waits on, gives the child's result, and the parent still learns. */
LAW(a_joiner_passes_it_on)(int32_t before_start) {
  struct family family = {0};
  sf_task_t parent;
  CHECK(sf_spawn(parent_task, &family, NULL, &parent) == 0);
  if (!before_start) CHECK(sf_yield() == 0 && sf_yield() == 0);
  CHECK(sf_cancel(parent) == 0);
  CHECK(sf_join(parent, NULL) == 0);
  CHECK(family.child_waited == -SF_ECANCELED);
  CHECK(family.joined == 0 && family.child_result == 55);
  CHECK(family.after == -SF_ECANCELED);
  CHECK(family.later == 0);
  return 0;
}

static int32_t join_task(void *target) { return sf_join(*(sf_task_t *)target, NULL); }

LAW(down_a_chain_of_joins)(int32_t length) {
  sf_task_t tasks[101];
  struct family family = {0};
  CHECK(sf_spawn(child_task, &family, NULL, &tasks[0]) == 0);
  for (int32_t i = 1; i <= length; i++)
    CHECK(sf_spawn(join_task, &tasks[i - 1], NULL, &tasks[i]) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(tasks[length]) == 0);
  CHECK(sf_join(tasks[length], NULL) == 0);
  CHECK(family.child_waited == -SF_ECANCELED);
  return 0;
}

static sf_task_t circle[3];
static int32_t circle_results[3];
static int32_t circle_task(void *id) {
  int32_t at = (int32_t)id;
  circle_results[at] = sf_join(circle[(at + 1) % 3], NULL);
  return 0;
}

/* A cancel must not go round for ever. */
LAW(round_a_circle_of_joins)(void) {
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(circle_task, (void *)i, NULL, &circle[i]) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(circle[0]) == 0);
  CHECK(sf_cancel(circle[1]) == 0);
  return 0;
}

/* Whatever the order of requests and results: as many -ECANCELED as requests that were noticed. */
static int32_t canceled_times, served_times;
static int32_t count_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    int32_t item, result = sf_channel_receive(&channel, &item);
    if (result == -SF_ECANCELED) canceled_times++;
    else if (result == 0) served_times++;
    else return __LINE__;
  }
  return 0;
}

LAW(as_many_as_requests)(int32_t rounds, int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given;
  int32_t requests = 0, sent = 0, line, item = 0;
  sf_task_t task;
  canceled_times = served_times = 0;
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  CHECK(sf_spawn(count_task, (void *)rounds, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < rounds; i++) {
    if (random_next(&seed) & 1) {
      CHECK(sf_cancel(task) == 0);
      requests++;
    } else {
      CHECK(sf_channel_try_send(&channel, &item) == 0);
      sent++;
    }
    CHECK(sf_yield() == 0);
  }
  CHECK(sf_join(task, &line) == 0);
  if (line != 0) return line;
  CHECK(canceled_times == requests && served_times == sent);
  return 0;
}

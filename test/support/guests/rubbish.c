/* rubbish.c - laws of wild pointers and rubbish: whoever passes them traps, and the others go on. */
#include "virtual.h"

#define WILD ((void *)0xfffffff0u)

static struct sf_channel channel;
static struct sf_notify notify;
static struct sf_semaphore semaphore;
static struct sf_event event;
static struct sf_source source;
static struct sf_group group;
static int32_t got;

static int32_t never_ready(struct sf_source *self, void *item) {
  (void)self;
  (void)item;
  return -SF_EAGAIN;
}
static int32_t return_task(void *value) { return (int32_t)value; }
static int32_t sleep_task(void *ms) { return sf_sleep((uint32_t)ms * MS); }

/* Waits for good things and for one that is not. */
static int32_t select_with(struct sf_arm bad) {
  struct sf_arm arms[] = {sf_on_receive(&channel, &got), sf_on_notify(&notify),
                          sf_on_semaphore(&semaphore, 5), sf_on_event(&event),
                          sf_on_timeout(sf_after(LONG)), bad, sf_on_source(&source, &got)};
  return sf_select(arms, 7);
}

/* The last bytes of memory: as much of a struct as fits there. */
static uint32_t memory_end;
static void *at_the_end(uint32_t bytes) { return (void *)(memory_end - bytes); }

/* `count` words of what is no address. */
static void *rubbish(uint32_t zero_from, uint32_t zero_bytes) {
  static uint8_t bytes[256];
  memset(bytes, 0xee, sizeof(bytes));
  memset(bytes + zero_from, 0, zero_bytes);
  return bytes;
}

static int32_t wild_task(void *kind) {
  uint32_t turn = 0;
  sf_task_t task;
  struct sf_local local;
  switch ((int32_t)kind) {
    case 0: sf_timeout_begin(WILD, sf_after(MS)); return sf_sleep(MS);
    case 1: return sf_timeout_end(WILD, 0);
    case 2: sf_timeout_set(WILD, 0); return 0;
    case 3: return sf_timeout_expired(WILD);
    case 4: return sf_group_spawn(WILD, return_task, NULL, NULL, NULL);
    case 5: return sf_group_wait(WILD);
    case 6: return sf_group_cancel(WILD);
    case 7: return sf_group_room(WILD);
    case 8: sf_group_cancel_request(WILD); return 0;
    case 9: return sf_group_spawn(&group, return_task, NULL, NULL, WILD);
    case 10: return sf_group_spawn(&group, return_task, NULL, WILD, NULL);
    case 11: return sf_select(WILD, 3);
    case 12: return sf_select_try(WILD, 1);
    case 13: return sf_select_fair(NULL, 0, WILD);
    case 14: return select_with(sf_on_receive(WILD, &got));
    case 15: return select_with(sf_on_receive(&channel, WILD));
    case 16: return select_with(sf_on_event(WILD));
    case 17: return select_with(sf_on_semaphore(WILD, 1));
    case 18: return select_with(sf_on_group(WILD));
    case 19: return select_with(sf_on_notify(WILD));
    case 20: return select_with(sf_on_source(WILD, &got));
    case 21:
      if (sf_spawn(sleep_task, (void *)20, NULL, &task) < 0) return -1;
      sf_detach(task);
      return select_with(sf_on_task(task, WILD));
    case 22: return select_with(sf_on_watch(WILD, WILD, NULL));
    case 23: return select_with(sf_on_broadcast(WILD, WILD, NULL));
    case 24: return select_with(sf_on_signal(WILD));
    case 25: return select_with(sf_on_operation(WILD));
    case 26: return select_with(sf_on_latch(WILD));
    case 27: return select_with(sf_on_future(WILD, NULL));
    case 28: return (int32_t)sf_source_notify(WILD);
    case 29: sf_local_set(WILD, &got, NULL); return 0;
    case 30: return sf_spawn_wait(return_task, NULL, WILD, NULL);
    case 31: return sf_task_poll(0, WILD) == -SF_ESRCH ? sf_spawn(return_task, NULL, NULL, WILD) : 0;
    /* What is at the end of memory, and goes on past it. */
    case 32: return select_with(sf_on_receive(at_the_end(32), &got));
    case 33: return select_with(sf_on_semaphore(at_the_end(4), 5));
    case 34: return select_with(sf_on_group(at_the_end(24)));
    case 35: return sf_select(at_the_end(32), 1);
    case 36: sf_timeout_begin(at_the_end(32), sf_after(MS)); return sf_sleep(LONG);
    case 37: sf_local_set(at_the_end(8), &got, NULL); return 0;
    /* Rubbish in memory. */
    case 38: return select_with(sf_on_notify(rubbish(0, 0)));
    case 39: return select_with(sf_on_semaphore(rubbish(0, 4), 5));
    case 40: return select_with(sf_on_event(rubbish(8, 1)));
    case 41: return select_with(sf_on_group(rubbish(0, 0)));
    case 42: return sf_group_spawn(rubbish(62, 2), return_task, NULL, NULL, NULL);
    case 43: return sf_group_wait(rubbish(0, 0));
    case 44: return sf_group_cancel(rubbish(0, 0));
    case 45: sf_group_cancel_request(rubbish(0, 0)); return 0;
    case 46: return sf_group_room(rubbish(28, 4)) == 0 ? sf_group_room(rubbish(0, 0)) : 0;
    case 47: return (int32_t)sf_source_notify(rubbish(0, 0));
    case 48:
      local.next = WILD;
      sf_local_set(&local, &got, NULL);
      local.next = WILD;
      return sf_local_get(&turn) == NULL;
    case 49: return sf_task_wait(0, WILD) == -SF_ESRCH ? sf_join(sf_self(), WILD) : 0;
  }
  return 0;
}

static int32_t fine_task(void *unused) {
  (void)unused;
  return select_with(sf_on_event(&event));
}

/* What the task has shared with others still works, and nothing of it is left there. */
LAW(others_go_on)(int32_t kind, int32_t traps, uint32_t memory_bytes) {
  sf_task_t wild, fine;
  int32_t result, item = 5;
  memory_end = memory_bytes;
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  sf_semaphore_init(&semaphore, 3);
  sf_group_init(&group, 0, 0);
  source.poll = never_ready;
  CHECK(sf_spawn(fine_task, NULL, NULL, &fine) == 0);
  CHECK(settle() == 0);
  CHECK(sf_spawn(wild_task, (void *)kind, NULL, &wild) == 0);
  CHECK(sf_join(wild, NULL) == (traps ? -SF_ENOTRECOVERABLE : 0));
  CHECK(settle() == 0);
  CHECK(sf_group_count(&group) == 0 && sf_group_wait(&group) == 0);
  CHECK(sf_channel_try_send(&channel, &item) == 0);
  CHECK(sf_join(fine, &result) == 0 && result == 0 && got == 5);
  CHECK(sf_channel_try_send(&channel, &item) == -SF_EAGAIN);
  CHECK(sf_notify_all(&notify) == 0);
  CHECK(sf_semaphore_try_acquire(&semaphore, 3) == 0);
  CHECK(sf_source_notify(&source) == 0);
  CHECK(sf_sleep(50 * MS) == 0);
  return 0;
}

/* A scope of rubbish is nobody's. */
LAW(rubbish_scopes)(void) {
  struct sf_timeout scope;
  memset(&scope, 0xee, sizeof(scope));
  CHECK(sf_timeout_end(&scope, 5) == 5);
  sf_timeout_set(&scope, sf_after(0));
  uint64_t self = sf_self();
  for (uint32_t at = 0; at < sizeof(scope); at += 4) memcpy((char *)&scope + at, &self, 4);
  sf_timeout_set(&scope, sf_after(0));
  CHECK(sf_sleep(5 * MS) == 0);
  CHECK(sf_timeout_end(&scope, 5) == 5);
  CHECK(sf_sleep(5 * MS) == 0);
  return 0;
}

/* ── What is spoilt while others use it ────────────────────────────────────────────────────────── */

/* The member traps at its end, and is over nevertheless. */
LAW(a_spoilt_group)(void) {
  for (int32_t round = 0; round < 3; round++) {
    sf_group_init(&group, 0, 0);
    for (int32_t i = 0; i < 3; i++)
      CHECK(sf_group_spawn(&group, sleep_task, (void *)5, NULL, NULL) == 0);
    CHECK(settle() == 0);
    memset(&group, 0xee, sizeof(group));
    CHECK(sf_sleep(20 * MS) == 0);
  }
  return 0;
}

NOINLINE static int32_t below(int32_t depth, struct sf_barrier *barrier) {
  static volatile int32_t sink;
  if (depth == 0) return sf_barrier_wait(barrier);
  int32_t result = below(depth - 1, barrier) + 1;
  sink = result;
  return result;
}
static struct sf_barrier barrier;
static int32_t barrier_task(void *depth) {
  return (int32_t)depth == 0 ? sf_barrier_wait(&barrier) : below((int32_t)depth, &barrier);
}

/* A task whose frames overflow while it waits wakes those that it leaves alone: all of them run. */
LAW(an_overflow_wakes_others)(void) {
  sf_task_t tasks[4];
  int32_t result;
  CHECK(sf_barrier_init(&barrier, 9) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(spawn_small(barrier_task, (void *)0, &tasks[i]) == 0);
  CHECK(settle() == 0);
  CHECK(spawn_small(barrier_task, (void *)500, &tasks[3]) == 0);
  CHECK(sf_join(tasks[3], NULL) == -SF_ENOTRECOVERABLE);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_join(tasks[i], &result) == 0 && result == -SF_EPIPE);
  return 0;
}

static struct sf_mutex mutex;
static struct sf_condition *lent;
static int32_t lender_task(void *unused) {
  (void)unused;
  struct sf_condition condition = {0};
  lent = &condition;
  sf_sleep(5 * MS);
  __builtin_trap();
}
static int32_t condition_task(void *unused) {
  (void)unused;
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_condition_wait(lent, &mutex) == -SF_EOWNERDEAD);
  CHECK(sf_mutex_try_lock(&mutex) == -SF_EDEADLK);
  CHECK(sf_sleep(MS) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  return 0;
}

/* Who waits for a condition has the mutex again, also when the condition is gone. */
LAW(a_condition_goes_with_its_stack)(void) {
  sf_task_t lender, tasks[3];
  int32_t line;
  sf_mutex_init(&mutex);
  CHECK(sf_spawn(lender_task, NULL, NULL, &lender) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(condition_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(sf_join(lender, NULL) == -SF_ENOTRECOVERABLE);
  for (int32_t i = 0; i < 3; i++) {
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  return 0;
}

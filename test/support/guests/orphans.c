/* orphans.c - laws of tasks that wait at what lies on the stack of a task that fails. */
#include "law-tasks.h"

__attribute__((import_module("test"), import_name("raise"))) uint32_t test_raise(uint32_t kind);

enum kind {
  MUTEX, CONDITION, CONDITION_MUTEX, RWLOCK, SEMAPHORE, EVENT, TIMER, NOTIFY, LATCH, FUTURE, ONCE,
  BARRIER, BROADCAST, WATCH, CHANNEL, SIGNAL, FUTEX, SELECT,
};

struct objects {
  struct sf_mutex mutex;
  struct sf_condition condition;
  struct sf_rwlock rwlock;
  struct sf_semaphore semaphore;
  struct sf_event event;
  struct sf_timer timer;
  struct sf_notify notify;
  struct sf_latch latch;
  struct sf_future future;
  struct sf_once once;
  struct sf_barrier barrier;
  struct sf_broadcast broadcast;
  struct sf_watch watch;
  struct sf_channel channel;
  struct sf_signal signal;
  uint32_t word;
  int32_t buffer[2];
};

static struct objects *shared;
static struct sf_mutex own_mutex;
static struct sf_condition own_condition;
static struct sf_event own_event;

static int32_t owner_task(void *unused) {
  (void)unused;
  struct objects objects;
  memset(&objects, 0, sizeof(objects));
  sf_mutex_lock(&objects.mutex);
  sf_rwlock_read(&objects.rwlock);
  sf_semaphore_init(&objects.semaphore, 1);
  sf_timer_start(&objects.timer, sf_after(5 * SF_SECOND));
  sf_latch_init(&objects.latch, 1);
  sf_future_init(&objects.future, objects.buffer, 4);
  sf_once_begin(&objects.once);
  sf_barrier_init(&objects.barrier, 9);
  sf_broadcast_init(&objects.broadcast, objects.buffer, 2, 4);
  sf_watch_init(&objects.watch, objects.buffer, 4);
  sf_channel_init(&objects.channel, objects.buffer, 0, 4);
  sf_signal_watch(&objects.signal, SF_SIGNAL_USER1);
  shared = &objects;
  sf_sleep(SF_SECOND);
  __builtin_trap();
}

static int32_t wait_task(void *argument) {
  struct actor *actor = argument;
  struct sf_consumer consumer;
  struct sf_arm arms[2];
  uint32_t seen = 1;
  int32_t value = 0, result, id = actor->id;
  /* The youngest comes first: the core looks for orphans from there on. */
  for (int32_t i = 0; i < 2 * (2 - id); i++) CHECK(sf_yield() == 0);
  switch ((enum kind)actor->amount) {
    case MUTEX: return sf_mutex_lock(&shared->mutex);
    case CONDITION:
      /* The mutex lives on: it is held, as always. */
      CHECK(sf_mutex_lock(&own_mutex) == 0);
      result = sf_condition_wait(&shared->condition, &own_mutex);
      CHECK(sf_mutex_unlock(&own_mutex) == 0);
      return result;
    case CONDITION_MUTEX:
      CHECK(sf_mutex_lock(&shared->mutex) == 0);
      return sf_condition_wait(&own_condition, &shared->mutex);
    case RWLOCK: return id == 2 ? sf_rwlock_write(&shared->rwlock) : sf_rwlock_read(&shared->rwlock);
    case SEMAPHORE: return sf_semaphore_acquire(&shared->semaphore, id == 2 ? 5 : 1);
    case EVENT: return sf_event_wait(&shared->event);
    case TIMER: return sf_event_wait(&shared->timer.event);
    case NOTIFY: return sf_notify_wait(&shared->notify);
    case LATCH: return sf_latch_wait(&shared->latch);
    case FUTURE: return sf_future_wait(&shared->future, &value);
    case ONCE: return sf_once_begin(&shared->once);
    case BARRIER: return sf_barrier_wait(&shared->barrier);
    case BROADCAST:
      sf_broadcast_subscribe(&shared->broadcast, &consumer);
      return sf_broadcast_receive(&shared->broadcast, &consumer, &value);
    case WATCH: return sf_watch_wait(&shared->watch, &seen, &value);
    case CHANNEL: return sf_channel_send(&shared->channel, &value);
    case SIGNAL: return sf_signal_wait(&shared->signal);
    case FUTEX: return sf_futex_wait(&shared->word, 0);
    case SELECT:
      arms[0] = sf_on_event(&own_event);
      arms[1] = id == 0   ? sf_on_event(&shared->event)
                : id == 1 ? sf_on_semaphore(&shared->semaphore, 5)
                          : sf_on_signal(&shared->signal);
      return sf_select(arms, 2);
  }
  return 1;
}

static int32_t pattern_task(void *unused) {
  (void)unused;
  volatile uint8_t bytes[4000];
  memset((uint8_t *)bytes, 0x5a, sizeof(bytes));
  CHECK(sf_sleep(20 * SF_SECOND) == 0);
  for (int32_t i = 0; i < 4000; i++) CHECK(bytes[i] == 0x5a);
  return 0;
}

/* All that wait get EOWNERDEAD, also those that somebody's leaving would have let in. Afterwards the
 * stack is another task's, and nothing writes to it. */
LAW(orphans)(int32_t kind) {
  static struct actor actors[3];
  struct sf_spawn_options options = {.stack_bytes = 8192};
  sf_task_t owner, pattern;
  CHECK(sf_spawn(owner_task, NULL, &options, &owner) == 0);
  CHECK(sf_yield() == 0);
  if (kind == CONDITION_MUTEX) memset(&shared->mutex, 0, sizeof(shared->mutex));
  for (int32_t i = 0; i < 3; i++) {
    actors[i].amount = kind;
    CHECK(act(&actors[i], i, wait_task) == 0);
  }
  CHECK(sf_join(owner, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_spawn(pattern_task, NULL, &options, &pattern) == 0);
  settle();
  test_raise(SF_SIGNAL_USER1);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EOWNERDEAD);
  CHECK_JOIN(pattern, 0);
  return 0;
}

/* ── A task whose frames do not fit when it parks ──────────────────────────────────────────────── */

static struct sf_barrier barrier;
static struct sf_semaphore semaphore;
static struct sf_rwlock rwlock;
static volatile int32_t sink;

NOINLINE static int32_t deep(int32_t depth, int32_t how) {
  if (depth == 0) {
    if (how == 0) return sf_barrier_wait(&barrier);
    if (how == 1) return sf_semaphore_acquire(&semaphore, 5);
    return sf_rwlock_write(&rwlock);
  }
  int32_t result = deep(depth - 1, how) + 1;
  sink = result;
  return result;
}

static int32_t deep_task(void *how) { return deep(150, (int32_t)how); }

static int32_t shallow_task(void *how) {
  switch ((int32_t)how) {
    case 0: return sf_barrier_wait(&barrier);
    case 1: return sf_semaphore_acquire(&semaphore, 1);
    default: return sf_rwlock_read(&rwlock);
  }
}

/* Those that its end makes ready run. */
LAW(overflow_while_it_parks)(int32_t how) {
  struct sf_spawn_options options = {.stack_bytes = 1024};
  sf_task_t before[3], after[3], deepest;
  CHECK(sf_barrier_init(&barrier, 8) == 0);
  sf_semaphore_init(&semaphore, how == 1 ? 2 : 0);
  CHECK(sf_rwlock_read(&rwlock) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(shallow_task, (void *)how, NULL, &before[i]) == 0);
  CHECK(sf_spawn(deep_task, (void *)how, &options, &deepest) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(shallow_task, (void *)how, NULL, &after[i]) == 0);
  CHECK(sf_join(deepest, NULL) == -SF_ENOTRECOVERABLE);
  settle();
  if (how == 1) CHECK(sf_semaphore_release(&semaphore, 10) == 0);
  int32_t want = how == 0 ? -SF_EPIPE : 0;
  for (int32_t i = 0; i < 3; i++) {
    CHECK_JOIN(before[i], want);
    CHECK_JOIN(after[i], want);
  }
  return 0;
}

static struct sf_channel *orphan_channel;

static int32_t channel_owner_task(void *unused) {
  (void)unused;
  struct sf_channel own;
  sf_channel_init(&own, NULL, 0, 4);
  orphan_channel = &own;
  sf_yield();
  sf_yield();
  __builtin_trap();
}

static int32_t orphan_channel_task(void *unused) {
  (void)unused;
  int32_t item = 0;
  return sf_channel_receive(orphan_channel, &item);
}

/* Several wait there, and nobody is forgotten. */
LAW(channel_of_a_failed_task)(void) {
  sf_task_t owner, tasks[3];
  CHECK(sf_spawn(channel_owner_task, NULL, NULL, &owner) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_spawn(orphan_channel_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(sf_join(owner, NULL) == -SF_ENOTRECOVERABLE);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(tasks[i], -SF_EOWNERDEAD);
  return 0;
}

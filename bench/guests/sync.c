/* sync.c - locks and conditions between tasks. */
#include "tasks.h"

/* ── mutex ── */

static struct sf_mutex lock;
static int64_t counter;
static int32_t locks;
static int32_t yield_every;

static int32_t locker(void *argument) {
  (void)argument;
  for (int32_t i = 0; i < locks; i++) {
    if (sf_mutex_lock(&lock) < 0) return -1;
    counter++;
    if (yield_every > 0 && i % yield_every == 0) sf_yield();
    sf_mutex_unlock(&lock);
  }
  return 0;
}

EXPORT(mutex) int64_t mutex(int32_t tasks, int32_t locks_each, int32_t yield_each) {
  sf_mutex_init(&lock);
  counter = 0;
  locks = locks_each;
  yield_every = yield_each;
  return run_tasks(tasks, locker) < 0 ? -1 : counter;
}

/* ── rwlock ── */

static struct sf_rwlock shared_lock;
static int64_t value;
static int64_t good_reads;
static int32_t reads;
static int32_t writes;
static int32_t readers;

static int32_t reader(void) {
  int64_t last = 0;
  int64_t good = 0;
  for (int32_t i = 0; i < reads; i++) {
    if (sf_rwlock_read(&shared_lock) < 0) return -1;
    if (value >= last) {
      last = value;
      good++;
    }
    if (yield_every > 0 && i % yield_every == 0) sf_yield();
    sf_rwlock_read_unlock(&shared_lock);
  }
  good_reads += good;
  return 0;
}

static int32_t writer(void) {
  for (int32_t i = 0; i < writes; i++) {
    if (sf_rwlock_write(&shared_lock) < 0) return -1;
    value++;
    sf_yield();
    sf_rwlock_write_unlock(&shared_lock);
  }
  return 0;
}

static int32_t reader_or_writer(void *argument) {
  return (int32_t)(intptr_t)argument == readers ? writer() : reader();
}

EXPORT(rwlock)
int64_t rwlock(int32_t readers_count, int32_t reads_each, int32_t writes_count,
               int32_t yield_each) {
  shared_lock = (struct sf_rwlock){0};
  value = good_reads = 0;
  readers = readers_count;
  reads = reads_each;
  writes = writes_count;
  yield_every = yield_each;
  return run_tasks(readers + 1, reader_or_writer) < 0 ? -1 : value + good_reads;
}

/* ── condition ── */

static struct sf_condition changed;
static int64_t turn;
static int32_t rounds;

static int32_t turn_taker(void *argument) {
  int64_t mine = (intptr_t)argument;
  for (int32_t i = 0; i < rounds; i++) {
    if (sf_mutex_lock(&lock) < 0) return -1;
    while (turn % 2 != mine)
      if (sf_condition_wait(&changed, &lock) < 0) return -1;
    turn++;
    sf_condition_signal(&changed);
    sf_mutex_unlock(&lock);
  }
  return 0;
}

EXPORT(condition) int64_t condition(int32_t rounds_each) {
  sf_mutex_init(&lock);
  changed = (struct sf_condition){0};
  turn = 0;
  rounds = rounds_each;
  return run_tasks(2, turn_taker) < 0 ? -1 : turn;
}

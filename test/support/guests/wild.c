/* wild.c - calls with pointers to nowhere, among tasks that wait in every object the call could touch.
 * The caller traps and nobody else notices: all are served afterwards, or canceled, as if it had never
 * been. */
#include "law-tasks.h"

__attribute__((import_module("test"), import_name("raise"))) uint32_t test_raise(uint32_t kind);
__attribute__((import_module("test"), import_name("memory_end"))) uint32_t test_memory_end(void);

/* ── Tasks that wait ───────────────────────────────────────────────────────────────────────────── */

static uint64_t full_buffer[1], empty_buffer[1], broadcast_buffer[4], watch_value, future_value;
static struct sf_channel full, empty, receivers, senders;
static struct sf_broadcast broadcast;
static struct sf_watch watch;
static struct sf_future future;
static struct sf_mutex mutex, condition_mutex;
static struct sf_condition condition;
static struct sf_rwlock rwlock;
static struct sf_semaphore semaphore;
static struct sf_event event;
static struct sf_notify notify;
static struct sf_latch latch;
static struct sf_barrier barrier;
static struct sf_once once;
static struct sf_signal signal_watcher;
static uint32_t word = 7;

#define PEERS 18

static int32_t peer_task(void *argument) {
  struct actor *actor = argument;
  struct sf_consumer consumer;
  uint32_t seen = 1;
  uint64_t item = 100 + (uint64_t)actor->id, got = 0;
  int32_t result;
  switch (actor->id) {
    case 0: return sf_channel_send(&full, &item);
    case 1:
      result = sf_channel_receive(&empty, &got);
      return result == 0 && got != 1 ? 1 : result;
    case 2:
      result = sf_channel_receive(&receivers, &got);
      return result == 0 && got != 2 ? 1 : result;
    case 3: return sf_channel_send(&senders, &item);
    case 4:
      sf_broadcast_subscribe(&broadcast, &consumer);
      result = sf_broadcast_receive(&broadcast, &consumer, &got);
      return result == 0 && got != 4 ? 1 : result;
    case 5:
      result = sf_watch_wait(&watch, &seen, &got);
      return result == 0 && (got != 5 || seen != 2) ? 1 : result;
    case 6:
      result = sf_future_wait(&future, &got);
      return result == 0 && got != 6 ? 1 : result;
    case 7: return sf_mutex_lock(&mutex);
    case 8:
      if (sf_mutex_lock(&condition_mutex) < 0) return 1;
      result = sf_condition_wait(&condition, &condition_mutex);
      return sf_mutex_unlock(&condition_mutex) < 0 ? 1 : result;
    case 9: return sf_rwlock_read(&rwlock);
    case 10: return sf_semaphore_acquire(&semaphore, 1);
    case 11: return sf_event_wait(&event);
    case 12: return sf_notify_wait(&notify);
    case 13: return sf_latch_wait(&latch);
    case 14: return sf_barrier_wait(&barrier);
    case 15:
      result = sf_once_begin(&once);
      return result == 1 ? 0 : result;
    case 16:
      result = sf_signal_wait(&signal_watcher);
      return result == 1 ? 0 : result;
    default: return sf_futex_wait(&word, 7);
  }
}

static struct actor peers[PEERS];

static int32_t peers_wait(void) {
  uint64_t item = 99;
  CHECK(sf_channel_init(&full, full_buffer, 1, 8) == 0);
  CHECK(sf_channel_send(&full, &item) == 0);
  CHECK(sf_channel_init(&empty, empty_buffer, 1, 8) == 0);
  CHECK(sf_channel_init(&receivers, NULL, 0, 8) == 0);
  CHECK(sf_channel_init(&senders, NULL, 0, 8) == 0);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 4, 8) == 0);
  sf_watch_init(&watch, &watch_value, 8);
  sf_future_init(&future, &future_value, 8);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_rwlock_write(&rwlock) == 0);
  sf_latch_init(&latch, 1);
  CHECK(sf_barrier_init(&barrier, 2) == 0);
  CHECK(sf_once_begin(&once) == 1);
  CHECK(sf_signal_watch(&signal_watcher, SF_SIGNAL_USER1) == 0);
  for (int32_t i = 0; i < PEERS; i++) CHECK(act(&peers[i], i, peer_task) == 0);
  settle();
  return 0;
}

static int32_t peers_served(void) {
  uint64_t item;
  CHECK(sf_channel_count(&full) == 1 && sf_channel_count(&empty) == 0);
  CHECK(sf_channel_receive(&full, &item) == 0 && item == 99);
  CHECK(sf_channel_receive(&full, &item) == 0 && item == 100);
  CHECK(sf_channel_send(&empty, &(uint64_t){1}) == 0);
  CHECK(sf_channel_try_send(&receivers, &(uint64_t){2}) == 0);
  CHECK(sf_channel_try_receive(&senders, &item) == 0 && item == 103);
  CHECK(sf_broadcast_send(&broadcast, &(uint64_t){4}) == 0);
  CHECK(sf_watch_set(&watch, &(uint64_t){5}) == 0);
  CHECK(sf_future_set(&future, &(uint64_t){6}) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  sf_condition_signal(&condition);
  CHECK(sf_rwlock_write_unlock(&rwlock) == 0);
  CHECK(sf_semaphore_release(&semaphore, 1) == 0);
  sf_event_set(&event);
  CHECK(sf_notify_all(&notify) == 1);
  CHECK(sf_latch_done(&latch) == 0);
  CHECK(sf_barrier_wait(&barrier) == 1);
  CHECK(sf_once_end(&once, 0) == 0);
  CHECK(test_raise(SF_SIGNAL_USER1) == 1);
  CHECK(sf_futex_wake(&word, 9) == 1);
  for (int32_t i = 0; i < PEERS; i++) CHECK_JOIN(peers[i].task, 0);
  return 0;
}

static int32_t peers_canceled(void) {
  for (int32_t i = 0; i < PEERS; i++) CHECK(sf_cancel(peers[i].task) == 0);
  for (int32_t i = 0; i < PEERS; i++) CHECK_JOIN(peers[i].task, -SF_ECANCELED);
  return 0;
}

/* ── Calls ─────────────────────────────────────────────────────────────────────────────────────── */

static char *wild;

/* Items and results: 8 bytes at `wild`. */
static int32_t call_with_item(int32_t which) {
  struct sf_consumer consumer;
  struct sf_channel channel;
  struct sf_broadcast other_broadcast;
  struct sf_watch other_watch;
  struct sf_future other_future;
  uint32_t seen = 1;
  struct sf_arm arm;
  switch (which) {
    case 0: return sf_channel_send(&full, wild);
    case 1: return sf_channel_send(&empty, wild);
    case 2: return sf_channel_try_send(&empty, wild);
    case 3: return sf_channel_send_many(&empty, wild, 2);
    case 4: return sf_channel_send(&receivers, wild);
    case 5: return sf_channel_receive(&full, wild);
    case 6: return sf_channel_try_receive(&full, wild);
    case 7: return sf_channel_receive_many(&full, wild, 2);
    case 8: return sf_channel_receive(&empty, wild);
    case 9: return sf_channel_receive(&senders, wild);
    case 10: return sf_channel_send_many(&full, wild, 2);
    case 11: return sf_channel_receive_many(&empty, wild, 2);
    case 12: return sf_broadcast_send(&broadcast, wild);
    case 13:
      sf_broadcast_subscribe(&broadcast, &consumer);
      return sf_broadcast_receive(&broadcast, &consumer, wild);
    case 14: return sf_watch_set(&watch, wild);
    case 15: return sf_watch_wait(&watch, &seen, wild);
    case 16: return sf_future_set(&future, wild);
    case 17: return sf_future_wait(&future, wild);
    case 18: return sf_channel_init(&channel, wild, 2, 4);
    case 19: return sf_broadcast_init(&other_broadcast, wild, 4, 2);
    case 20: sf_watch_init(&other_watch, wild, 8); return 0;
    case 21: sf_future_init(&other_future, wild, 8); return 0;
    case 22: arm = sf_on_receive(&empty, wild); return sf_select(&arm, 1);
    case 23: arm = sf_on_receive(&senders, wild); return sf_select(&arm, 1);
    case 24: arm = sf_on_send(&full, wild); return sf_select(&arm, 1);
    case 25: arm = sf_on_send(&receivers, wild); return sf_select(&arm, 1);
    case 26: arm = sf_on_future(&future, wild); return sf_select(&arm, 1);
    case 27: arm = sf_on_watch(&watch, &seen, wild); return sf_select(&arm, 1);
    case 28: return sf_broadcast_receive(&broadcast, (struct sf_consumer *)(wild + 4), &seen);
    case 29: return sf_select((struct sf_arm *)wild, 1);
    default: return -1000;
  }
}

/* Whole objects at `wild`. */
static int32_t call_with_object(int32_t which) {
  void *object = wild;
  uint64_t item = 0;
  struct sf_mutex own;
  struct sf_consumer consumer;
  struct sf_arm arm;
  sf_mutex_init(&own);
  switch (which) {
    case 0: return sf_mutex_lock(object);
    case 1: return sf_mutex_unlock(object);
    case 2: return sf_mutex_try_lock(object);
    case 3: sf_mutex_lock(&own); return sf_condition_wait(object, &own);
    case 4: return sf_condition_wait(&condition, object);
    case 5: sf_condition_signal(object); return 0;
    case 6: sf_condition_broadcast(object); return 0;
    case 7: return sf_rwlock_read(object);
    case 8: return sf_rwlock_write(object);
    case 9: return sf_rwlock_read_unlock(object);
    case 10: return sf_rwlock_write_unlock(object);
    case 11: return sf_semaphore_acquire(object, 1);
    case 12: return sf_semaphore_release(object, 1);
    case 13: sf_event_set(object); return 0;
    case 14: return sf_event_wait(object);
    case 15: sf_timer_start(object, sf_after(5)); return 0;
    case 16: return sf_timer_stop(object);
    case 17: return sf_notify_wait(object);
    case 18: return (int32_t)sf_notify_one(object);
    case 19: return sf_barrier_wait(object);
    case 20: return sf_barrier_init(object, 2);
    case 21: return sf_future_wait(object, &item);
    case 22: return sf_future_set(object, &item);
    case 23: sf_future_close(object); return 0;
    case 24: return sf_once_begin(object);
    case 25: return sf_once_end(object, 1);
    case 26: return sf_latch_add(object, 1);
    case 27: return sf_latch_wait(object);
    case 28: return sf_futex_wait(object, 0);
    case 29: return sf_channel_send(object, &item);
    case 30: return sf_channel_receive(object, &item);
    case 31: sf_channel_close(object, 0); return 0;
    case 32: sf_channel_destroy(object); return 0;
    case 33: return sf_channel_send_many(object, &item, 1);
    case 34: return sf_channel_receive_many(object, &item, 1);
    case 35: sf_broadcast_subscribe(&broadcast, object); return 0;
    case 36: return sf_broadcast_send(object, &item);
    case 37: sf_broadcast_subscribe(&broadcast, &consumer); return sf_broadcast_receive(object, &consumer, &item);
    case 38: sf_broadcast_close(object); return 0;
    case 39: return sf_watch_wait(&watch, object, &item);
    case 40: return sf_watch_set(object, &item);
    case 41: sf_watch_close(object); return 0;
    case 42: return sf_signal_watch(object, SF_SIGNAL_USER1);
    case 43: return sf_signal_wait(object);
    case 44: sf_signal_unwatch(object); return 0;
    case 45: return sf_operation_start(object);
    case 46: return sf_operation_wait(object);
    case 47: sf_operation_cancel_request(object); return 0;
    case 48: arm = sf_on_event(object); return sf_select(&arm, 1);
    case 49: arm = sf_on_signal(object); return sf_select(&arm, 1);
    case 50: arm = sf_on_notify(object); return sf_select(&arm, 1);
    case 51: arm = sf_on_receive(object, &item); return sf_select(&arm, 1);
    case 52: return sf_channel_init(object, &item, 1, 8);
    case 53: return sf_channel_init_unbounded(object, 1, 8);
    case 54: sf_semaphore_init(object, 1); return 0;
    default: return -1000;
  }
}

static int32_t item_task(void *which) { return call_with_item((int32_t)which); }
static int32_t object_task(void *which) { return call_with_object((int32_t)which); }

static int32_t peers_end(int32_t canceled) { return canceled ? peers_canceled() : peers_served(); }

/* `place` 0: no memory there at all; 1: memory ends in the middle of it. */
LAW(wild_item)(int32_t which, int32_t place, int32_t canceled) {
  int32_t line = peers_wait();
  if (line != 0) return line;
  wild = place == 0 ? (char *)0xfffffff0u : (char *)test_memory_end() - 4;
  sf_task_t task;
  CHECK(sf_spawn(item_task, (void *)which, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  return peers_end(canceled);
}

LAW(wild_object)(int32_t which, int32_t canceled) {
  int32_t line = peers_wait();
  if (line != 0) return line;
  wild = (char *)0xfffffff0u;
  sf_task_t task;
  CHECK(sf_spawn(object_task, (void *)which, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  return peers_end(canceled);
}

/* An object that nobody has initialised, full of `fill`: the call may return, trap, or wait until it is
 * canceled, but nobody else notices. */
LAW(garbage_object)(int32_t which, int32_t fill, int32_t canceled) {
  static char object[256] __attribute__((aligned(16)));
  int32_t line = peers_wait();
  if (line != 0) return line;
  memset(object, fill, sizeof(object));
  wild = object;
  sf_task_t task;
  CHECK(sf_spawn(object_task, (void *)which, NULL, &task) == 0);
  settle();
  CHECK(sf_cancel(task) == 0);
  sf_join(task, NULL);
  return peers_end(canceled);
}

/* ── Of a kind of their own ────────────────────────────────────────────────────────────────────── */

/* A mutex of which only the first words exist can be locked, but whoever signals would trap. */
static int32_t half_mutex_task(void *unused) {
  (void)unused;
  struct sf_mutex *half = (struct sf_mutex *)(test_memory_end() - 8);
  if (sf_mutex_lock(half) != 0) return 0;
  return sf_condition_wait(&condition, half);
}

static int32_t destroy_task(void *channel) {
  sf_channel_destroy(channel);
  return 0;
}

static int32_t odd_operation_task(void *unused) {
  (void)unused;
  static char storage[sizeof(struct sf_operation) + 8] __attribute__((aligned(8)));
  return sf_operation_start((struct sf_operation *)(storage + 1));
}

static int32_t grow_task(void *channel) {
  uint32_t item = 0;
  while (sf_channel_try_send(channel, &item) == 0) {
  }
  return 0;
}

LAW(wild_kinds)(int32_t kind) {
  int32_t line = peers_wait();
  if (line != 0) return line;
  sf_task_t task;
  static struct sf_channel forged, original;
  static uint64_t somewhere[64];
  sf_entry_fn entry = kind == 0 ? half_mutex_task : kind == 4 ? odd_operation_task
                      : kind == 3 ? grow_task : destroy_task;
  if (kind >= 1 && kind <= 3) {
    /* A copy of an unbounded channel, one whose buffer is not the runtime's. */
    CHECK(sf_channel_init_unbounded(&original, 100000, 4) == 0);
    CHECK(sf_channel_send(&original, &word) == 0);
    memcpy(&forged, &original, sizeof(forged));
    if (kind == 2) ((uint32_t *)&forged)[0] = (uint32_t)(uintptr_t)(somewhere + 32);
  }
  CHECK(sf_spawn(entry, &forged, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  if (kind >= 1 && kind <= 3) {
    uint32_t item = 0;
    CHECK(sf_channel_receive(&original, &item) == 0);
    CHECK(kind == 3 || item == word);
    sf_channel_destroy(&original);
  }
  return peers_end(kind & 1);
}

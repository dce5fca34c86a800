/* future.c - values that are set once, and work that is done once. */
#include "task.h"

struct future {
  struct sf_wait_queue waiters; /* waiter.item: where to */
  void *storage;
  uint32_t value_bytes;
  uint32_t state; /* enum future_state */
  uint32_t reserved;
};

enum future_state { FUTURE_PENDING, FUTURE_SET, FUTURE_CLOSED };

_Static_assert(sizeof(struct future) == 24, "sync.h reserves 24 bytes");

EXPORT(sf_future_init)
void sf_future_init(struct future *future, void *storage, uint32_t value_bytes) {
  if (value_bytes != 0) touch(storage, value_bytes);
  __builtin_memset(future, 0, sizeof(*future));
  future->storage = storage;
  future->value_bytes = value_bytes;
}

EXPORT(sf_future_set) int32_t sf_future_set(struct future *future, const void *value) {
  struct core *core = core_get();
  if (future->state != FUTURE_PENDING) return -SF_EALREADY;
  if (future->value_bytes != 0) __builtin_memcpy(future->storage, value, future->value_bytes);
  future->state = FUTURE_SET;
  while (future->waiters.first != NULL) {
    struct sf_waiter *waiter = wait_queue_pop(&future->waiters);
    if (waiter->item != NULL)
      __builtin_memcpy(waiter->item, future->storage, future->value_bytes);
    waiter_wake(core, waiter, 0);
  }
  return 0;
}

EXPORT(sf_future_close) void sf_future_close(struct future *future) {
  if (future->state != FUTURE_PENDING) return;
  future->state = FUTURE_CLOSED;
  wait_queue_wake_all(core_get(), &future->waiters, -SF_EPIPE);
}

EXPORT(sf_future_try) int32_t sf_future_try(struct future *future, void *value_out) {
  if (future->state == FUTURE_CLOSED) return -SF_EPIPE;
  if (future->state == FUTURE_PENDING) return -SF_EAGAIN;
  if (value_out != NULL) __builtin_memcpy(value_out, future->storage, future->value_bytes);
  return 0;
}

EXPORT(sf_future_wait) int32_t sf_future_wait(struct future *future, void *value_out) {
  RETURN_IF_RESUMED();
  int32_t result = sf_future_try(future, value_out);
  if (result != -SF_EAGAIN) return result;
  if (value_out != NULL) touch(value_out, future->value_bytes);
  return park_in(&future->waiters, value_out, 0, 0, SF_WAIT_FUTURE, future);
}

struct once {
  struct sf_wait_queue waiters;
  uint32_t runner; /* serial; 0: nobody */
  uint32_t done;
};

_Static_assert(sizeof(struct once) == 16, "sync.h reserves 16 bytes");

EXPORT(sf_once_begin) int32_t sf_once_begin(struct once *once) {
  RETURN_IF_RESUMED();
  if (once->done) return 0;
  uint32_t serial = self_serial();
  if (once->runner == serial) return -SF_EDEADLK;
  if (once->runner == 0) {
    once->runner = serial;
    return 1;
  }
  return park_in(&once->waiters, NULL, 0, 0, SF_WAIT_ONCE, once);
}

EXPORT(sf_once_end) int32_t sf_once_end(struct once *once, uint32_t done) {
  struct core *core = core_get();
  if (once->runner != self_serial()) return -SF_EPERM;
  once->runner = 0;
  if (done) {
    once->done = 1;
    wait_queue_wake_all(core, &once->waiters, 0);
  } else if (once->waiters.first != NULL) {
    struct sf_waiter *waiter = wait_queue_pop(&once->waiters);
    once->runner = waiter->task->serial;
    waiter_wake(core, waiter, 1);
  }
  return 0;
}

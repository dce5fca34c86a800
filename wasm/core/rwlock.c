/* rwlock.c - a lock for many readers or one writer; writers go first. */
#include "task.h"

struct rwlock {
  uint32_t writer; /* serial; 0: none. First: reports read it */
  uint32_t readers;
  struct sf_wait_queue writers_waiting;
  struct sf_wait_queue readers_waiting;
};

_Static_assert(sizeof(struct rwlock) == 24, "sync.h reserves 24 bytes");

INLINE int32_t rwlock_try_read(struct rwlock *lock) {
  if (lock->writer != 0 || lock->writers_waiting.first != NULL) return -SF_EAGAIN;
  lock->readers++;
  return 0;
}

INLINE int32_t rwlock_try_write(struct rwlock *lock) {
  uint32_t serial = self_serial();
  if (lock->writer == serial) return -SF_EDEADLK;
  if (lock->writer != 0 || lock->readers != 0) return -SF_EAGAIN;
  lock->writer = serial;
  return 0;
}

EXPORT(sf_rwlock_try_read) int32_t sf_rwlock_try_read(struct rwlock *lock) {
  return rwlock_try_read(lock);
}

EXPORT(sf_rwlock_try_write) int32_t sf_rwlock_try_write(struct rwlock *lock) {
  return rwlock_try_write(lock);
}

EXPORT(sf_rwlock_read) int32_t sf_rwlock_read(struct rwlock *lock) {
  RETURN_IF_RESUMED();
  if (rwlock_try_read(lock) == 0) return 0;
  if (lock->writer == self_serial()) return -SF_EDEADLK;
  return park_in(&lock->readers_waiting, NULL, 0, 0, SF_WAIT_READ_LOCK, lock);
}

EXPORT(sf_rwlock_write) int32_t sf_rwlock_write(struct rwlock *lock) {
  RETURN_IF_RESUMED();
  int32_t result = rwlock_try_write(lock);
  if (result != -SF_EAGAIN) return result;
  return park_in(&lock->writers_waiting, NULL, 0, 0, SF_WAIT_WRITE_LOCK, lock);
}

/* Lets in who may enter now. */
static void rwlock_serve(struct core *core, void *object) {
  struct rwlock *lock = object;
  if (lock->writer != 0) return;
  if (lock->writers_waiting.first != NULL) {
    if (lock->readers != 0) return;
    struct sf_task *task = wait_queue_pop(&lock->writers_waiting)->task;
    lock->writer = task->serial;
    ready_push(core, task);
    return;
  }
  for (; lock->readers_waiting.first != NULL; lock->readers++)
    ready_push(core, wait_queue_pop(&lock->readers_waiting)->task);
}

EXPORT(sf_rwlock_read_unlock) int32_t sf_rwlock_read_unlock(struct rwlock *lock) {
  if (lock->readers == 0) return -SF_EPERM;
  if (--lock->readers == 0) rwlock_serve(core_get(), lock);
  return 0;
}

EXPORT(sf_rwlock_write_unlock) int32_t sf_rwlock_write_unlock(struct rwlock *lock) {
  if (lock->writer != self_serial()) return -SF_EPERM;
  lock->writer = 0;
  rwlock_serve(core_get(), lock);
  return 0;
}

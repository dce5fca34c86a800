/* mutex.c - mutexes and conditions.
 *
 * Unlock hands the mutex to the longest waiting task: a woken task holds it. A signal moves a waiter
 * of the condition into the queue of the mutex, or gives it the mutex; it never has to lock again.
 */
#include "task.h"

struct mutex {
  uint32_t holder; /* serial; 0: unlocked. First: reports read it */
  struct sf_wait_queue waiters;
  uint32_t reserved;
};

_Static_assert(sizeof(struct mutex) == 16, "sync.h reserves 16 bytes");

/* The serial of the calling task; a caller outside of any task is one of its own. */
INLINE uint32_t self_serial(void) {
  const struct sf_task *self = current_get();
  return self == NULL ? UINT32_MAX : self->serial;
}

EXPORT(sf_mutex_init) void sf_mutex_init(struct mutex *mutex) {
  __builtin_memset(mutex, 0, sizeof(*mutex));
}

INLINE int32_t mutex_try(struct mutex *mutex, uint32_t serial) {
  if (mutex->holder == 0) {
    mutex->holder = serial;
    return 0;
  }
  return mutex->holder == serial ? -SF_EDEADLK : -SF_EAGAIN;
}

EXPORT(sf_mutex_try_lock) int32_t sf_mutex_try_lock(struct mutex *mutex) {
  return mutex_try(mutex, self_serial());
}

EXPORT(sf_mutex_lock) int32_t sf_mutex_lock(struct mutex *mutex) {
  RETURN_IF_RESUMED();
  int32_t result = mutex_try(mutex, self_serial());
  if (result != -SF_EAGAIN) return result;
  return park_in(&mutex->waiters, NULL, 0, 0, SF_WAIT_MUTEX, mutex);
}

INLINE void mutex_hand_over(struct core *core, struct mutex *mutex) {
  if (mutex->waiters.first == NULL) {
    mutex->holder = 0;
    return;
  }
  struct sf_waiter *waiter = wait_queue_pop(&mutex->waiters);
  mutex->holder = waiter->task->serial;
  ready_push(core, waiter->task);
}

EXPORT(sf_mutex_unlock) int32_t sf_mutex_unlock(struct mutex *mutex) {
  if (mutex->holder != self_serial()) return -SF_EPERM;
  mutex_hand_over(core_get(), mutex);
  return 0;
}

EXPORT(sf_condition_wait)
int32_t sf_condition_wait(struct sf_wait_queue *condition, struct mutex *mutex) {
  RETURN_IF_RESUMED();
  struct sf_task *self = self_to_park();
  /* Whoever signals will use both. */
  touch(condition, sizeof(*condition));
  touch(mutex, sizeof(*mutex));
  if (mutex->holder != self->serial) return -SF_EPERM;
  RETURN_IF_CANCELED(self);
  mutex_hand_over(core_get(), mutex);
  self->waiter.item = mutex;
  self->waiter.result = 0;
  self->wait_queue = condition;
  wait_queue_push(condition, &self->waiter);
  return park(self, SF_WAIT_CONDITION, address_of(condition));
}

/* A waiter that has left its condition gets the mutex, now or in its turn, and then `result`. */
static void condition_relock(struct core *core, struct sf_waiter *waiter, int32_t result) {
  struct sf_task *task = waiter->task;
  struct mutex *mutex = waiter->item;
  waiter->result = result;
  if (mutex->holder == 0) {
    mutex->holder = task->serial;
    ready_push(core, task);
    return;
  }
  task->wait = SF_WAIT_RELOCK;
  task->wait_detail = address_of(mutex);
  task->wait_queue = &mutex->waiters;
  wait_queue_push(&mutex->waiters, waiter);
}

static void condition_abort(struct core *core, struct sf_task *task, int32_t result) {
  wait_queue_remove(task->wait_queue, &task->waiter);
  condition_relock(core, &task->waiter, result);
}

EXPORT(sf_condition_signal) void sf_condition_signal(struct sf_wait_queue *condition) {
  if (condition->first != NULL) condition_relock(core_get(), wait_queue_pop(condition), 0);
}

EXPORT(sf_condition_broadcast) void sf_condition_broadcast(struct sf_wait_queue *condition) {
  struct core *core = core_get();
  while (condition->first != NULL) condition_relock(core, wait_queue_pop(condition), 0);
}

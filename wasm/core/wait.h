/* wait.h - taking a task out of what it waits for. */
#ifndef STACKFUL_WAIT_H
#define STACKFUL_WAIT_H

#include "park.h"

/* What must happen once a waiter has left the middle of a queue: somebody behind it may be next. */
static void semaphore_serve(struct core *core, void *semaphore);
static void rwlock_serve(struct core *core, void *lock);
static void barrier_break(struct core *core, void *barrier);
/* Takes all arms of a select out of their queues. */
static void arms_leave(struct core *core, struct sf_waiter *owner);

/* Takes a parked task out of what it waits for and makes it ready with `result`. Returns 0 when that
 * must be left to somebody else: an operation and a host promise complete in their own time. */
COLD static uint32_t wait_abort(struct core *core, struct sf_task *task, int32_t result) {
  uint32_t wait = task->wait;
  switch (wait) {
    case SF_WAIT_READY:
    case SF_WAIT_OP:
    case SF_WAIT_HOST:
      return 0;
    case SF_WAIT_UNPARK:
      break;
    case SF_WAIT_SLEEP:
      timer_disarm(core, &task->timer);
      break;
    case SF_WAIT_SELECT:
      arms_leave(core, &task->waiter);
      break;
    default:
      wait_queue_remove(task->wait_queue, &task->waiter);
  }
  void *object = (void *)task->wait_detail;
  waiter_wake(core, &task->waiter, result);
  if (wait == SF_WAIT_SEMAPHORE) semaphore_serve(core, object);
  if (wait == SF_WAIT_WRITE_LOCK) rwlock_serve(core, object);
  if (wait == SF_WAIT_BARRIER) barrier_break(core, object);
  return 1;
}

#endif

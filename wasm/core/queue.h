/* queue.h - the ready queue and wait queues: intrusive, FIFO, no allocation.
 *
 * A task is in at most one place: the ready queue (through `next`) or one wait queue (through
 * `waiter`), or in as many as its select has arms (through theirs). Wait queues are doubly linked,
 * because cancel takes a task out of the middle.
 */
#ifndef STACKFUL_QUEUE_H
#define STACKFUL_QUEUE_H

#include "state.h"

INLINE void ready_push(struct core *core, struct sf_task *task) {
  task->next = NULL;
  task->wait = SF_WAIT_READY;
  if (core->ready_first == NULL)
    core->ready_first = task;
  else
    core->ready_last->next = task;
  core->ready_last = task;
}

INLINE struct sf_task *ready_pop(struct core *core) {
  struct sf_task *task = core->ready_first;
  core->ready_first = task->next;
  return task;
}

INLINE void wait_queue_push(struct sf_wait_queue *queue, struct sf_waiter *waiter) {
  waiter->next = NULL;
  waiter->previous = queue->last;
  if (queue->last == NULL)
    queue->first = waiter;
  else
    queue->last->next = waiter;
  queue->last = waiter;
}

INLINE struct sf_waiter *wait_queue_pop(struct sf_wait_queue *queue) {
  struct sf_waiter *waiter = queue->first;
  queue->first = waiter->next;
  if (waiter->next == NULL)
    queue->last = NULL;
  else
    waiter->next->previous = NULL;
  return waiter;
}

static void wait_queue_remove(struct sf_wait_queue *queue, struct sf_waiter *waiter) {
  if (waiter->previous == NULL)
    queue->first = waiter->next;
  else
    waiter->previous->next = waiter->next;
  if (waiter->next == NULL)
    queue->last = waiter->previous;
  else
    waiter->next->previous = waiter->previous;
}

/* Whose a waiter is; see sf_waiter.task. */
#define HOST_WAITER 1u

INLINE uint32_t waiter_is_task(const struct sf_waiter *waiter) {
  return (address_of(waiter->task) & 1) == 0;
}

/* For a waiter that is no task's: an arm, or the host's. In select.h. */
NOINLINE static void waiter_ready_elsewhere(struct core *core, struct sf_waiter *waiter);

/* Ends the wait of a waiter that has left its queue and has its result. */
INLINE void waiter_ready(struct core *core, struct sf_waiter *waiter) {
  if (UNLIKELY(!waiter_is_task(waiter)))
    waiter_ready_elsewhere(core, waiter);
  else
    ready_push(core, waiter->task);
}

INLINE void waiter_wake(struct core *core, struct sf_waiter *waiter, int32_t result) {
  waiter->result = result;
  waiter_ready(core, waiter);
}

/* Wakes all that wait now, with one result. */
NOINLINE static uint32_t wait_queue_wake_all(struct core *core, struct sf_wait_queue *queue,
                                    int32_t result) {
  uint32_t count = 0;
  for (; queue->first != NULL; count++) waiter_wake(core, wait_queue_pop(queue), result);
  return count;
}

#endif

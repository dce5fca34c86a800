/* queue.h - the ready queue and wait queues: intrusive, FIFO, no allocation.
 *
 * A task is in at most one place: the ready queue (through `next`) or one wait queue (through
 * `waiter`). Wait queues are doubly linked, because cancel takes a task out of the middle.
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

/* Ends the wait of a waiter that has left its queue. */
INLINE void waiter_wake(struct core *core, struct sf_waiter *waiter, int32_t result) {
  struct sf_task *task = waiter->task;
  waiter->result = result;
  if (task != NULL) {
    ready_push(core, task);
  } else {
    waiter->next = core->shared.signaled;
    core->shared.signaled = waiter;
  }
}

#endif

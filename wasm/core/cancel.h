/* cancel.h - cancel requests.
 *
 * One request gives exactly one -ECANCELED, at the task's next cancel point: a call that parks, when
 * it is entered or while it waits. A result that was there first is returned and the request stays
 * pending. Requests made before the task noticed an earlier one are that one.
 */
#ifndef STACKFUL_CANCEL_H
#define STACKFUL_CANCEL_H

#include "task.h"
#include "timers.h"

INLINE uint32_t submissions_room(const struct core *core) {
  const struct sf_shared *shared = &core->shared;
  return shared->submissions_capacity - (shared->submissions_tail - shared->submissions_head);
}

INLINE struct sf_submission *submission_next(struct core *core) {
  struct sf_shared *shared = &core->shared;
  uint32_t index = shared->submissions_tail++ & (shared->submissions_capacity - 1);
  return (struct sf_submission *)shared->submissions + index;
}

/* Asks the host to end the operation of `task` early. One slot is always left for the operation of
 * the task that runs; without room for more the request is sent by a later run. */
COLD static void op_cancel(struct core *core, struct sf_task *task) {
  if (task->flags & SF_TASK_CANCEL_SENT) return;
  if (submissions_room(core) < 2) {
    core->cancels_unsent = 1;
    return;
  }
  struct sf_submission *record = submission_next(core);
  record->op = SF_OP_CANCEL;
  record->flags = 0;
  record->handle = -1;
  record->token = address_of(task);
  task->flags |= SF_TASK_CANCEL_SENT;
}

COLD static void cancels_resend(struct core *core) {
  core->cancels_unsent = 0;
  for (struct sf_task *task = core->shared.all; task != NULL; task = task->all_next) {
    if (task->wait != SF_WAIT_OP || task->wait_detail == SF_OP_CLOSE) continue;
    if (task->state == SF_STATE_DOOMED ||
        (task->state == SF_STATE_PARKED && (task->flags & SF_TASK_CANCELED)))
      op_cancel(core, task);
  }
}

/* Takes a parked task out of what it waits for and makes it ready with `result`. Returns 0 when that
 * must be left to somebody else: an operation and a host promise complete in their own time. */
COLD static uint32_t wait_abort(struct core *core, struct sf_task *task, int32_t result) {
  switch (task->wait) {
    case SF_WAIT_SEND:
    case SF_WAIT_RECEIVE:
    case SF_WAIT_JOIN:
      wait_queue_remove(task->wait_queue, &task->waiter);
      break;
    case SF_WAIT_SLEEP:
      timer_disarm(core, task);
      break;
    case SF_WAIT_UNPARK:
      break;
    default:
      return 0;
  }
  waiter_wake(core, &task->waiter, result);
  return 1;
}

COLD static void cancel_request(struct core *core, struct sf_task *task) {
  /* A task that joins passes the request on, waits on, and keeps its own: hence the loop. */
  for (;;) {
    if (task->state == SF_STATE_ENDED || task->state == SF_STATE_DOOMED) return;
    uint32_t parked = task->state == SF_STATE_PARKED;
    /* Canceled already, and has not run since. */
    if (parked && task->wait == SF_WAIT_READY && task->waiter.result == -SF_ECANCELED) return;
    if (parked && task->wait != SF_WAIT_JOIN && wait_abort(core, task, -SF_ECANCELED)) return;
    if ((task->flags & SF_TASK_CANCELED) && parked && task->wait == SF_WAIT_JOIN) return;
    task->flags |= SF_TASK_CANCELED;
    if (!parked) return;
    if (task->wait == SF_WAIT_OP && task->wait_detail != SF_OP_CLOSE) op_cancel(core, task);
    if (task->wait != SF_WAIT_JOIN) return;
    task = (struct sf_task *)task->wait_detail;
  }
}

#endif

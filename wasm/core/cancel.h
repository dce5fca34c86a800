/* cancel.h - delivering cancel requests: see scope.h for what is pending.
 *
 * A task that joins, or waits for a group, passes a request on to those it waits for, and waits on.
 * Chains and trees of such tasks may be as deep as there are tasks, so they are worked off in a list
 * (linked through `next`, which only ready tasks use), never by recursion.
 */
#ifndef STACKFUL_CANCEL_H
#define STACKFUL_CANCEL_H

#include "wait.h"

static void group_cancel_members(struct core *core, void *group, struct sf_task **chain);
static void condition_abort(struct core *core, struct sf_task *task, int32_t result);

INLINE uint32_t submissions_room(const struct core *core) {
  const struct sf_shared *shared = &core->shared;
  return shared->submissions_capacity - (shared->submissions_tail - shared->submissions_head);
}

/* Where the next one goes; there must be room. It is in the ring once the tail has moved. */
INLINE struct sf_submission *submission_place(const struct core *core) {
  const struct sf_shared *shared = &core->shared;
  uint32_t index = shared->submissions_tail & (shared->submissions_capacity - 1);
  return (struct sf_submission *)shared->submissions + index;
}

INLINE struct sf_submission *submission_next(struct core *core) {
  struct sf_submission *record = submission_place(core);
  core->shared.submissions_tail++;
  return record;
}

/* Asks the host to end the operation of `token` early. One slot is always left for the operation of
 * the task that runs; returns 0 when there is no room for more. */
COLD static uint32_t token_cancel(struct core *core, uint32_t token) {
  if (submissions_room(core) < 2) {
    core->cancels_unsent = 1;
    return 0;
  }
  struct sf_submission *record = submission_next(core);
  record->op = SF_OP_CANCEL;
  record->flags = 0;
  record->handle = -1;
  record->token = token;
  return 1;
}

/* The same for the operation that `task` waits for; without room the request is sent by a later run. */
COLD static void op_cancel(struct core *core, struct sf_task *task) {
  if (task->flags & SF_TASK_CANCEL_SENT) return;
  if (token_cancel(core, address_of(task))) task->flags |= SF_TASK_CANCEL_SENT;
}

static void operations_cancel(struct core *core, struct sf_task *task);

COLD static void cancels_resend(struct core *core) {
  core->cancels_unsent = 0;
  for (struct sf_task *task = core->shared.all; task != NULL; task = task->all_next) {
    operations_cancel(core, task);
    if (task->wait != SF_WAIT_OP || task->wait_detail == SF_OP_CLOSE) continue;
    uint32_t requested = task->flags & (SF_TASK_CANCELED | SF_TASK_EXPIRED);
    if (task->state == SF_STATE_DOOMED ||
        (task->state == SF_STATE_PARKED && requested && task->shields == 0))
      op_cancel(core, task);
  }
}

/* In waiter.count beside a result of -ECANCELED: it was a user's request, and the task has not run
 * since. Further requests are that one. */
#define NOTICED 0x80000001u

INLINE uint32_t has_noticed(const struct sf_task *task) {
  uint32_t wait = task->wait;
  return (wait == SF_WAIT_READY || wait == SF_WAIT_RELOCK || wait == SF_WAIT_GROUP) &&
         task->waiter.result == -SF_ECANCELED && task->waiter.count == NOTICED;
}

/* Marks a wait that ends with -ECANCELED. */
INLINE void request_noticed(struct sf_task *task, uint32_t by) {
  task->waiter.result = -SF_ECANCELED;
  task->waiter.count = by == BY_USER ? NOTICED : 0;
}

/* Items that a batch send has got rid of; its result starts as the number of all. */
INLINE int32_t send_progress(const struct sf_waiter *waiter) {
  return waiter->result == 0 ? 0 : waiter->result - (int32_t)waiter->count;
}

/* Ends the wait of a task that has a new request, where it can be ended. */
COLD static void request_end_wait(struct core *core, struct sf_task *task) {
  switch (task->wait) {
    case SF_WAIT_READY:
    case SF_WAIT_HOST:
    case SF_WAIT_RELOCK:
    case SF_WAIT_GROUP_CANCEL:
      return;
    case SF_WAIT_OP:
      if (task->wait_detail != SF_OP_CLOSE) op_cancel(core, task);
      return;
    case SF_WAIT_SEND: {
      int32_t progress = send_progress(&task->waiter);
      if (progress == 0) break;
      wait_abort(core, task, progress);
      return;
    }
  }
  uint32_t by = request_take(task);
  if (task->wait == SF_WAIT_CONDITION)
    condition_abort(core, task, -SF_ECANCELED);
  else
    wait_abort(core, task, -SF_ECANCELED);
  request_noticed(task, by);
}

/* A request of `task` is pending, and new: ends its wait, or puts the task into `chain`, whose
 * requests are to be passed on. */
COLD static void request_deliver(struct core *core, struct sf_task *task, struct sf_task **chain) {
  if (task->state != SF_STATE_PARKED || task->shields != 0) return;
  if (task->wait == SF_WAIT_JOIN || task->wait == SF_WAIT_GROUP) {
    task->next = *chain;
    *chain = task;
  } else {
    request_end_wait(core, task);
  }
}

COLD static void cancel_one(struct core *core, struct sf_task *task, struct sf_task **chain) {
  if (task->state == SF_STATE_ENDED || task->state == SF_STATE_DOOMED) return;
  if (task->flags & SF_TASK_CANCELED) return;
  if (task->state == SF_STATE_PARKED && has_noticed(task)) return;
  task->flags |= SF_TASK_CANCELED;
  request_deliver(core, task, chain);
}

COLD static void requests_pass_on(struct core *core, struct sf_task *chain) {
  while (chain != NULL) {
    struct sf_task *task = chain;
    void *object = (void *)task->wait_detail;
    chain = task->next;
    if (task->wait == SF_WAIT_JOIN) {
      cancel_one(core, object, &chain);
      continue;
    }
    /* One -ECANCELED is one request's: what comes while the members end stays pending. */
    if (task->waiter.result == 0) request_noticed(task, request_take(task));
    group_cancel_members(core, object, &chain);
  }
}

COLD static void cancel_request(struct core *core, struct sf_task *task) {
  struct sf_task *chain = NULL;
  cancel_one(core, task, &chain);
  requests_pass_on(core, chain);
}

/* The time of a scope is up. */
COLD static void scope_expire(struct core *core, struct timeout *scope) {
  struct sf_task *task = scope->task;
  scope->state = SCOPE_EXPIRED;
  task->flags |= SF_TASK_EXPIRED;
  struct sf_task *chain = NULL;
  request_deliver(core, task, &chain);
  requests_pass_on(core, chain);
}

#endif

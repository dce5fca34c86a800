/* scope.h - pending cancel requests of a task: the user's, and those of timeout scopes.
 *
 * A request is noticed at the task's next cancel point: a call that parks, when it is about to wait
 * or while it waits. A result that was there first is returned and the request stays pending.
 * A user's request is a flag of the task: requests made before it is noticed are one. A timeout's is
 * the state of its scope, so that it can be attributed, and retracted when the scope ends first:
 *
 *   unarmed ── about to wait ──▶ armed ── time is up ──▶ expired ── noticed ──▶ delivered
 *
 * A scope whose task never waits costs no timer at all.
 */
#ifndef STACKFUL_SCOPE_H
#define STACKFUL_SCOPE_H

#include "timers.h"

enum scope_state {
  SCOPE_UNARMED = 0,
  SCOPE_ARMED = 1,
  SCOPE_EXPIRED = 2,
  SCOPE_DELIVERED = 3,
};

struct timeout {
  struct sf_timer_node timer; /* deadline_ns is the sf_timeout_t until it is armed */
  struct timeout *outer;
  struct sf_task *task; /* NULL: begun outside of any, or ended */
  uint32_t state;
  uint32_t newest; /* delivered: it was the request of its task that was noticed last */
};

_Static_assert(sizeof(struct timeout) == 40, "stackful.h reserves 40 bytes");

/* Flags that a task looks at before it waits. */
#define SF_TASK_ATTENTION (SF_TASK_CANCELED | SF_TASK_EXPIRED | SF_TASK_UNARMED)

static void scopes_arm(struct core *core, struct sf_task *task) {
  task->flags &= (uint8_t)~SF_TASK_UNARMED;
  for (struct timeout *scope = task->scopes; scope != NULL; scope = scope->outer) {
    if (scope->state != SCOPE_UNARMED) continue;
    uint64_t timeout = scope->timer.deadline_ns;
    if (timer_arm_for(core, &scope->timer, TIMER_SCOPE, timeout)) {
      scope->state = SCOPE_ARMED;
    } else {
      scope->state = SCOPE_EXPIRED;
      task->flags |= SF_TASK_EXPIRED;
    }
  }
}

/* Whether a scope of the task has expired; the outermost is `*out`. */
static uint32_t scope_find_expired(struct sf_task *task, struct timeout **out) {
  uint32_t count = 0;
  for (struct timeout *scope = task->scopes; scope != NULL; scope = scope->outer) {
    if (scope->state != SCOPE_EXPIRED) continue;
    count++;
    *out = scope;
  }
  return count;
}

#define NOBODY 0u
#define BY_USER 1u
#define BY_TIMEOUT 2u

/* `scope`: whose request is noticed; NULL: the user's. */
COLD static void request_note(struct sf_task *task, const struct timeout *scope) {
  for (struct timeout *at = task->scopes; at != NULL; at = at->outer) at->newest = at == scope;
}

/* Takes one pending request and says whose it was. The user's goes first; of the timeouts the
 * outermost: what is within it is over too. */
static uint32_t request_take(struct sf_task *task) {
  if (task->shields != 0) return NOBODY;
  if (task->flags & SF_TASK_CANCELED) {
    task->flags &= (uint8_t)~SF_TASK_CANCELED;
    request_note(task, NULL);
    return BY_USER;
  }
  if (!(task->flags & SF_TASK_EXPIRED)) return NOBODY;
  struct timeout *scope = NULL;
  if (scope_find_expired(task, &scope) <= 1) task->flags &= (uint8_t)~SF_TASK_EXPIRED;
  if (scope == NULL) return NOBODY;
  scope->state = SCOPE_DELIVERED;
  request_note(task, scope);
  return BY_TIMEOUT;
}

/* The slow half of a cancel point. Returns whose request was taken: then the task must not wait. */
NOINLINE static uint32_t attend(struct core *core, struct sf_task *task) {
  if (task->flags & SF_TASK_UNARMED) scopes_arm(core, task);
  return request_take(task);
}

#endif

/* timeout.c - timeout scopes as the guest sees them. */
#include "task.h"

/* Stops the scope's time; a request of it that nobody has noticed is taken back. */
COLD static void scope_stop(struct core *core, struct sf_task *task, struct timeout *scope) {
  timer_disarm(core, &scope->timer);
  if (scope->state != SCOPE_EXPIRED) return;
  struct timeout *found;
  scope->state = SCOPE_UNARMED;
  if (scope_find_expired(task, &found) == 0) task->flags &= (uint8_t)~SF_TASK_EXPIRED;
}

/* What leads to the scope among those of its task; NULL: it is none of them. */
COLD static struct timeout **scope_find(struct sf_task *task, const struct timeout *scope) {
  struct timeout **link = (struct timeout **)&task->scopes;
  while (*link != NULL && *link != scope) link = &(*link)->outer;
  return *link == NULL ? NULL : link;
}

COLD static void scope_end(struct core *core, struct sf_task *task, struct timeout *scope) {
  struct timeout **link = scope_find(task, scope);
  if (link == NULL) return;
  *link = scope->outer;
  scope_stop(core, task, scope);
}

EXPORT(sf_timeout_begin) void sf_timeout_begin(struct timeout *scope, uint64_t timeout) {
  struct sf_task *self = current_get();
  touch(scope, sizeof(*scope));
  /* Begun again without an end: twice in the list it would be a circle. */
  if (self != NULL && UNLIKELY(self->scopes != NULL)) scope_end(core_get(), self, scope);
  scope->timer.deadline_ns = timeout;
  scope->timer.kind = TIMER_SCOPE;
  scope->task = self;
  scope->state = SCOPE_UNARMED;
  scope->newest = 0;
  if (self == NULL) return;
  scope->outer = self->scopes;
  self->scopes = scope;
  self->flags |= SF_TASK_UNARMED;
}

EXPORT(sf_timeout_end) int32_t sf_timeout_end(struct timeout *scope, int32_t result) {
  struct sf_task *task = scope->task;
  if (task == NULL || task != current_get()) return result;
  scope_end(core_get(), task, scope);
  scope->task = NULL;
  if (!scope->newest || result != -SF_ECANCELED) return result;
  if (task->shields != 0 || !(task->flags & SF_TASK_CANCELED)) return -SF_ETIMEDOUT;
  request_take(task);
  return -SF_ECANCELED;
}

EXPORT(sf_timeout_set) void sf_timeout_set(struct timeout *scope, uint64_t timeout) {
  struct sf_task *task = scope->task;
  if (task == NULL || task != current_get() || scope_find(task, scope) == NULL) return;
  scope_stop(core_get(), task, scope);
  scope->timer.deadline_ns = timeout;
  scope->state = SCOPE_UNARMED;
  task->flags |= SF_TASK_UNARMED;
}

EXPORT(sf_timeout_expired) int32_t sf_timeout_expired(const struct timeout *scope) {
  return scope->state == SCOPE_DELIVERED;
}

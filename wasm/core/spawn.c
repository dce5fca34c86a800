/* spawn.c - tasks as the guest sees them: spawn, join, detach, cancel, yield, sleep, park, name. */
#include "task.h"

struct sf_spawn_options {
  uint32_t stack_bytes;
  const char *name;
};

INLINE uint32_t name_length(const char *name) {
  uint32_t length = 0;
  while (length < NAME_BYTES_MAX && name[length] != 0) length++;
  return length;
}

/* Makes a task that is not in the ready queue. */
static int32_t spawn(struct core *core, uint32_t entry, uint32_t argument,
                     const struct sf_spawn_options *options, uint32_t flags,
                     struct sf_task **out) {
  const char *name = options == NULL ? NULL : options->name;
  uint32_t name_bytes = name == NULL ? 0 : name_length(name);
  struct sf_task *task;
  int32_t error = task_create(core, entry, options == NULL ? 0 : options->stack_bytes, name_bytes,
                              flags, &task);
  if (error < 0) return error;
  if (name_bytes != 0) {
    task->name = (const char *)task->entry_argument;
    task->name_bytes = (uint8_t)name_bytes;
    __builtin_memcpy((void *)task->entry_argument, name, name_bytes);
  }
  task->entry_argument = argument;
  *out = task;
  return 0;
}

EXPORT(sf_spawn)
int32_t sf_spawn(uint32_t entry, uint32_t argument, const struct sf_spawn_options *options,
                 uint64_t *task_out) {
  struct core *core = core_get();
  if (task_out != NULL) touch(task_out, sizeof(*task_out));
  struct sf_task *task;
  int32_t error =
      spawn(core, entry, argument, options, task_out == NULL ? SF_TASK_DETACHED : 0, &task);
  if (error < 0) return error;
  if (task_out != NULL) *task_out = task_handle(task);
  ready_push(core, task);
  return 0;
}

EXPORT(sf_spawn_room) int32_t sf_spawn_room(uint32_t entry, uint32_t stack_bytes) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  if (stack_bytes == 0) stack_bytes = stack_bytes_for(core, entry);
  uint32_t size_class = size_class_for(stack_bytes);
  if (size_class >= SF_SIZE_CLASSES) return -SF_EINVAL;
  uint32_t wanted = ROOM_FOR_ANY;
  if (core->shared.tasks_live < core->shared.tasks_max) {
    struct sf_task *region = region_take(core, size_class);
    if (region != NULL) {
      region_give_back(core, region);
      return 0;
    }
    wanted = size_class;
  }
  return park_in(&core->spawners, NULL, wanted, 0, SF_WAIT_SPAWN_ROOM,
                 (void *)(wanted == ROOM_FOR_ANY ? 0 : stack_bytes));
}

/* A task that the guest may wait for. */
INLINE int32_t task_find_joinable(struct core *core, uint64_t handle, struct sf_task **out) {
  struct sf_task *task = task_find(core, handle);
  *out = task;
  if (task == NULL) return -SF_ESRCH;
  if (task == current_get()) return -SF_EDEADLK;
  return task->flags & (SF_TASK_DETACHED | SF_TASK_HOST_OWNED) ? -SF_EINVAL : 0;
}

/* -EAGAIN while the task lives. */
static int32_t task_outcome(const struct sf_task *task, int32_t *result_out) {
  if (task->state != SF_STATE_ENDED) return -SF_EAGAIN;
  if (result_out != NULL) *result_out = task->result;
  return task->fault == SF_FAULT_NONE ? 0 : -SF_ENOTRECOVERABLE;
}

/* In waiter.count of a joiner: it frees the task. */
#define JOINER_FREES 1u

EXPORT(sf_join) int32_t sf_join(uint64_t handle, int32_t *result_out) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *task;
  int32_t error = task_find_joinable(core, handle, &task);
  if (error < 0) return error;
  error = task_outcome(task, result_out);
  if (error != -SF_EAGAIN) {
    task_free(core, task);
    return error;
  }
  struct sf_task *self = self_to_park();
  if (result_out != NULL) touch(result_out, sizeof(*result_out));
  /* The request is passed on, not taken: the child's result counts, and the parent still learns. */
  if (self->flags & SF_TASK_UNARMED) scopes_arm(core, self);
  if ((self->flags & (SF_TASK_CANCELED | SF_TASK_EXPIRED)) && self->shields == 0)
    cancel_request(core, task);
  self->waiter.item = result_out;
  self->waiter.count = JOINER_FREES;
  self->wait_queue = &task->joiners;
  wait_queue_push(&task->joiners, &self->waiter);
  return park(self, SF_WAIT_JOIN, address_of(task));
}

EXPORT(sf_task_wait) int32_t sf_task_wait(uint64_t handle, int32_t *result_out) {
  RETURN_IF_RESUMED();
  struct sf_task *task;
  int32_t error = task_find_joinable(core_get(), handle, &task);
  if (error < 0) return error;
  error = task_outcome(task, result_out);
  if (error != -SF_EAGAIN) return error;
  if (result_out != NULL) touch(result_out, sizeof(*result_out));
  return park_in(&task->joiners, result_out, 0, 0, SF_WAIT_TASK, task);
}

EXPORT(sf_task_poll) int32_t sf_task_poll(uint64_t handle, int32_t *result_out) {
  struct sf_task *task;
  int32_t error = task_find_joinable(core_get(), handle, &task);
  return error < 0 ? error : task_outcome(task, result_out);
}

EXPORT(sf_detach) int32_t sf_detach(uint64_t handle) {
  struct core *core = core_get();
  struct sf_task *task = task_find(core, handle);
  if (task == NULL) return -SF_ESRCH;
  if (task->flags & (SF_TASK_DETACHED | SF_TASK_HOST_OWNED)) return -SF_EINVAL;
  task->flags |= SF_TASK_DETACHED;
  if (task->state == SF_STATE_ENDED) task_free(core, task);
  return 0;
}

EXPORT(sf_cancel) int32_t sf_cancel(uint64_t handle) {
  struct core *core = core_get();
  struct sf_task *task = task_find(core, handle);
  if (task == NULL) return -SF_ESRCH;
  cancel_request(core, task);
  return 0;
}

EXPORT(sf_self) uint64_t sf_self(void) {
  struct sf_task *self = current_get();
  return self == NULL ? 0 : task_handle(self);
}

EXPORT(sf_now) uint64_t sf_now(void) { return core_get()->shared.now_ns; }

EXPORT(sf_shield_begin) void sf_shield_begin(void) {
  struct sf_task *self = current_get();
  if (self == NULL) return;
  if (++self->shields == 0) __builtin_trap();
}

EXPORT(sf_shield_end) void sf_shield_end(void) {
  struct sf_task *self = current_get();
  if (self != NULL && self->shields != 0) self->shields--;
}

EXPORT(sf_checkpoint) int32_t sf_checkpoint(void) {
  struct sf_task *self = current_get();
  if (self != NULL) RETURN_IF_CANCELED(self);
  return 0;
}

EXPORT(sf_recancel) void sf_recancel(void) {
  struct sf_task *self = current_get();
  if (self == NULL) return;
  for (struct timeout *scope = self->scopes; scope != NULL; scope = scope->outer) {
    if (scope->state != SCOPE_DELIVERED || !scope->newest) continue;
    scope->state = SCOPE_EXPIRED;
    self->flags |= SF_TASK_EXPIRED;
    return;
  }
  self->flags |= SF_TASK_CANCELED;
}

INLINE int32_t yield_to_others(struct core *core, struct sf_task *self) {
  self->waiter.result = 0;
  ready_push(core, self);
  return park(self, SF_WAIT_READY, 0);
}

EXPORT(sf_yield) int32_t sf_yield(void) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  if (core->ready_first == NULL && core->budget != 0) {
    core->budget--;
    return 0;
  }
  return yield_to_others(core, self);
}

EXPORT(sf_maybe_yield) int32_t sf_maybe_yield(void) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  if (core->budget != 0) {
    core->budget--;
    return 0;
  }
  return yield_to_others(core, self);
}

EXPORT(sf_sleep_until) int32_t sf_sleep_until(uint64_t deadline_ns) {
  RETURN_IF_RESUMED();
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  timer_arm(core_get(), &self->timer, TIMER_SLEEP, deadline_ns);
  return park(self, SF_WAIT_SLEEP, 0);
}

EXPORT(sf_sleep) int32_t sf_sleep(uint64_t duration_ns) {
  RETURN_IF_RESUMED();
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  timer_arm_later(core_get(), &self->timer, TIMER_SLEEP, duration_ns);
  return park(self, SF_WAIT_SLEEP, 0);
}

EXPORT(sf_park) int32_t sf_park(void) {
  RETURN_IF_RESUMED();
  struct sf_task *self = self_to_park();
  if (self->flags & SF_TASK_PERMIT) {
    self->flags &= (uint8_t)~SF_TASK_PERMIT;
    return 0;
  }
  RETURN_IF_CANCELED(self);
  return park(self, SF_WAIT_UNPARK, 0);
}

EXPORT(sf_unpark) int32_t sf_unpark(uint64_t handle) {
  struct core *core = core_get();
  struct sf_task *task = task_find(core, handle);
  if (task == NULL) return -SF_ESRCH;
  if (task->state == SF_STATE_PARKED && task->wait == SF_WAIT_UNPARK)
    waiter_wake(core, &task->waiter, 0);
  else
    task->flags |= SF_TASK_PERMIT;
  return 0;
}

/* Copies at most `bytes_max` bytes of the task's name; returns its whole length. */
EXPORT(sf_task_name)
int32_t sf_task_name(uint64_t handle, char *name_out, uint32_t bytes_max) {
  struct sf_task *task = task_find(core_get(), handle);
  if (task == NULL) return -SF_ESRCH;
  uint32_t bytes = task->name_bytes < bytes_max ? task->name_bytes : bytes_max;
  __builtin_memcpy(name_out, task->name, bytes);
  return (int32_t)task->name_bytes;
}

struct local {
  struct local *next;
  const void *key;
  void *value;
};

COLD static void local_unlink(struct sf_task *self, const struct local *local) {
  struct local *before = NULL;
  struct local *at = self->locals;
  for (; at != NULL && at != local; at = at->next) before = at;
  if (at == NULL) return;
  if (before == NULL)
    self->locals = at->next;
  else
    before->next = at->next;
}

/* One that is bound already is moved: twice in the list it would be a circle. */
EXPORT(sf_local_set) void sf_local_set(struct local *local, const void *key, void *value) {
  struct sf_task *self = current_get();
  if (self == NULL) __builtin_trap();
  touch(local, sizeof(*local));
  local_unlink(self, local);
  local->key = key;
  local->value = value;
  local->next = self->locals;
  self->locals = local;
}

EXPORT(sf_local_clear) void sf_local_clear(struct local *local) {
  struct sf_task *self = current_get();
  if (self != NULL) local_unlink(self, local);
}

EXPORT(sf_local_get) void *sf_local_get(const void *key) {
  struct sf_task *self = current_get();
  if (self == NULL) return NULL;
  for (struct local *local = self->locals; local != NULL; local = local->next)
    if (local->key == key) return local->value;
  return NULL;
}

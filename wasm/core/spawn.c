/* spawn.c - tasks as the guest sees them: spawn, join, detach, cancel, yield, sleep, park, name. */
#include "cancel.h"
#include "park.h"

struct sf_spawn_options {
  uint32_t stack_bytes;
  const char *name;
};

INLINE uint32_t name_length(const char *name) {
  uint32_t length = 0;
  while (length < NAME_BYTES_MAX && name[length] != 0) length++;
  return length;
}

EXPORT(sf_spawn)
int32_t sf_spawn(uint32_t entry, uint32_t argument, const struct sf_spawn_options *options,
                 uint64_t *task_out) {
  struct core *core = core_get();
  if (task_out != NULL) touch(task_out, sizeof(*task_out));
  const char *name = options == NULL ? NULL : options->name;
  uint32_t name_bytes = name == NULL ? 0 : name_length(name);
  struct sf_task *task;
  int32_t error = task_create(core, entry, options == NULL ? 0 : options->stack_bytes, name_bytes,
                              task_out == NULL ? SF_TASK_DETACHED : 0, &task);
  if (error < 0) return error;
  if (name_bytes != 0) {
    task->name = (const char *)task->entry_argument;
    task->name_bytes = name_bytes;
    __builtin_memcpy((void *)task->entry_argument, name, name_bytes);
  }
  task->entry_argument = argument;
  if (task_out != NULL) *task_out = task_handle(task);
  ready_push(core, task);
  return 0;
}

EXPORT(sf_join) int32_t sf_join(uint64_t handle, int32_t *result_out) {
  if (phase_get() == PHASE_REWINDING) {
    int32_t error = resumed();
    struct sf_task *joiner = current_get();
    /* Here and not where the other task ends: a wild pointer must trap its owner. */
    if (joiner->waiter.item != NULL) *(int32_t *)joiner->waiter.item = joiner->joined_result;
    return error;
  }
  struct core *core = core_get();
  struct sf_task *task = task_find(core, handle);
  if (task == NULL) return -SF_ESRCH;
  if (task == current_get()) return -SF_EDEADLK;
  if (task->flags & (SF_TASK_DETACHED | SF_TASK_HOST_OWNED)) return -SF_EINVAL;
  if (task->state == SF_STATE_ENDED) {
    int32_t error = task->fault == SF_FAULT_NONE ? 0 : -SF_ENOTRECOVERABLE;
    int32_t result = task->result;
    task_free(core, task);
    if (result_out != NULL) *result_out = result;
    return error;
  }
  struct sf_task *self = self_to_park();
  /* The request is passed on, not taken: the child's result counts, and the parent still learns. */
  if (self->flags & SF_TASK_CANCELED) cancel_request(core, task);
  self->waiter.item = result_out;
  self->wait_queue = &task->joiners;
  wait_queue_push(&task->joiners, &self->waiter);
  return park(self, SF_WAIT_JOIN, address_of(task));
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

EXPORT(sf_yield) int32_t sf_yield(void) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (take_cancel(self)) return -SF_ECANCELED;
  if (core->ready_first == NULL && core->budget != 0) {
    core->budget--;
    return 0;
  }
  self->waiter.result = 0;
  ready_push(core, self);
  return park(self, SF_WAIT_READY, 0);
}

EXPORT(sf_sleep_until) int32_t sf_sleep_until(uint64_t deadline_ns) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (take_cancel(self)) return -SF_ECANCELED;
  timer_arm(core, self, deadline_ns);
  return park(self, SF_WAIT_SLEEP, 0);
}

EXPORT(sf_sleep) int32_t sf_sleep(uint64_t duration_ns) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (take_cancel(self)) return -SF_ECANCELED;
  timer_arm_later(core, self, duration_ns);
  return park(self, SF_WAIT_SLEEP, 0);
}

EXPORT(sf_park) int32_t sf_park(void) {
  RETURN_IF_RESUMED();
  struct sf_task *self = self_to_park();
  if (self->flags & SF_TASK_PERMIT) {
    self->flags &= (uint8_t)~SF_TASK_PERMIT;
    return 0;
  }
  if (take_cancel(self)) return -SF_ECANCELED;
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

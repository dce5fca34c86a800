/* host.c - what the host calls besides stackful_run: tasks it owns, promises a task waits for, and
 * memory for what it shares with the guest. */
#include "task.h"

/* A task of the host, not yet started. `top_bytes` for arguments and name lie at entry_argument.
 * Returns its address, or a negated errno as task_create does. */
EXPORT(stackful_task_create)
int32_t stackful_task_create(uint32_t entry, uint32_t stack_bytes, uint32_t top_bytes) {
  struct sf_task *task;
  int32_t error =
      task_create(core_get(), entry, stack_bytes, top_bytes, SF_TASK_HOST_OWNED, &task);
  return error < 0 ? error : (int32_t)address_of(task);
}

/* The task that runs; 0: none. */
EXPORT(stackful_task_current) struct sf_task *stackful_task_current(void) { return current_get(); }

EXPORT(stackful_task_start) void stackful_task_start(struct sf_task *task) {
  ready_push(core_get(), task);
}

EXPORT(stackful_task_cancel) void stackful_task_cancel(struct sf_task *task) {
  cancel_request(core_get(), task);
}

/* Only after it came back in sf_shared.ended. */
EXPORT(stackful_task_free) void stackful_task_free(struct sf_task *task) {
  task_free(core_get(), task);
}

/* Parks the current task from inside a host import: the import calls this, returns, and is entered
 * again after stackful_await_settled; then it calls stackful_await_end and returns its result. */
EXPORT(stackful_await_begin) void stackful_await_begin(void) {
  struct sf_task *self = self_to_park();
  if (UNLIKELY(self->flags & SF_TASK_UNARMED)) scopes_arm(core_get(), self);
  park(self, SF_WAIT_HOST, 0);
}

EXPORT(stackful_await_end) int32_t stackful_await_end(void) { return resumed(); }

EXPORT(stackful_await_settled) void stackful_await_settled(struct sf_task *task) {
  struct core *core = core_get();
  if (task->state == SF_STATE_DOOMED)
    task_end(core, task, -SF_ENOTRECOVERABLE);
  else
    waiter_wake(core, &task->waiter, 0);
}

/* Brackets a call of a guest export from outside a turn or from an import: no task may park below it.
 * Returns what stackful_nested_end must be given, which also clears what a trap in between left. */
EXPORT(stackful_nested_begin) uint32_t stackful_nested_begin(void) {
  uint32_t phase = phase_get();
  phase_set(PHASE_NESTED);
  return phase;
}

EXPORT(stackful_nested_end) void stackful_nested_end(uint32_t phase) {
  struct core *core = core_get();
  phase_set(phase);
  stack_overflow_at_set(0);
  core->shared.fault = core->shared.fault_bytes = 0;
}

/* Memory that host and guest share. Returns 0 when there is none left, or `bytes` is more than the
 * largest size class. */
EXPORT(stackful_allocate) uint32_t stackful_allocate(uint32_t bytes) {
  uint32_t size_class = size_class_for(bytes);
  if (size_class >= SF_SIZE_CLASSES) return 0;
  struct sf_task *region = region_take(core_get(), size_class);
  return region == NULL ? 0 : address_of(region + 1);
}

EXPORT(stackful_release) void stackful_release(uint32_t address) {
  region_give_back(core_get(), (struct sf_task *)address - 1);
}

/* A free region of this class, which is the host's from now on, to release or to give as part of a
 * span; 0: there is none. */
EXPORT(stackful_pool_take) struct sf_task *stackful_pool_take(uint32_t size_class) {
  struct core *core = core_get();
  if (size_class >= SF_SIZE_CLASSES || core->pool[size_class] == NULL) return NULL;
  struct sf_task *region = region_take(core, size_class);
  region->serial = 0;
  return region;
}

/* Adjacent regions and spans that the host has taken, and that regions may be cut from again. */
EXPORT(stackful_span_give) void stackful_span_give(struct sf_span *span, uint32_t bytes) {
  struct core *core = core_get();
  span->next = core->spans;
  span->bytes = bytes;
  core->spans = span;
  if (bytes > core->span_bytes_max) core->span_bytes_max = bytes;
  core->shared.regions_bytes -= bytes;
}

/* A span, to be given again as part of a larger one; NULL: there is none. */
EXPORT(stackful_span_take) struct sf_span *stackful_span_take(void) {
  struct core *core = core_get();
  struct sf_span *span = core->spans;
  if (span == NULL) return NULL;
  core->spans = span->next;
  core->shared.regions_bytes += span->bytes;
  return span;
}

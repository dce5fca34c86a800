/* task.h - creating, ending and finding tasks.
 *
 * A task's handle is its serial and its region's address. Headers of freed regions stay headers (see
 * arena.h), so that a stale handle is recognised without a table.
 *
 *   create ──▶ ready ──▶ running ◀──▶ parked ──▶ ended ──▶ free   when it was detached or joined;
 *                                                                 else when somebody does so
 */
#ifndef STACKFUL_TASK_H
#define STACKFUL_TASK_H

#include "arena.h"
#include "queue.h"
#include "slots.h"

/* Leaf functions may write this far below __stack_pointer without moving it (LLVM's red zone). */
#define RED_ZONE_BYTES 128u

/* The longest name kept, in bytes. */
#define NAME_BYTES_MAX 64u

INLINE uint32_t region_end(const struct sf_task *task) {
  return frames_base(task) + size_class_bytes(task->size_class);
}

INLINE uint64_t task_handle(const struct sf_task *task) {
  return (uint64_t)task->serial << 32 | address_of(task);
}

/* NULL: the handle is forged, or its task is gone. */
static struct sf_task *task_find(struct core *core, uint64_t handle) {
  uint32_t address = (uint32_t)handle;
  if (address % ARENA_ALIGN != 0 || address < address_of(core)) return NULL;
  if (address > core->arena_next - sizeof(struct sf_task)) return NULL;
  struct sf_task *task = (struct sf_task *)address;
  if (task->serial != (uint32_t)(handle >> 32) || task->serial == 0) return NULL;
  if (task->state == SF_STATE_FREE) return NULL;
  /* Memory that was given back is cut anew: what was a header may lie inside a stack now. */
  if (task->waiter.task != task) return NULL;
  return task;
}

/* Makes a task that is not yet in the ready queue. `top_bytes` at the upper end of its stack are
 * left to the caller (arguments, name); at most a quarter of it, or the stack gets larger. Returns 0, -EAGAIN (tasks_max), -ENOMEM, or -EINVAL. */
static int32_t task_create(struct core *core, uint32_t entry, uint32_t stack_bytes,
                           uint32_t top_bytes, uint32_t flags, struct sf_task **out) {
  if (stack_bytes == 0) stack_bytes = core->shared.stack_bytes_default;
  top_bytes = (top_bytes + 15) & ~15u;
  if (stack_bytes < 4 * top_bytes) stack_bytes = 4 * top_bytes;
  uint32_t size_class = size_class_for(stack_bytes);
  if (size_class >= SF_SIZE_CLASSES) return -SF_EINVAL;
  if (core->shared.tasks_live >= core->shared.tasks_max) return -SF_EAGAIN;
  struct sf_task *task = region_take(core, size_class);
  if (task == NULL) return -SF_ENOMEM;

  uint32_t top = frames_base(task) + size_class_bytes(size_class) - top_bytes;
  /* Asyncify compares the position with it; the check that counts is in run.c. */
  task->frames_end = UINT32_MAX;
  task->stack_pointer = top;
  task->stack_limit = frames_base(task) + RED_ZONE_BYTES;
  task->stack_span = top - task->stack_limit;
  task->entry = entry;
  task->entry_argument = top;
  task->waiter.task = task;
  task->waiter.item = NULL;
  task->state = SF_STATE_NEW;
  task->flags = (uint8_t)flags;
  task->serial = ++core->next_serial;
  task->fault = SF_FAULT_NONE;
  task->fault_bytes = 0;
  task->result = 0;
  task->name = NULL;
  task->name_bytes = 0;
  task->switches = 0;
  task->joiners.first = task->joiners.last = NULL;
  task->timer_child = task->timer_sibling = task->timer_previous = NULL;
  task->slot = NULL;

  task->all_previous = NULL;
  task->all_next = core->shared.all;
  if (task->all_next != NULL) task->all_next->all_previous = task;
  core->shared.all = task;
  core->shared.tasks_live++;
  *out = task;
  return 0;
}

static void task_free(struct core *core, struct sf_task *task) {
  if (task->all_previous == NULL)
    core->shared.all = task->all_next;
  else
    task->all_previous->all_next = task->all_next;
  if (task->all_next != NULL) task->all_next->all_previous = task->all_previous;
  region_give_back(core, task);
}

static void task_end(struct core *core, struct sf_task *task, int32_t result) {
  task->state = SF_STATE_ENDED;
  task->result = result;
  if (task->slot != NULL) slot_release(core, task);
  core->shared.tasks_live--;
  uint32_t consumed = task->flags & SF_TASK_DETACHED;
  while (task->joiners.first != NULL) {
    struct sf_waiter *joiner = wait_queue_pop(&task->joiners);
    joiner->task->joined_result = result;
    waiter_wake(core, joiner, task->fault == SF_FAULT_NONE ? 0 : -SF_ENOTRECOVERABLE);
    consumed = 1;
  }
  if (task->flags & SF_TASK_HOST_OWNED) {
    task->next = core->shared.ended;
    core->shared.ended = task;
  } else if (consumed) {
    task_free(core, task);
  }
}

#endif

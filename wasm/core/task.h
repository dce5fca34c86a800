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

#include "attach.h"
#include "cancel.h"
#include "paint.h"

/* Leaf functions may write this far below __stack_pointer without moving it (LLVM's red zone). */
#define RED_ZONE_BYTES 128u

/* The longest name kept, in bytes. */
#define NAME_BYTES_MAX 64u

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

/* 1 + the size class that a task of `entry` can need at most; 0: the linker could not tell. */
INLINE uint32_t entry_class(const struct core *core, uint32_t entry) {
  const struct sf_shared *shared = &core->shared;
  return entry < shared->entry_classes_count ? ((const uint8_t *)shared->entry_classes)[entry] : 0;
}

/* What a task of `entry` gets that names no size. */
INLINE uint32_t stack_bytes_for(const struct core *core, uint32_t entry) {
  uint32_t bounded = entry_class(core, entry);
  return bounded != 0 ? size_class_bytes(bounded - 1) : core->shared.stack_bytes_default;
}

INLINE uint32_t stack_is_bounded(const struct core *core, uint32_t entry, uint32_t size_class) {
  uint32_t bounded = entry_class(core, entry);
  return bounded != 0 && size_class >= bounded - 1 && core->shared.stack_marks == 0;
}

/* Makes a task that is not yet in the ready queue. `top_bytes` at the upper end of its stack are
 * left to the caller (arguments, name); at most a quarter of it, or the stack gets larger. Returns 0, -EAGAIN (tasks_max), -ENOMEM, or -EINVAL. */
static int32_t task_create(struct core *core, uint32_t entry, uint32_t stack_bytes,
                           uint32_t top_bytes, uint32_t flags, struct sf_task **out) {
  if (stack_bytes == 0) stack_bytes = stack_bytes_for(core, entry);
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
  task->waiter.result = 0;
  task->state = SF_STATE_NEW;
  task->flags = (uint8_t)flags;
  task->wait = SF_WAIT_READY;
  task->slot = NULL;
  if (stack_is_bounded(core, entry, size_class)) {
    task->slot = task;
    task->frames_position = frames_base(task);
  }
  task->switches = 0;
  task->serial = ++core->next_serial;
  task->result = 0;
  task->fault_bytes = 0;
  task->fault = SF_FAULT_NONE;
  task->name_bytes = 0;
  task->shields = 0;
  task->name = NULL;
  task->joiners.first = task->joiners.last = NULL;
  task->timer.kind = TIMER_SLEEP;
  task->scopes = task->locals = task->attached = task->group = NULL;
  task->created_at = task->parked_at = (uint32_t)(core->shared.now_ns >> SF_AGE_SHIFT);
  task->stack_high = 0;
  if (UNLIKELY(core->shared.stack_marks != 0)) stack_paint(task);

  task->all_previous = NULL;
  task->all_next = core->shared.all;
  if (task->all_next != NULL) task->all_next->all_previous = task;
  core->shared.all = task;
  core->shared.tasks_live++;
  *out = task;
  return 0;
}

/* Whoever waits for room may be next. */
COLD static void spawners_wake(struct core *core, uint32_t size_class) {
  struct sf_waiter *waiter = core->spawners.first;
  while (waiter != NULL) {
    struct sf_waiter *next = waiter->next;
    if (waiter->count == size_class) {
      wait_queue_remove(&core->spawners, waiter);
      waiter_wake(core, waiter, 0);
      return;
    }
    waiter = next;
  }
}

/* In waiter.count of a spawner: it waits for fewer tasks, not for memory. */
#define ROOM_FOR_ANY SF_SIZE_CLASSES

static void task_free(struct core *core, struct sf_task *task) {
  if (task->all_previous == NULL)
    core->shared.all = task->all_next;
  else
    task->all_previous->all_next = task->all_next;
  if (task->all_next != NULL) task->all_next->all_previous = task->all_previous;
  region_give_back(core, task);
  if (UNLIKELY(core->spawners.first != NULL)) spawners_wake(core, task->size_class);
}

static void group_member_ended(struct core *core, struct sf_task *task, int32_t result);
static uint32_t attachments_end(struct core *core, struct sf_task *task);

/* Returns 1 when the end must wait for the host: operations in flight use the task's stack. */
COLD static uint32_t task_let_go(struct core *core, struct sf_task *task) {
  struct timeout *scope = task->scopes;
  task->scopes = NULL; /* First: should the guest have spoilt one, the next attempt goes past them. */
  for (; scope != NULL; scope = scope->outer) {
    timer_disarm(core, &scope->timer);
    scope->task = NULL;
  }
  if (task->attached == NULL || attachments_end(core, task) == 0) return 0;
  task->state = SF_STATE_DOOMED;
  task->wait = SF_WAIT_OPERATION;
  task->wait_detail = 0;
  return 1;
}

static void task_end(struct core *core, struct sf_task *task, int32_t result) {
  task->result = result;
  slot_release(core, task);
  if (UNLIKELY(core->shared.stack_marks != 0)) stack_mark(core, task);
  if (UNLIKELY(task->scopes != NULL || task->attached != NULL) && task_let_go(core, task)) return;
  /* It ends once, also when something that the guest has spoilt traps below. */
  if (task->state != SF_STATE_ENDED) core->shared.tasks_live--;
  task->state = SF_STATE_ENDED;
  uint32_t consumed = task->flags & SF_TASK_DETACHED;
  int32_t error = task->fault == SF_FAULT_NONE ? 0 : -SF_ENOTRECOVERABLE;
  while (task->joiners.first != NULL) {
    struct sf_waiter *joiner = wait_queue_pop(&task->joiners);
    if (joiner->item != NULL) *(int32_t *)joiner->item = result;
    consumed |= joiner->count;
    waiter_wake(core, joiner, error);
  }
  if (task->group != NULL) group_member_ended(core, task, error < 0 ? error : result);
  if (UNLIKELY(core->spawners.first != NULL)) spawners_wake(core, ROOM_FOR_ANY);
  if (task->flags & SF_TASK_HOST_OWNED) {
    task->next = core->shared.ended;
    core->shared.ended = task;
  } else if (consumed) {
    task_free(core, task);
  }
}

#endif

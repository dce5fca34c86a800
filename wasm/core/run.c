/* run.c - the switch, the run loop, and what the host calls around it.
 *
 *   stackful_run ──▶ entry(argument) ──▶ guest frames ──▶ a parking core function
 *        ▲                                                   │ start_unwind
 *        └──── stop_unwind, frames copied, next ready task ◀─┘
 *
 * Asyncify does not move __stack_pointer. After an unwind it still stands where the innermost guest
 * frame left it, which is where a rewind must find it again.
 */
#include "task.h"

/* For core functions that the host calls, when the guest brings no stack. */
#define HOST_STACK_BYTES (16u << 10)

/* The frames in the slot do not fit the region. Runs the task once more from the slot; it traps in
 * resumed(), so that the host gets the stack trace. */
NOINLINE static void overflow_frames(struct core *core, struct sf_task *task, uint32_t bytes) {
  if (task->wait == SF_WAIT_READY) {
    /* It yielded, or its wait was ended just now, and that may have woken others behind it. */
    struct sf_task **link = &core->ready_first;
    struct sf_task *before = NULL;
    while (*link != task) {
      before = *link;
      link = &before->next;
    }
    *link = task->next;
    if (core->ready_last == task) core->ready_last = before;
  } else if (wait_abort(core, task, 0)) {
    overflow_frames(core, task, bytes);
    return;
  } else if (task->wait == SF_WAIT_OP && task->wait_detail != SF_OP_CLOSE) {
    op_cancel(core, task);
  }
  task->state = SF_STATE_DOOMED;
  core->shared.fault = SF_FAULT_FRAMES_OVERFLOW;
  core->shared.fault_bytes = bytes + (region_end(task) - stack_pointer_get());
  phase_set(PHASE_REWINDING);
  asyncify_start_rewind(task->slot);
  ((int32_t (*)(uint32_t))task->entry)(task->entry_argument);
}

/* Where the task's frames are, and a slot for them where it needs one. */
INLINE void *frames_of(struct core *core, struct sf_task *task) {
  if (task->slot != NULL) return task->slot;
  struct slot *slot = slot_take(core, task);
  if (LIKELY(core->shared.stack_marks == 0) || task->state != SF_STATE_PARKED) return task;
  frames_lift(task, slot);
  return slot;
}

/* What follows the end of a task must not use its stack: groups and timers may still lie there. */
INLINE void host_stack(struct core *core) {
  stack_pointer_set(core->host_stack_pointer);
  stack_limit_set(core->host_stack_limit);
  stack_span_set(core->host_stack_span);
}

INLINE void enter(struct core *core, struct sf_task *task) {
  current_set(task);
  stack_limit_set(task->stack_limit);
  stack_span_set(task->stack_span);
  stack_pointer_set(task->stack_pointer);
  core->attempts = core->shared.attempts_max;
  void *frames = frames_of(core, task);
  if (task->state == SF_STATE_PARKED) {
    phase_set(PHASE_REWINDING);
    asyncify_start_rewind(frames);
  }
  task->state = SF_STATE_RUNNING;
  task->switches++;
  int32_t result = ((int32_t (*)(uint32_t))task->entry)(task->entry_argument);

  if (phase_get() != PHASE_UNWINDING) {
    host_stack(core);
    task_end(core, task, result);
    return;
  }
  asyncify_stop_unwind();
  phase_set(PHASE_NORMAL);
  task->state = SF_STATE_PARKED;
  task->parked_at = core->parked_at;
  uint32_t stack_pointer = stack_pointer_get();
  if (!frames_fit(task)) {
    const struct slot *slot = task->slot;
    uint32_t bytes = (slot->position - slot->base + 7) & ~7u;
    if (UNLIKELY(bytes > stack_pointer - frames_base(task))) {
      overflow_frames(core, task, bytes);
      return;
    }
  }
  task->stack_pointer = stack_pointer;
  if (UNLIKELY(core->shared.stack_marks != 0)) stack_note(task);
}

INLINE void leave(struct core *core) {
  host_stack(core);
  current_set(NULL);
  phase_set(PHASE_NESTED);
}

static void operation_complete(struct core *core, uint32_t token, int32_t result);
static void timer_event_fire(struct sf_timer_node *node);

NOINLINE static void completions_deliver(struct core *core) {
  struct sf_shared *shared = &core->shared;
  while (shared->completions_head != shared->completions_tail) {
    uint32_t index = shared->completions_head++ & (shared->completions_capacity - 1);
    struct sf_completion *completion = (struct sf_completion *)shared->completions + index;
    int32_t result = completion->result;
    shared->ops_pending--;
    if (completion->token & OPERATION_TOKEN) {
      operation_complete(core, completion->token, result);
      continue;
    }
    struct sf_task *task = (struct sf_task *)completion->token;
    if (task->state == SF_STATE_DOOMED) {
      task_end(core, task, -SF_ENOTRECOVERABLE);
      continue;
    }
    task->flags &= (uint8_t)~SF_TASK_CANCEL_SENT;
    task->waiter.result = result;
    if (result == -SF_ECANCELED) request_noticed(task, request_take(task));
    ready_push(core, task);
  }
}

NOINLINE static void timers_fire(struct core *core) {
  uint64_t now_ns = core->shared.now_ns;
  while (core->timers != NULL && core->timers->deadline_ns <= now_ns) {
    struct sf_timer_node *node = core->timers;
    timer_disarm(core, node);
    switch (node->kind) {
      case TIMER_SLEEP:
        waiter_wake(core, &CONTAINER_OF(node, struct sf_task, timer)->waiter, 0);
        break;
      case TIMER_SCOPE:
        scope_expire(core, CONTAINER_OF(node, struct timeout, timer));
        break;
      case TIMER_ARM:
        waiter_wake(core, &CONTAINER_OF(node, struct sf_arm, timer)->waiter, 0);
        break;
      default:
        timer_event_fire(node);
    }
  }
}

/* Delivers completions, fires timers, and then enters ready tasks: at most `budget` of them, and
 * only while the ring has room for what each may submit. Returns whether some are still ready. */
EXPORT(stackful_run) uint32_t stackful_run(uint32_t budget) {
  struct core *core = core_get();
  completions_deliver(core);
  if (core->sleepers != NULL) sleepers_arm(core);
  timers_fire(core);
  if (UNLIKELY(core->cancels_unsent)) cancels_resend(core);
  phase_set(PHASE_NORMAL);
  core->budget = budget;
  core->parked_at = (uint32_t)(core->shared.now_ns >> SF_AGE_SHIFT);
  while (core->ready_first != NULL && core->budget != 0 && submissions_room(core) != 0) {
    core->budget--;
    enter(core, ready_pop(core));
  }
  core->shared.switches += budget - core->budget;
  core->shared.deadline_ns = core->timers == NULL ? NO_DEADLINE : core->timers->deadline_ns;
  leave(core);
  return core->ready_first != NULL;
}

static uint32_t arms_use(const struct sf_waiter *owner, const struct sf_task *stack);

/* `failed` is over, and with it the channels, mutexes and so on that lie on its stack: whoever waits
 * there gets -EOWNERDEAD. */
COLD static void waiters_orphan(struct core *core, struct sf_task *failed) {
  for (struct sf_task *task = core->shared.all; task != NULL; task = task->all_next) {
    if (task == failed || task->state != SF_STATE_PARKED) continue;
    uint32_t affected = 1;
    switch (task->wait) {
      case SF_WAIT_READY:
      case SF_WAIT_SLEEP:
      case SF_WAIT_UNPARK:
      case SF_WAIT_OP:
      case SF_WAIT_HOST:
        continue;
      case SF_WAIT_SELECT:
        affected = arms_use(&task->waiter, failed);
        break;
      case SF_WAIT_CONDITION:
        if (in_stack_of(failed, task->waiter.item)) break;
        /* It must have the mutex when it returns. */
        if (in_stack_of(failed, task->wait_queue)) condition_abort(core, task, -SF_EOWNERDEAD);
        continue;
      case SF_WAIT_SIGNAL:
      case SF_WAIT_FUTEX:
        /* The queue is the core's. */
        affected = in_stack_of(failed, task->waiter.item);
        break;
      default:
        affected = in_stack_of(failed, task->wait_queue);
    }
    if (affected) wait_abort(core, task, -SF_EOWNERDEAD);
  }
}

/* The host's answer to an exception out of stackful_run: ends the current task, so that the next run
 * can go on with the others. Returns 0, or -ENOTRECOVERABLE when a slot overflowed: then the instance
 * must not be used any more. */
EXPORT(stackful_fail_current) COLD int32_t stackful_fail_current(uint32_t fault) {
  struct core *core = core_get();
  struct sf_task *task = current_get();
  uint32_t phase = phase_get();
  const struct slot *slot = task->slot;
  if (phase == PHASE_UNWINDING && slot->position > slot->end) return -SF_ENOTRECOVERABLE;
  phase_set(PHASE_NORMAL);
  if (phase == PHASE_UNWINDING) asyncify_stop_unwind();
  if (phase == PHASE_REWINDING) asyncify_stop_rewind();
  uint32_t overflow_at = stack_overflow_at_get();
  if (overflow_at != 0) {
    core->shared.fault = SF_FAULT_C_STACK_OVERFLOW;
    core->shared.fault_bytes = region_end(task) - overflow_at + RED_ZONE_BYTES;
    stack_overflow_at_set(0);
  }
  host_stack(core);
  task->fault = core->shared.fault != SF_FAULT_NONE ? core->shared.fault : fault;
  task->fault_bytes = core->shared.fault_bytes;
  core->shared.fault = core->shared.fault_bytes = 0;
  uint32_t host_holds_it = task->wait == SF_WAIT_OP || task->wait == SF_WAIT_HOST;
  waiters_orphan(core, task);
  if (task->state != SF_STATE_DOOMED || !host_holds_it)
    task_end(core, task, -SF_ENOTRECOVERABLE);
  leave(core);
  return 0;
}

/* Takes memory for the core and its rings. Has no C stack: there may be none yet. `guest_pages_max`: how far the guest may grow its memory,
 * in pages; not less than it has. Capacities are powers of two. Returns the address of sf_shared, or 0
 * when memory cannot grow so far. */
EXPORT(stackful_init) COLD
uint32_t stackful_init(uint32_t guest_pages_max, uint32_t submissions_capacity,
                       uint32_t completions_capacity) {
  uint32_t guest_pages = __builtin_wasm_memory_size(0);
  if (guest_pages_max < guest_pages) guest_pages_max = guest_pages;
  if (__builtin_wasm_memory_grow(0, guest_pages_max - guest_pages) == UINT32_MAX) return 0;
  uint32_t submissions_bytes = submissions_capacity * sizeof(struct sf_submission);
  uint32_t completions_bytes = completions_capacity * sizeof(struct sf_completion);
  uint32_t bytes = sizeof(struct core) + submissions_bytes + completions_bytes +
                   SLOTS * (SLOT_BYTES + SLOT_STAGGER_BYTES) + HOST_STACK_BYTES + 64;
  uint32_t pages = (bytes + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
  uint32_t first_page = __builtin_wasm_memory_grow(0, pages);
  if (first_page == UINT32_MAX) return 0;

  /* Fresh memory is zero; only what is not is set. */
  struct core *core = (struct core *)(first_page * WASM_PAGE_BYTES);
  core->arena_next = core->arena_end = (first_page + pages) * WASM_PAGE_BYTES;
  core->guest_pages = guest_pages;
  core->guest_pages_max = guest_pages_max;
  /* A guest without a stack in memory still calls core functions that have one. */
  if (stack_pointer_get() == 0) stack_pointer_set(core->arena_end & ~15u);
  core->host_stack_pointer = stack_pointer_get();
  core->host_stack_limit = stack_limit_get();
  core->host_stack_span = stack_span_get();
  core->shared.deadline_ns = NO_DEADLINE;
  core->shared.submissions = (address_of(core + 1) + 63) & ~63u;
  core->shared.submissions_capacity = submissions_capacity;
  core->shared.completions = core->shared.submissions + submissions_bytes;
  core->shared.completions_capacity = completions_capacity;
  slots_init(core, core->shared.completions + completions_bytes);
  core_set(core);
  phase_set(PHASE_NESTED);
  return address_of(core);
}

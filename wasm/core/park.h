/* park.h - how a core function parks its caller.
 *
 * Every function here that can park is called by guest code directly and is entered twice:
 *
 *   guest ── sf_receive ──▶ nothing there: PARK(...)    starts the unwind and returns; every guest
 *                                                       frame saves its locals and returns, down to
 *                                                       stackful_run
 *   guest ── sf_receive ──▶ RESUMED: RETURN_RESUMED     once somebody woke the task, stackful_run
 *                                                       rewinds: the guest's frames are back and call
 *                                                       again; the result is in the task's waiter
 *
 * So the function must look for the rewind before anything else, must not use its arguments then
 * (Asyncify does not promise to restore them), and has no frame of its own to save: that is one
 * frame less on every switch. Whoever wakes the task does what is left to do. It must not be inlined
 * into guest code before Asyncify has run; the linker sees to that.
 */
#ifndef STACKFUL_PARK_H
#define STACKFUL_PARK_H

#include "scope.h"

/* First statement of every parking function. */
#define RETURN_IF_RESUMED()                      \
  do {                                           \
    if (phase_get() == PHASE_REWINDING)          \
      return resumed();                          \
  } while (0)

__attribute__((import_module("stackful_host"), import_name("probe"))) void host_probe(void);

/* Rewound, but not to go on. */
COLD static void resumed_in_vain(const struct sf_task *self) {
  /* Its frames did not fit, and it was rewound only to be found with its whole stack. */
  if (self->state != SF_STATE_PROBED) __builtin_trap();
  host_probe();
}

/* Starts to save the frames of the current task. Here and not in a function of its own: Asyncify
 * leaves alone what calls start_unwind itself, and parking functions must have no frame. */
INLINE int32_t unwind(struct sf_task *self) {
  phase_set(PHASE_UNWINDING);
  asyncify_start_unwind(self->slot);
  return 0;
}

INLINE int32_t resumed(void) {
  struct sf_task *self = current_get();
  phase_set(PHASE_NORMAL);
  asyncify_stop_rewind();
  if (UNLIKELY(self->state != SF_STATE_RUNNING)) {
    resumed_in_vain(self);
    return unwind(self);
  }
  return self->waiter.result;
}

__attribute__((noinline, noreturn)) static void fault(uint32_t fault, uint32_t bytes) {
  struct core *core = core_get();
  if (core != NULL) {
    core->shared.fault = fault;
    core->shared.fault_bytes = bytes;
  }
  __builtin_trap();
}

/* The current task, which is about to wait; a named fault where nothing can park. */
INLINE struct sf_task *self_to_park(void) {
  if (UNLIKELY(phase_get() != PHASE_NORMAL)) fault(SF_FAULT_NESTED_SUSPEND, 0);
  return current_get();
}

/* Starts the unwind; the caller returns what this returns. Whoever wakes the task writes
 * waiter.result, unless the task has done so for the usual end of its wait. */
INLINE int32_t park(struct sf_task *task, uint32_t wait, uint32_t detail) {
  task->wait = (uint8_t)wait;
  task->wait_detail = detail;
  return unwind(task);
}

/* Looks after what a task has to notice before it waits; -ECANCELED when it must not wait. */
#define RETURN_IF_CANCELED(self)                                            \
  do {                                                                      \
    if (UNLIKELY((self)->flags & SF_TASK_ATTENTION) && attend(core_get(), self)) \
      return -SF_ECANCELED;                                                 \
  } while (0)

/* Parks the current task at the end of `queue`. `result` is what the call returns unless somebody
 * says otherwise. */
INLINE int32_t park_in(struct sf_wait_queue *queue, const void *item, uint32_t count,
                       int32_t result, uint32_t wait, const void *detail) {
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  self->waiter.item = (void *)item;
  self->waiter.count = count;
  self->waiter.result = result;
  self->wait_queue = queue;
  wait_queue_push(queue, &self->waiter);
  return park(self, wait, address_of(detail));
}

#endif

/* probe.c - reading the stack of a parked task.
 *
 *   stackful_probe ──▶ rewinds the task ──▶ the parking function ──▶ host_probe   the host looks at
 *         ▲                                                              │        its own stack trace
 *         └──────────── unwinds it again, to the same place ◀────────────┘
 *
 * Nothing of it shows: the task's frames are written back as they were, and everything else that a
 * switch touches is put aside. The host may ask at any time, also while a task runs and has called an
 * import.
 */
#include "task.h"

static void probe_restore(struct core *core) {
  struct probe *probe = &core->probe;
  stack_pointer_set(probe->stack_pointer);
  stack_limit_set(probe->stack_limit);
  stack_span_set(probe->stack_span);
  current_set(probe->current);
  phase_set(probe->phase);
  probe->task->state = SF_STATE_PARKED;
  probe->task = NULL;
}

/* Frames are rewound from a slot, and not from that of the task that is running. Inline, as all that
 * stackful_probe does before it enters the task: so that an exception finds either nothing done, or
 * all that stackful_probe_failed takes back. */
INLINE void probe_slot(struct core *core, struct sf_task *task) {
  if (task->slot != NULL) return;
  struct sf_task *running = core->probe.current;
  if (running != NULL && core->slots_free == 0 &&
      &core->slots[core->slots_next % SLOTS] == running->slot)
    core->slots_next++;
  frames_lift(task, slot_take(core, task));
}

/* Returns 1, or 0 when the task is not parked or a probe is under way. */
EXPORT(stackful_probe) COLD uint32_t stackful_probe(struct sf_task *task) {
  struct core *core = core_get();
  struct probe *probe = &core->probe;
  if (probe->task != NULL || task->state != SF_STATE_PARKED) return 0;
  probe->task = task;
  probe->current = current_get();
  probe->phase = phase_get();
  probe->stack_pointer = stack_pointer_get();
  probe->stack_limit = stack_limit_get();
  probe->stack_span = stack_span_get();
  probe_slot(core, task);
  struct slot *slot = task->slot;
  probe->frames_position = slot->position;

  task->state = SF_STATE_PROBED;
  current_set(task);
  stack_limit_set(task->stack_limit);
  stack_span_set(task->stack_span);
  stack_pointer_set(task->stack_pointer);
  phase_set(PHASE_REWINDING);
  asyncify_start_rewind(slot);
  ((int32_t (*)(uint32_t))task->entry)(task->entry_argument);
  asyncify_stop_unwind();
  probe_restore(core);
  return 1;
}

/* The host's answer to an exception out of stackful_probe: the engine's own stack was too small. The
 * frames are still where they were. Whatever Asyncify was doing it has to end, and it is not always
 * what the phase says: the exception may have come in between. */
EXPORT(stackful_probe_failed) COLD void stackful_probe_failed(void) {
  struct core *core = core_get();
  struct sf_task *task = core->probe.task;
  if (task == NULL) return;
  ((struct slot *)task->slot)->position = core->probe.frames_position;
  asyncify_stop_rewind();
  probe_restore(core);
}

/* Most bytes of its stack that the task has had in use; only while stacks are painted. */
EXPORT(stackful_stack_used) COLD uint32_t stackful_stack_used(const struct sf_task *task) {
  return stack_used(task);
}

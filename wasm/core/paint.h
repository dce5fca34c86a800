/* paint.h - how much of its stack a task has used: only while sf_shared.stack_marks is set.
 *
 * A new stack is filled with a pattern, and whatever is no longer that was used. The frames come in
 * from the other end: what a task had in use whenever it parked is recorded as a number, and a
 * region is painted again where frames have moved out of it. So all tasks use slots then.
 */
#ifndef STACKFUL_PAINT_H
#define STACKFUL_PAINT_H

#include "attach.h"

#define PAINT_BYTE 0xa5u
#define PAINT_WORD 0xa5a5a5a5a5a5a5a5u

COLD static void stack_paint(struct sf_task *task) {
  __builtin_memset(task + 1, PAINT_BYTE, size_class_bytes(task->size_class));
}

/* `task` has just parked with so many bytes of frames. They may come to lie where its C stack has
 * been before, so that is looked for now. */
COLD static void stack_note(struct sf_task *task) {
  const struct slot *slot = task->slot;
  uint32_t frames_bytes = (slot->position - slot->base + 7) & ~7u;
  uint32_t top = region_end(task);
  uint32_t bytes = frames_bytes + (top - task->stack_pointer);
  uint32_t bytes_max = top - frames_base(task);
  if (frames_bytes > bytes_max) frames_bytes = bytes_max;
  uint32_t at = frames_base(task);
  uint32_t frames_end = at + frames_bytes;
  while (at < frames_end && *(const uint64_t *)at == PAINT_WORD) at += 8;
  if (at < frames_end && top - at > bytes) bytes = top - at;
  if (bytes > bytes_max) bytes = bytes_max;
  if (bytes > task->stack_high) task->stack_high = bytes;
}

/* The frames of a task that is about to be rewound from its region: moved to `slot`, where they are
 * as well, so that the region holds nothing but the C stack. Inline: a probe must not run out of the
 * engine's stack halfway through. */
INLINE void frames_lift(struct sf_task *task, struct slot *slot) {
  uint32_t base = frames_base(task);
  uint32_t bytes = task->frames_position - base;
  __builtin_memcpy((void *)slot->base, (void *)base, bytes);
  slot->position = slot->base + bytes;
  __builtin_memset((void *)base, PAINT_BYTE, (bytes + 7) & ~7u);
}

/* Bytes of its stack that the task has used at most, so far. */
COLD static uint32_t stack_used(const struct sf_task *task) {
  uint32_t top = region_end(task);
  uint32_t at = frames_base(task);
  if (task->state == SF_STATE_PARKED && task->slot == NULL) at = (task->frames_position + 7) & ~7u;
  while (at < top && *(const uint64_t *)at == PAINT_WORD) at += 8;
  uint32_t bytes = top - at;
  return bytes > task->stack_high ? bytes : task->stack_high;
}

/* Keeps the most that tasks of one entry have used. */
COLD static void stack_mark(struct core *core, struct sf_task *task) {
  if (task->entry >= core->shared.stack_marks_count) return;
  uint32_t *mark = (uint32_t *)core->shared.stack_marks + task->entry;
  uint32_t bytes = stack_used(task);
  if (bytes > *mark) *mark = bytes;
}

#endif

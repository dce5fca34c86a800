/* slots.h - where frames are saved.
 *
 * Asyncify writes frames without looking for the end of its buffer. So an unwind never goes to a
 * region: it goes to a slot, which is larger than any native stack can fill (each live frame also
 * occupies the engine's own stack). When the unwind is over the frames are measured, and if they fit
 * the region they may stay: no other task's memory can be touched, whatever the depth.
 *
 * Frames stay in their slot until another task needs it, and only then move to the region. A few
 * tasks that wake each other keep their slots, and nothing is copied at all; among many every switch
 * copies once, some switches late, when the stores of the unwind have long left the store buffer.
 *
 * A task whose stack is as large as the linker says its entry can need at most has no use for a slot:
 * it unwinds into its region, and nothing is ever copied or measured. Its `slot` is itself, since a
 * region begins with the same header.
 *
 *   task without slot ── runs ──▶ slot_take: a free one, or the next one in turn after its owner's
 *                                 frames have been moved
 *   task with slot ── resumed ──▶ rewinds from it, which empties it, and unwinds into it again
 */
#ifndef STACKFUL_SLOTS_H
#define STACKFUL_SLOTS_H

#include "state.h"

/* Twice the stack of a worker thread in Node (4 MiB), eight times that of its main thread. */
#define SLOT_BYTES (8u << 20)

/* Slots begin at different cache sets. */
#define SLOT_STAGGER_BYTES 1088u

INLINE uint32_t frames_base(const struct sf_task *task) { return address_of(task + 1); }

INLINE void slots_init(struct core *core, uint32_t address) {
  for (uint32_t i = 0; i < SLOTS; i++) {
    struct slot *slot = &core->slots[i];
    slot->position = slot->base = address + i * (SLOT_BYTES + SLOT_STAGGER_BYTES);
    slot->end = slot->base + SLOT_BYTES;
  }
  core->slots_free = (1u << SLOTS) - 1;
}

INLINE uint32_t frames_fit(const struct sf_task *task) { return task->slot == task; }

INLINE void slot_release(struct core *core, struct sf_task *task) {
  struct slot *slot = task->slot;
  if (slot == NULL || frames_fit(task)) return;
  task->slot = NULL;
  slot->owner = NULL;
  slot->position = slot->base;
  core->slots_free |= 1u << (slot - core->slots);
}

/* The frames fit: that was checked when they were saved. Copied in whole words, so up to 7 bytes of
 * the gap below the C stack are written too. */
INLINE void slot_move_to_region(struct slot *slot) {
  struct sf_task *task = slot->owner;
  uint32_t from = slot->base;
  uint32_t to = frames_base(task);
  uint32_t bytes = slot->position - from;
  task->frames_position = to + bytes;
  task->slot = NULL;
  slot->position = from;
  if (bytes > 256) {
    __builtin_memcpy((void *)to, (void *)from, bytes);
    return;
  }
  for (uint32_t end = to + bytes; to < end; to += 8, from += 8)
    *(uint64_t *)to = *(uint64_t *)from;
}

/* An empty slot for `task`, which has none and is about to run. */
INLINE struct slot *slot_take(struct core *core, struct sf_task *task) {
  struct slot *slot;
  if (core->slots_free != 0) {
    slot = &core->slots[__builtin_ctz(core->slots_free)];
    core->slots_free &= core->slots_free - 1;
  } else {
    slot = &core->slots[core->slots_next++ % SLOTS];
    slot_move_to_region(slot);
  }
  slot->owner = task;
  task->slot = slot;
  return slot;
}

#endif

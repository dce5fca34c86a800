/* arena.h - where regions come from, and what the guest sees of memory.
 *
 *   0            guest_pages            guest_pages_max                        memory end
 *   | guest data, C stack, heap | reserved for the guest | regions, rings, ... |
 *
 * Allocators believe that memory.size is the end of their heap (wasi-libc before 2023) or that
 * memory.grow continues it (Emscripten's sbrk). Both stay true: the linker replaces the guest's
 * memory.size and memory.grow by the two functions at the end of this file, and the core takes its
 * memory above a reserve that is never touched, and so costs address space only.
 *
 * A region is [ struct sf_task | stack ]. Stacks are powers of two; the header comes on top of that,
 * which also staggers the headers over cache sets. Freed regions go to a pool per size class, last
 * freed first used, and are never split: a freed task's header stays a header, so that a stale
 * handle is recognised by its serial.
 */
#ifndef STACKFUL_ARENA_H
#define STACKFUL_ARENA_H

#include "state.h"

#define ARENA_STEP_BYTES (16 * WASM_PAGE_BYTES)
#define ARENA_ALIGN 16u

/* Takes `bytes` that are never given back. NULL: memory cannot grow any more. */
COLD static void *arena_take(struct core *core, uint32_t bytes) {
  bytes = (bytes + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
  if (core->arena_end - core->arena_next < bytes) {
    uint32_t step = bytes > ARENA_STEP_BYTES ? bytes : ARENA_STEP_BYTES;
    uint32_t pages = (step + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
    uint32_t previous = __builtin_wasm_memory_grow(0, pages);
    if (previous == UINT32_MAX) {
      /* The step did not fit, what is asked for still may. */
      pages = (bytes + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
      previous = __builtin_wasm_memory_grow(0, pages);
      if (previous == UINT32_MAX) return NULL;
    }
    uint32_t start = previous * WASM_PAGE_BYTES;
    if (start != core->arena_end) core->arena_next = start;
    /* The last page of a 4 GiB memory is left out, so that addresses past the end do not wrap. */
    core->arena_end = start + (previous + pages == 65536 ? pages - 1 : pages) * WASM_PAGE_BYTES;
    if (core->arena_end - core->arena_next < bytes) return NULL;
  }
  void *taken = (void *)core->arena_next;
  core->arena_next += bytes;
  return taken;
}

INLINE uint32_t size_class_bytes(uint32_t size_class) { return SF_STACK_BYTES_MIN << size_class; }

/* The smallest class of at least `stack_bytes`; ARENA_CLASSES when there is none. */
INLINE uint32_t size_class_for(uint32_t stack_bytes) {
  if (stack_bytes <= SF_STACK_BYTES_MIN) return 0;
  if (stack_bytes > size_class_bytes(ARENA_CLASSES - 1)) return ARENA_CLASSES;
  return 22u - (uint32_t)__builtin_clz(stack_bytes - 1);
}

static struct sf_task *region_take(struct core *core, uint32_t size_class) {
  struct sf_task *task = core->pool[size_class];
  if (task != NULL) {
    core->pool[size_class] = task->next;
    return task;
  }
  uint32_t bytes = sizeof(struct sf_task) + size_class_bytes(size_class);
  task = arena_take(core, bytes);
  if (task == NULL) return NULL;
  core->shared.regions_bytes += bytes;
  task->size_class = (uint8_t)size_class;
  return task;
}

static void region_give_back(struct core *core, struct sf_task *task) {
  task->state = SF_STATE_FREE;
  task->next = core->pool[task->size_class];
  core->pool[task->size_class] = task;
}

EXPORT(stackful_guest_memory_size) uint32_t stackful_guest_memory_size(void) {
  struct core *core = core_get();
  return core == NULL ? __builtin_wasm_memory_size(0) : core->guest_pages;
}

EXPORT(stackful_guest_memory_grow) uint32_t stackful_guest_memory_grow(uint32_t pages) {
  struct core *core = core_get();
  if (core == NULL) return __builtin_wasm_memory_grow(0, pages);
  if (pages > core->guest_pages_max - core->guest_pages) return UINT32_MAX;
  uint32_t previous = core->guest_pages;
  core->guest_pages += pages;
  return previous;
}

#endif

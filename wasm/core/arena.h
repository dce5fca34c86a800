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
 * freed first used, and are not split: a freed task's header stays a header, so that a stale handle is
 * recognised by its serial.
 *
 * The host takes regions out of the pools when there are too many, and gives adjacent ones back as
 * spans. Regions are cut from spans before memory grows. A region that leaves its pool loses its serial:
 * wherever the header comes to lie, no stale handle matches it.
 */
#ifndef STACKFUL_ARENA_H
#define STACKFUL_ARENA_H

#include "state.h"

/* Memory grows by an eighth of what the core has, between these two: growing takes the host longer
 * than a thousand spawns, and pages that nobody touches cost nothing. */
#define ARENA_STEP_BYTES_MIN (16 * WASM_PAGE_BYTES)
#define ARENA_STEP_BYTES_MAX (1024 * WASM_PAGE_BYTES)
#define ARENA_ALIGN 16u

/* First fit, cut from the end: the header stays where it is. NULL: no span is large enough. */
COLD static void *span_cut(struct core *core, uint32_t bytes) {
  uint32_t largest = 0;
  for (struct sf_span **link = &core->spans; *link != NULL; link = &(*link)->next) {
    struct sf_span *span = *link;
    if (span->bytes >= bytes) {
      span->bytes -= bytes;
      if (span->bytes == 0) *link = span->next;
      return (char *)span + span->bytes;
    }
    if (span->bytes > largest) largest = span->bytes;
  }
  core->span_bytes_max = largest;
  return NULL;
}

/* Takes `bytes`, which are not zero where they come from a span. NULL: memory cannot grow any more. */
COLD static void *arena_take(struct core *core, uint32_t bytes) {
  bytes = (bytes + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
  if (bytes <= core->span_bytes_max) {
    void *cut = span_cut(core, bytes);
    if (cut != NULL) return cut;
  }
  if (core->arena_end - core->arena_next < bytes) {
    uint32_t step = core->shared.regions_bytes / 8;
    if (step < ARENA_STEP_BYTES_MIN) step = ARENA_STEP_BYTES_MIN;
    if (step > ARENA_STEP_BYTES_MAX) step = ARENA_STEP_BYTES_MAX;
    if (step < bytes) step = bytes;
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

/* The smallest class of at least `stack_bytes`; SF_SIZE_CLASSES when there is none. */
INLINE uint32_t size_class_for(uint32_t stack_bytes) {
  if (stack_bytes <= SF_STACK_BYTES_MIN) return 0;
  if (stack_bytes > size_class_bytes(SF_SIZE_CLASSES - 1)) return SF_SIZE_CLASSES;
  return 22u - (uint32_t)__builtin_clz(stack_bytes - 1);
}

INLINE uint32_t region_bytes(uint32_t size_class) {
  return sizeof(struct sf_task) + size_class_bytes(size_class);
}

static struct sf_task *region_take(struct core *core, uint32_t size_class) {
  uint32_t bytes = region_bytes(size_class);
  struct sf_task *task = core->pool[size_class];
  if (task != NULL) {
    core->pool[size_class] = task->next;
    core->shared.regions_free_bytes -= bytes;
    return task;
  }
  task = arena_take(core, bytes);
  if (task == NULL) return NULL;
  core->shared.regions_bytes += bytes;
  task->size_class = (uint8_t)size_class;
  task->serial = 0;
  return task;
}

static void region_give_back(struct core *core, struct sf_task *task) {
  task->state = SF_STATE_FREE;
  task->next = core->pool[task->size_class];
  core->pool[task->size_class] = task;
  core->shared.regions_free_bytes += region_bytes(task->size_class);
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

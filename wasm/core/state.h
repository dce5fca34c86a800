/* state.h - the core's state: six wasm globals and one block of linear memory.
 *
 * The block is found through a global because the core has no static data (see globals.s). The
 * current task and the phase are globals of their own: every switch reads and writes them.
 */
#ifndef STACKFUL_STATE_H
#define STACKFUL_STATE_H

#include <stackful/abi.h>

#define NULL ((void *)0)
#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((noinline, minsize))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define WASM_PAGE_BYTES 65536u
#define NO_DEADLINE UINT64_MAX

/* What the instance is doing. Not Asyncify's own state: that one cannot be imported (Binaryen 132
 * ends with "call to unidenfied asyncify import: get_state"), and NESTED has no equivalent there. */
enum phase {
  PHASE_NORMAL = 0,
  PHASE_UNWINDING = 1,
  PHASE_REWINDING = 2,
  PHASE_NESTED = 3, /* the host called in from outside a turn or from an import: parking is an error */
};

/* Where frames are saved; see slots.h. Begins with Asyncify's data header. */
struct slot {
  uint32_t position;
  uint32_t end;
  uint32_t base;
  struct sf_task *owner; /* NULL: free */
};

#define SLOTS 4u

#define FUTEX_BUCKETS 256u

/* Set in the token of a started operation; tasks' tokens are their addresses. */
#define OPERATION_TOKEN 1u

/* One more than the largest enum sf_signal_kind. */
#define SIGNALS 8u

struct signal_state {
  uint32_t raised;   /* times */
  uint32_t watchers;
  struct sf_wait_queue waiters;
};

/* What a probe has put aside; see probe.c. */
struct probe {
  struct sf_task *task; /* NULL: none is under way */
  struct sf_task *current;
  uint32_t phase;
  uint32_t stack_pointer;
  uint32_t stack_limit;
  uint32_t stack_span;
  uint32_t frames_position;
};

struct core {
  struct sf_shared shared; /* first: the host knows its address as the core's */
  struct sf_task *ready_first;
  struct sf_task *ready_last;
  struct sf_timer_node *timers;   /* root of the pairing heap */
  struct sf_timer_node *sleepers; /* started in this run; see timers.h */
  struct slot slots[SLOTS];
  uint32_t slots_free; /* a bit for each */
  uint32_t slots_next; /* whose turn it is to be taken from its owner */
  uint32_t budget;         /* switches left in this run */
  uint32_t attempts;       /* left to the task that runs; see io.c */
  uint32_t parked_at;      /* for tasks that park in this run */
  uint32_t host_stack_pointer;
  uint32_t host_stack_limit;
  uint32_t host_stack_span;
  uint32_t next_serial;
  uint32_t arena_next;     /* [arena_next, arena_end) is taken from memory and unused */
  uint32_t arena_end;
  uint32_t guest_pages;    /* memory size as the guest sees it */
  uint32_t guest_pages_max;
  uint32_t cancels_unsent; /* a cancel of an operation found no room in the ring */
  struct sf_wait_queue spawners; /* wait for room */
  struct sf_task *pool[SF_SIZE_CLASSES];
  struct sf_span *spans;
  uint32_t span_bytes_max; /* no span is larger */
  struct signal_state signals[SIGNALS];
  struct probe probe;
  struct sf_wait_queue futexes[FUTEX_BUCKETS];
};

#define GLOBAL(name, type, getter, setter)                                              \
  __asm__(".globaltype " #name ", i32\n");                                              \
  INLINE type getter(void) {                                                            \
    type value;                                                                         \
    __asm__ volatile("global.get " #name "\nlocal.set %0" : "=r"(value));               \
    return value;                                                                       \
  }                                                                                     \
  INLINE void setter(type value) {                                                      \
    __asm__ volatile("local.get %0\nglobal.set " #name : : "r"(value) : "memory");      \
  }

GLOBAL(stackful_core, struct core *, core_get, core_set)
GLOBAL(stackful_current, struct sf_task *, current_get, current_set)
GLOBAL(stackful_phase, uint32_t, phase_get, phase_set)
GLOBAL(stackful_stack_limit, uint32_t, stack_limit_get, stack_limit_set)
GLOBAL(stackful_stack_span, uint32_t, stack_span_get, stack_span_set)
GLOBAL(stackful_stack_overflow_at, uint32_t, stack_overflow_at_get, stack_overflow_at_set)
GLOBAL(__stack_pointer, uint32_t, stack_pointer_get, stack_pointer_set)

#undef GLOBAL

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(#name)))

ASYNCIFY(start_unwind) void asyncify_start_unwind(void *frames);
ASYNCIFY(stop_unwind) void asyncify_stop_unwind(void);
ASYNCIFY(start_rewind) void asyncify_start_rewind(void *frames);
ASYNCIFY(stop_rewind) void asyncify_stop_rewind(void);

#undef ASYNCIFY

INLINE uint32_t address_of(const void *pointer) { return (uint32_t)(uintptr_t)pointer; }

/* Traps when memory ends before `bytes` from `pointer` on do: a wild pointer must trap in the task that
 * passed it, and before anything has happened that would be left half done. Memory never shrinks, so
 * what is there stays there. */
INLINE void touch(const void *pointer, uint32_t bytes) {
  const volatile uint8_t *first = pointer;
  if (address_of(pointer) + bytes < bytes) __builtin_trap();
  (void)first[0];
  (void)first[bytes - 1];
}

#endif

/* base.h - what the other headers share. */
#ifndef STACKFUL_BASE_H
#define STACKFUL_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* Marks a call that may park the calling task. Expands to nothing: a reader and a tool can rely on
 * it. */
#define SF_PARKS

#define SF_IMPORT(name) __attribute__((import_module("stackful"), import_name(#name)))
#define SF_HOST_IMPORT(name) __attribute__((import_module("stackful_host"), import_name(#name)))

/* Objects of the core (channels, mutexes, ...) are opaque storage of the caller's: initialise one as
 * its header says, do not copy it, and let it outlive every call on it and every task that waits on
 * it. It may lie on the stack of a task; when that task fails, what waits there gets -SF_EOWNERDEAD. */

/* ── Time ──────────────────────────────────────────────────────────────────────────────────────── */

#define SF_MICROSECOND UINT64_C(1000)
#define SF_MILLISECOND UINT64_C(1000000)
#define SF_SECOND UINT64_C(1000000000)

/* Nanoseconds of a clock that never goes back; its zero is arbitrary. Asks the host. */
SF_HOST_IMPORT(monotonic_ns) uint64_t sf_monotonic_ns(void);

/* Nanoseconds since 1970-01-01 UTC. Asks the host. */
SF_HOST_IMPORT(wall_ns) uint64_t sf_wall_ns(void);

/* The monotonic clock as it was when the scheduler last looked: a load, up to a turn old. */
SF_IMPORT(sf_now) uint64_t sf_now(void);

/* How long a call may wait: until an instant of the monotonic clock, or for a duration. A duration
 * is counted from the call on; it may take longer, never less. */
typedef uint64_t sf_timeout_t;

#define SF_TIMEOUT_DURATION (UINT64_C(1) << 63)

/* Waits as long as it takes. */
#define SF_NEVER UINT64_MAX

/* For at most `duration_ns`; 2 ** 63 - 2 and more are that. 0: does not wait. */
static inline sf_timeout_t sf_after(uint64_t duration_ns) {
  return (duration_ns < SF_TIMEOUT_DURATION - 2 ? duration_ns : SF_TIMEOUT_DURATION - 2) |
         SF_TIMEOUT_DURATION;
}

/* Until sf_monotonic_ns() reaches `deadline_ns`. */
static inline sf_timeout_t sf_at(uint64_t deadline_ns) {
  return deadline_ns < SF_TIMEOUT_DURATION ? deadline_ns : SF_NEVER;
}

#endif

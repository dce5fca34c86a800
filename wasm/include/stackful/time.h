/* time.h - clocks, and how long calls may wait. */
#ifndef STACKFUL_TIME_H
#define STACKFUL_TIME_H

#include "base.h"

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

/* A timeout scope: whatever parks between begin and end is ended with -SF_ECANCELED once the time is
 * up, at most once. Scopes nest, and each has its own time. Always pair the two calls:
 *
 *   struct sf_timeout scope;
 *   sf_timeout_begin(&scope, sf_after(5 * SF_SECOND));
 *   int32_t result = talk_to(peer);              any calls, with scopes of their own
 *   result = sf_timeout_end(&scope, result);     -SF_ETIMEDOUT when it was this scope's time
 */
struct sf_timeout {
  uint64_t opaque[5];
};

/* Begins a scope of the calling task. It stays where it is until sf_timeout_end, needs no initialising, and
 * ends with its task at the latest. Does not park: a time that is up already ends the next call that would
 * wait. */
SF_IMPORT(sf_timeout_begin) void sf_timeout_begin(struct sf_timeout *scope, sf_timeout_t timeout);

/* Ends the scope. A time that was up but ended no call is taken back. Returns `result`, or
 * -SF_ETIMEDOUT in place of an -SF_ECANCELED that this scope caused. A cancel request that came
 * meanwhile wins: then the -SF_ECANCELED is its own, and it counts as noticed. */
SF_IMPORT(sf_timeout_end) int32_t sf_timeout_end(struct sf_timeout *scope, int32_t result);

/* Gives a scope that has begun another time, from now on. For a peer that must not fall silent. */
SF_IMPORT(sf_timeout_set) void sf_timeout_set(struct sf_timeout *scope, sf_timeout_t timeout);

/* 1 when the scope's time was up and ended a call, else 0. */
SF_IMPORT(sf_timeout_expired) int32_t sf_timeout_expired(const struct sf_timeout *scope);

/* Defines name_timeout: the call `name` with one more parameter, how long it may wait. It returns
 * -SF_ETIMEDOUT when the time is up; a result that is there is returned whatever the time. */
#define SF_TIMED(name, parameters, arguments)                  \
  SF_PARKS static inline int32_t name##_timeout parameters {   \
    struct sf_timeout scope;                                   \
    sf_timeout_begin(&scope, timeout);                         \
    return sf_timeout_end(&scope, name arguments);             \
  }

#endif

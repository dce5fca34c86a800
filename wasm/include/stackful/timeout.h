/* timeout.h - how long calls may wait. */
#ifndef STACKFUL_TIMEOUT_H
#define STACKFUL_TIMEOUT_H

#include "base.h"

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

SF_IMPORT(sf_timeout_begin) void sf_timeout_begin(struct sf_timeout *scope, sf_timeout_t timeout);

/* Ends the scope. A time that was up but ended no call is taken back. Returns `result`, or
 * -SF_ETIMEDOUT in place of an -SF_ECANCELED that this scope caused. A cancel request that came
 * meanwhile wins: then the -SF_ECANCELED is its own, and it counts as noticed. */
SF_IMPORT(sf_timeout_end) int32_t sf_timeout_end(struct sf_timeout *scope, int32_t result);

/* Gives a scope that has begun another time, from now on. For a peer that must not fall silent. */
SF_IMPORT(sf_timeout_set) void sf_timeout_set(struct sf_timeout *scope, sf_timeout_t timeout);

/* Whether the scope's time was up and ended a call. */
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

/* guest.h - the guest's memory: what was bound, range checks, and the two rings in it.
 *
 * Everything in that memory is written by untrusted code, at any time when the memory is shared.
 * Three rules keep the host safe:
 *   - where the rings are and how long they are is copied at bind and never read again;
 *   - heads and tails are masked, so that rubbish in them names another record and nothing else;
 *   - a record is copied out before it is checked, so that it cannot change between the two.
 */
#ifndef SF_GUEST_H
#define SF_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stackful/abi.h"

struct sf_guest {
  uint8_t *base; /* NULL: nothing is bound. Owned by the binding, which keeps it alive */
  uint64_t bytes;
  bool moves; /* when it grows, `base` may be another: see bounce.h */
  uint32_t shared;
  uint32_t submissions;
  uint32_t submissions_capacity; /* a power of two */
  uint32_t completions;
  uint32_t completions_capacity; /* a power of two */
};

/* Captures and checks the rings of the sf_shared at `shared`. Returns 0, -SF_EFAULT when a block
 * does not fit the memory or is misaligned, -SF_EINVAL for a capacity that is no power of two. */
int32_t sf__guest_bind(struct sf_guest *out, uint8_t *base, uint64_t bytes, uint32_t shared,
                       bool moves);

/* The host's pointer to guest bytes, or NULL when they are not all inside the guest's memory. */
static inline void *sf__guest_range(const struct sf_guest *guest, uint32_t pointer,
                                    uint64_t length) {
  /* 64-bit, so that pointer + length cannot wrap: both are below 2^33. */
  if (guest->base == NULL || (uint64_t)pointer + length > guest->bytes) return NULL;
  return guest->base + pointer;
}

/* Whether a buffer is inside it; one without bytes is, wherever it lies. */
static inline bool sf__guest_has(const struct sf_guest *guest, uint32_t pointer, uint64_t length) {
  return length == 0 || sf__guest_range(guest, pointer, length) != NULL;
}

/* How many submissions wait; no more than the ring is long, whatever head and tail say. */
uint32_t sf__guest_waiting(const struct sf_guest *guest);

/* Copies the oldest submission out and gives its place back. There must be one waiting. */
void sf__guest_take(const struct sf_guest *guest, struct sf_submission *out);

/* Copies the submission out that stands behind the last: nothing has been said of it yet. */
void sf__guest_next(const struct sf_guest *guest, struct sf_submission *out);

/* Whether one of those that wait names `handle`. Says so where there are many. */
bool sf__guest_submitted(const struct sf_guest *guest, int32_t handle);

/* Puts a completion into the ring. Returns false when there is no room. */
bool sf__guest_complete(const struct sf_guest *guest, const struct sf_completion *completion);

#endif

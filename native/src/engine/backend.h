/* backend.h - what the addon knows of I/O: a backend, whatever its mechanism is. Plain C: no Node-API
 * types here or below.
 *
 * A backend belongs to the thread that opened it, and every call comes from that thread. The
 * contract a guest sees is ts/host/backend.ts; test/conformance/ specifies it.
 */
#ifndef SF_BACKEND_H
#define SF_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/grants.h"
#include "engine/guest.h"
#include "engine/handles.h"

struct sf_mechanism;

/* Whoever knows it may adopt what the others release: see released.h. */
struct sf_pool_key {
  uint8_t bytes[16];
};

struct sf_options {
  struct sf_pool_key pool;
  uint32_t handles_max;
  uint32_t entries; /* submissions the kernel takes at once; rounded up to a power of two */
  int host_loop_fd; /* readable when the host's event loop has work; -1: no such loop */
};

/* The part of a backend that its users see. The rest is struct sf_engine. */
struct sf_backend {
  struct sf_grants grants;
  struct sf_guest guest;
  struct sf_handles handles;
  int wake_fd;        /* readable when a turn has work, if it was armed; -1: none. Owned */
  uint32_t pending;   /* operations taken whose completion was not delivered */
  bool host_ready;    /* the last turn ended because host_loop_fd became readable */
  uint64_t turns;
  uint64_t system_calls; /* of the I/O path; not those of setting up a socket */
  uint64_t submissions;
  uint64_t completions;
};

/* Returns 0 and sets *out, or a negated sf_errno. -SF_ENOSYS and -SF_EPERM mean that this host does
 * not offer the mechanism; anything else that it should have worked. */
int32_t sf__backend_open(struct sf_backend **out, const struct sf_mechanism *mechanism,
                         const struct sf_options *options);

/* Makes the embedder's descriptor a handle: to be polled, or with `transfers` one that reads and writes,
 * as what it is; then it does not block any more, for whoever shares it. The handle owns a duplicate, or
 * with `owned` the descriptor itself. Returns the handle or a negated sf_errno: EPERM for a file to be
 * polled, EISDIR to read from a directory. Without a handle the descriptor stays the caller's. */
int32_t sf__backend_adopt(struct sf_backend *backend, int fd, bool transfers, bool owned);

struct sf_handle_token;

/* RELEASE and ADOPT, for the embedder: see released.h. */
int32_t sf__backend_release(struct sf_backend *backend, int32_t handle,
                            struct sf_handle_token *out);
int32_t sf__backend_adopt_released(struct sf_backend *backend,
                                   const struct sf_handle_token *token);

/* How it performs an operation: enum sf_capability. */
int32_t sf__backend_capability(const struct sf_backend *backend, uint16_t opcode);

/* Names the guest's memory, which stays valid until the next bind or close; where the engine
 * `moves` a memory, until it grows. If one that should not have moved did while operations use it,
 * waits until they ended; those that read fail with EIO. Returns 0 or a negated sf_errno; on error
 * the old binding stays. */
int32_t sf__backend_bind(struct sf_backend *backend, uint8_t *base, uint64_t bytes,
                         uint32_t shared, bool moves);

/* See Backend.turn. With `arm`, wake_fd becomes readable when there is something for the next
 * one; a caller that waits in turn itself does without. Returns completions delivered, or a
 * negated sf_errno when the mechanism failed: never because of what a guest asked for. */
int32_t sf__backend_turn(struct sf_backend *backend, int64_t wait_ns, bool arm);

/* See Backend.attempt. */
int32_t sf__backend_attempt(struct sf_backend *backend);

/* wake_fd was readable: makes it quiet until the next turn. Returns whether it was armed. */
bool sf__backend_woken(struct sf_backend *backend);

/* Makes wake_fd readable. */
void sf__backend_poke(struct sf_backend *backend);

/* Cancels what is in flight, waits for it, closes every handle and frees the backend. */
void sf__backend_close(struct sf_backend *backend);

#endif

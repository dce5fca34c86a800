/* executor.h - executors, and channels between them.
 *
 * A pool runs this module on several threads, each an executor with a memory of its own. What they share
 * goes through channels. Outside of a pool there is one executor, and all of this works the same. */
#ifndef STACKFUL_EXECUTOR_H
#define STACKFUL_EXECUTOR_H

#include "io.h"
#include "select.h"

#define SF_EXECUTOR_IMPORT(name) \
  __attribute__((import_module("stackful_executor"), import_name(#name)))

/* Which executor this is: 0 to sf_executor_count() - 1. */
SF_EXECUTOR_IMPORT(current) uint32_t sf_executor_current(void);
SF_EXECUTOR_IMPORT(count) uint32_t sf_executor_count(void);

/* ── Tasks ─────────────────────────────────────────────────────────────────────────────────────── */

/* In place of an executor's number. */
enum sf_placement {
  SF_EXECUTOR_AUTO = -1,  /* the one on which the fewest tasks live; of several in turn, the next one first */
  SF_EXECUTOR_LOCAL = -2, /* this one */
};

/* Starts entry(argument) as a task on an executor. `argument_bytes`, 0 to 1024, are copied and lie on the
 * task's stack, aligned to 8: addresses in them mean nothing there. Nobody joins the task: let it say by a
 * channel what it came to; the embedder is told when it fails, or cannot be made on another executor. Errors:
 * EINVAL; ESRCH when the executor has crashed or ended; EAGAIN, ENOMEM on this one. */
SF_EXECUTOR_IMPORT(spawn)
int32_t sf_executor_spawn(int32_t placement, sf_entry_fn entry, const void *argument,
                          uint32_t argument_bytes);

/* ── Handles ───────────────────────────────────────────────────────────────────────────────────── */

/* A handle means nothing on another executor. To give one away, release it: then this executor has it no more,
 * and its token goes wherever bytes go, as an item of a channel or in the argument of a task. Whoever adopts the
 * token gets what the handle was, with the same rights, its position, and every byte that nobody has read.
 *
 *   struct sf_handle_token token;                           struct sf_handle_token token;
 *   if (sf_handle_release(connection, &token) == 0)         sf_shared_channel_receive(&work, &token);
 *     sf_shared_channel_send(&work, &token);                sf_handle_t connection = sf_handle_adopt(&token); */

/* Makes a handle a token. Works on listeners, streams, sockets of datagrams, files and directories. A token that
 * nobody has adopted is closed when this executor crashes or ends. Does not wait. Errors, with which the
 * handle stays: EBUSY while an operation is in flight on it; EBADF; ENOTSUP for processes, streams of the host
 * (sf_stdio) and descriptors that the embedder gave to be polled; EMFILE when as many tokens of this executor
 * wait to be adopted as it may have handles; ENOSYS on backends whose handles belong to their thread: node,
 * deno, sim, iocp. */
SF_PARKS static inline int32_t sf_handle_release(sf_handle_t handle,
                                                 struct sf_handle_token *token_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_RELEASE, .handle = handle, .pointer = sf_address_of(token_out)});
}

/* Makes a token a handle of this executor, once. Does not wait. Errors: EBADF when the token was adopted or
 * closed, or is of another pool, or of nobody's; EMFILE, ENOMEM: it can be adopted later, or elsewhere; ENOSYS. */
SF_PARKS static inline sf_handle_t sf_handle_adopt(const struct sf_handle_token *token) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_ADOPT, .handle = -1, .pointer = sf_address_of(token)});
}

/* ── Channels ──────────────────────────────────────────────────────────────────────────────────── */

/* A bounded FIFO channel of items of one size, for any number of senders and receivers on any executor. Items
 * are copied; addresses in them mean nothing elsewhere. It lives as long as the pool. What this holds may be
 * copied, and need not be given back.
 *
 * When an executor crashes, sends fail with EOWNERDEAD if it was the last that had received, receives if it
 * was the last that had sent and nothing is left, and both if no more than one party is left that has opened
 * the channel. The pool's own thread is such a party where the embedder has the channel. Items that the executor
 * had received are gone. One that ends in good order ends no channel: close what is to end. */
struct sf_shared_channel {
  struct sf_source *readable;
  struct sf_source *writable;
  uint32_t id;
  uint32_t item_bytes;
};

struct sf_shared_end {
  struct sf_source source;
  uint32_t id;
  uint32_t reserved;
};

SF_EXECUTOR_IMPORT(open)
int32_t sf_shared_open_with(struct sf_shared_channel *channel_out, const char *name,
                            uint32_t name_bytes, uint32_t capacity, uint32_t item_bytes,
                            sf_poll_fn receive, sf_poll_fn send);
SF_EXECUTOR_IMPORT(attach)
int32_t sf_shared_attach_with(struct sf_shared_channel *channel_out, uint32_t id,
                              sf_poll_fn receive, sf_poll_fn send);
SF_EXECUTOR_IMPORT(send)
int32_t sf_shared_send_now(uint32_t id, const void *item, uint32_t waits);
SF_EXECUTOR_IMPORT(receive)
int32_t sf_shared_receive_now(uint32_t id, void *item_out, uint32_t waits);
SF_EXECUTOR_IMPORT(close) int32_t sf_shared_close_id(uint32_t id);
SF_EXECUTOR_IMPORT(queued) uint32_t sf_shared_queued(uint32_t id);

static inline int32_t sf_shared_poll_receive(struct sf_source *source, void *item) {
  return sf_shared_receive_now(((struct sf_shared_end *)source)->id, item, 1);
}

static inline int32_t sf_shared_poll_send(struct sf_source *source, void *item) {
  return sf_shared_send_now(((struct sf_shared_end *)source)->id, item, 1);
}

/* The channel of this name, of 1 to 64 bytes: whoever asks first makes it, the others give the same capacity
 * and item_bytes. Without a name, NULL, a new one: pass its id on, in an item of another or an argument.
 * Errors: EINVAL; ENOMEM when the memory that the pool has for channels is used up. */
static inline int32_t sf_shared_channel_open(struct sf_shared_channel *channel_out,
                                             const char *name, uint32_t capacity,
                                             uint32_t item_bytes) {
  uint32_t name_bytes = name == NULL ? 0 : (uint32_t)__builtin_strlen(name);
  return sf_shared_open_with(channel_out, name, name_bytes, capacity, item_bytes,
                             sf_shared_poll_receive, sf_shared_poll_send);
}

/* The channel of this id. Errors: EBADF. */
static inline int32_t sf_shared_channel_attach(struct sf_shared_channel *channel_out,
                                               uint32_t id) {
  return sf_shared_attach_with(channel_out, id, sf_shared_poll_receive, sf_shared_poll_send);
}

/* Copies an item in; parks while the channel is full. EPIPE: closed; EOWNERDEAD: see above. The item was
 * not taken then. */
SF_PARKS static inline int32_t sf_shared_channel_send(const struct sf_shared_channel *channel,
                                                      const void *item) {
  return sf_source_wait(channel->writable, (void *)item);
}
SF_TIMED(sf_shared_channel_send,
         (const struct sf_shared_channel *channel, const void *item, sf_timeout_t timeout),
         (channel, item))

/* Copies the oldest item out; parks while there is none. EPIPE: closed, and nothing is left; EOWNERDEAD. */
SF_PARKS static inline int32_t sf_shared_channel_receive(const struct sf_shared_channel *channel,
                                                         void *item_out) {
  return sf_source_wait(channel->readable, item_out);
}
SF_TIMED(sf_shared_channel_receive,
         (const struct sf_shared_channel *channel, void *item_out, sf_timeout_t timeout),
         (channel, item_out))

/* As above, but -SF_EAGAIN instead of parking. */
static inline int32_t sf_shared_channel_try_send(const struct sf_shared_channel *channel,
                                                 const void *item) {
  return sf_shared_send_now(channel->id, item, 0);
}
static inline int32_t sf_shared_channel_try_receive(const struct sf_shared_channel *channel,
                                                    void *item_out) {
  return sf_shared_receive_now(channel->id, item_out, 0);
}

/* No send is accepted any more, on any executor; what is in it can be received. Idempotent. */
static inline void sf_shared_channel_close(const struct sf_shared_channel *channel) {
  sf_shared_close_id(channel->id);
}

/* Items in it. Others may change that at once. */
static inline uint32_t sf_shared_channel_count(const struct sf_shared_channel *channel) {
  return sf_shared_queued(channel->id);
}

/* For a select. */
static inline struct sf_arm sf_on_shared_receive(const struct sf_shared_channel *channel,
                                                 void *item_out) {
  return sf_on_source(channel->readable, item_out);
}
static inline struct sf_arm sf_on_shared_send(const struct sf_shared_channel *channel,
                                              const void *item) {
  return sf_on_source(channel->writable, (void *)item);
}

#endif

/* stackful.h - the guest's view of stackful: plain blocking calls, each of which parks the calling
 * task and lets the others run.
 *
 * For every function below:
 *   - int32_t results are >= 0 on success and a negated enum sf_errno (-SF_ECONNRESET) on failure.
 *   - SF_PARKS marks a call that may park the task. Other tasks run meanwhile: shared state read
 *     before the call may have changed after it. Memory that is passed must stay valid until the call
 *     returns; memory on the task's own stack is fine.
 *   - SF_PARKS calls are cancel points unless they say otherwise: -SF_ECANCELED ends one, once per
 *     request, and whatever was already done (a byte count, an item) is returned instead and the
 *     request stays pending.
 *   - Durations and instants are in nanoseconds of the monotonic clock, sizes in bytes.
 *   - main is a task itself. When it returns the program ends: the other tasks are canceled and
 *     waited for.
 *
 * Memory of tasks is the runtime's own: neither malloc nor the guest's heap is involved.
 */
#ifndef STACKFUL_H
#define STACKFUL_H

#include <stddef.h>
#include <stdint.h>

#include "stackful/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Expands to nothing: documentation that a reader and a tool can rely on. */
#define SF_PARKS

#define SF_IMPORT(name) __attribute__((import_module("stackful"), import_name(#name)))

/* ── Tasks ─────────────────────────────────────────────────────────────────────────────────────── */

/* A task; 0 is none. Stays unique: a handle whose task is gone gives -SF_ESRCH, never another task. */
typedef uint64_t sf_task_t;

typedef int32_t (*sf_entry_fn)(void *argument);

struct sf_spawn_options {
  uint32_t stack_bytes; /* 0: the runtime's default. Rounded up to a power of two, 1 KiB to 8 MiB */
  const char *name;     /* copied into the stack, at most 64 bytes; NULL: none */
};

/* Starts a task that runs entry(argument). It first runs after the caller parks or yields.
 * `options` may be NULL. `task_out` NULL: the task is detached. Otherwise join or detach it.
 * Errors: EAGAIN when the runtime's tasksMax live, ENOMEM, EINVAL for a stack over 8 MiB. */
SF_IMPORT(sf_spawn)
int32_t sf_spawn(sf_entry_fn entry, void *argument, const struct sf_spawn_options *options,
                 sf_task_t *task_out);

/* Waits until the task has ended, puts what it returned into *result_out (may be NULL), and frees
 * it. Several may join one task; all get the result.
 * A cancel of the joiner is passed on to the task that is joined; the join still waits for it and
 * returns its result, and the joiner's next cancel point returns -SF_ECANCELED.
 * Errors: ESRCH; EDEADLK for oneself; EINVAL when detached; ENOTRECOVERABLE when the task trapped. */
SF_PARKS SF_IMPORT(sf_join) int32_t sf_join(sf_task_t task, int32_t *result_out);

/* The task frees itself when it ends. Errors: ESRCH, EINVAL when it is detached already. */
SF_IMPORT(sf_detach) int32_t sf_detach(sf_task_t task);

/* Requests that the task's next cancel point return -SF_ECANCELED, or the one it is parked at. Does
 * not wait. Requests made before it noticed one are that one. Errors: ESRCH. */
SF_IMPORT(sf_cancel) int32_t sf_cancel(sf_task_t task);

/* The calling task. */
SF_IMPORT(sf_self) sf_task_t sf_self(void);

/* Copies at most `bytes_max` bytes of the task's name, unterminated; returns the name's length. */
SF_IMPORT(sf_task_name) int32_t sf_task_name(sf_task_t task, char *name_out, uint32_t bytes_max);

/* Goes to the end of the ready queue. Returns at once when nobody else is ready. */
SF_PARKS SF_IMPORT(sf_yield) int32_t sf_yield(void);

/* Parks for at least `duration_ns`. */
SF_PARKS SF_IMPORT(sf_sleep) int32_t sf_sleep(uint64_t duration_ns);

/* Parks until sf_monotonic_ns() >= deadline_ns. */
SF_PARKS SF_IMPORT(sf_sleep_until) int32_t sf_sleep_until(uint64_t deadline_ns);

/* Parks until somebody unparks this task. One sf_unpark that came before is remembered. */
SF_PARKS SF_IMPORT(sf_park) int32_t sf_park(void);

/* Errors: ESRCH. */
SF_IMPORT(sf_unpark) int32_t sf_unpark(sf_task_t task);

/* ── Time ──────────────────────────────────────────────────────────────────────────────────────── */

#define SF_MICROSECOND UINT64_C(1000)
#define SF_MILLISECOND UINT64_C(1000000)
#define SF_SECOND UINT64_C(1000000000)

#define SF_HOST_IMPORT(name) __attribute__((import_module("stackful_host"), import_name(#name)))

/* Nanoseconds of a clock that never goes back; its zero is arbitrary. */
SF_HOST_IMPORT(monotonic_ns) uint64_t sf_monotonic_ns(void);

/* Nanoseconds since 1970-01-01 UTC. */
SF_HOST_IMPORT(wall_ns) uint64_t sf_wall_ns(void);

/* ── Channels ──────────────────────────────────────────────────────────────────────────────────── */

/* A bounded FIFO channel of items of one size, for any number of senders and receivers. The storage
 * is the caller's, the contents are the core's. Must outlive every call on it. */
struct sf_channel {
  uint64_t opaque[8];
};

/* `buffer` holds capacity * item_bytes and belongs to the channel until nobody uses it any more;
 * capacity 0 is a rendezvous and needs none. Errors: EINVAL. */
SF_IMPORT(sf_channel_init)
int32_t sf_channel_init(struct sf_channel *channel, void *buffer, uint32_t capacity,
                        uint32_t item_bytes);

/* Copies an item in; parks while the channel is full. EPIPE: closed, the item was not taken. */
SF_PARKS SF_IMPORT(sf_channel_send)
int32_t sf_channel_send(struct sf_channel *channel, const void *item);

/* Copies the oldest item out; parks while there is none. EPIPE: closed, and nothing is left. */
SF_PARKS SF_IMPORT(sf_channel_receive)
int32_t sf_channel_receive(struct sf_channel *channel, void *item_out);

/* As above, but -SF_EAGAIN instead of parking. */
SF_IMPORT(sf_channel_try_send)
int32_t sf_channel_try_send(struct sf_channel *channel, const void *item);
SF_IMPORT(sf_channel_try_receive)
int32_t sf_channel_try_receive(struct sf_channel *channel, void *item_out);

/* No send is accepted any more, also not of a sender that is parked. Items in the buffer can still be
 * received, unless `immediate` (1) drops them. Idempotent. */
SF_IMPORT(sf_channel_close) void sf_channel_close(struct sf_channel *channel, uint32_t immediate);

/* Items in the buffer. */
SF_IMPORT(sf_channel_count) uint32_t sf_channel_count(const struct sf_channel *channel);

/* ── Handles: sockets and files ────────────────────────────────────────────────────────────────── */

/* What is open. Never a descriptor of the operating system: a guest can name only what it was given
 * or opened, and a closed handle's number does not come back soon. */
typedef int32_t sf_handle_t;

/* Reads at most `bytes_max`. Returns the count; 0 at the end. Files: from the current position. */
SF_PARKS SF_IMPORT(sf_read)
int32_t sf_read(sf_handle_t handle, void *buffer, uint32_t bytes_max);

/* Writes at most `bytes`; returns the count, which may be less. Files: at the current position. */
SF_PARKS SF_IMPORT(sf_write)
int32_t sf_write(sf_handle_t handle, const void *buffer, uint32_t bytes);

/* Vectored forms; at most SF_IOVEC_MAX vectors. */
SF_PARKS SF_IMPORT(sf_readv)
int32_t sf_readv(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);
SF_PARKS SF_IMPORT(sf_writev)
int32_t sf_writev(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);

/* Ends the operations that other tasks have in flight on the handle with EBADF, then closes it. Not a
 * cancel point. Errors: EBADF. */
SF_PARKS SF_IMPORT(sf_close) int32_t sf_close(sf_handle_t handle);

/* Writes all `bytes`. Returns 0, or the first error; how much was written is then unknown. */
SF_PARKS static inline int32_t sf_write_all(sf_handle_t handle, const void *buffer,
                                            uint32_t bytes) {
  const char *at = (const char *)buffer;
  while (bytes != 0) {
    int32_t count = sf_write(handle, at, bytes);
    if (count < 0) return count;
    at += count;
    bytes -= (uint32_t)count;
  }
  return 0;
}

/* Reads until `bytes` are there or the stream ends. Returns the count, or the first error. */
SF_PARKS static inline int32_t sf_read_full(sf_handle_t handle, void *buffer, uint32_t bytes) {
  uint32_t done = 0;
  while (done < bytes) {
    int32_t count = sf_read(handle, (char *)buffer + done, bytes - done);
    if (count < 0) return count;
    if (count == 0) break;
    done += (uint32_t)count;
  }
  return (int32_t)done;
}

/* ── TCP ───────────────────────────────────────────────────────────────────────────────────────── */

/* Numeric IPv4 or IPv6 text. Errors: EINVAL. */
SF_IMPORT(sf_address_parse)
int32_t sf_address_parse(const char *text, uint32_t text_bytes, uint32_t port,
                         struct sf_address *address_out);

/* Returns a listener. Port 0: any free one, see sf_local_address. Errors: ENOTCAPABLE when the
 * embedder did not grant it, EADDRINUSE, EADDRNOTAVAIL. */
SF_PARKS SF_IMPORT(sf_tcp_listen)
sf_handle_t sf_tcp_listen(const struct sf_address *address, uint32_t backlog);

/* Returns a connection. `peer_out` may be NULL. */
SF_PARKS SF_IMPORT(sf_tcp_accept)
sf_handle_t sf_tcp_accept(sf_handle_t listener, struct sf_address *peer_out);

/* Returns a connection. Errors: ENOTCAPABLE, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT. */
SF_PARKS SF_IMPORT(sf_tcp_connect) sf_handle_t sf_tcp_connect(const struct sf_address *address);

/* `how`: enum sf_shutdown. Errors: ENOTCONN. */
SF_PARKS SF_IMPORT(sf_shutdown) int32_t sf_shutdown(sf_handle_t handle, uint32_t how);

SF_PARKS SF_IMPORT(sf_local_address)
int32_t sf_local_address(sf_handle_t handle, struct sf_address *address_out);
SF_PARKS SF_IMPORT(sf_peer_address)
int32_t sf_peer_address(sf_handle_t handle, struct sf_address *address_out);

/* ── Files ─────────────────────────────────────────────────────────────────────────────────────── */

/* Opens a file below a granted directory. `flags`: enum sf_open; `mode`: permission bits of a file
 * that is created, 0644 for instance. Errors: ENOTCAPABLE outside every grant, also through "..",
 * symbolic links or absolute paths; EROFS when the grant is read-only; ENOENT, EEXIST, EISDIR. */
SF_PARKS SF_IMPORT(sf_open)
sf_handle_t sf_open(const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode);

/* At `offset`, which does not move the current position. Errors: ESPIPE on a socket. */
SF_PARKS SF_IMPORT(sf_pread)
int32_t sf_pread(sf_handle_t handle, void *buffer, uint32_t bytes_max, int64_t offset);
SF_PARKS SF_IMPORT(sf_pwrite)
int32_t sf_pwrite(sf_handle_t handle, const void *buffer, uint32_t bytes, int64_t offset);

/* Returns once everything written is on the device. */
SF_PARKS SF_IMPORT(sf_fsync) int32_t sf_fsync(sf_handle_t handle);

#ifdef __cplusplus
}
#endif

#endif

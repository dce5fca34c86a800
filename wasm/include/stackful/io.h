/* io.h - handles, and operations that are started. */
#ifndef STACKFUL_IO_H
#define STACKFUL_IO_H

#include "task.h"

/* ── Handles ───────────────────────────────────────────────────────────────────────────────────── */

/* What is open, from a call that returned it until sf_close. Never a descriptor of the operating system: a
 * guest can name only what it was given or opened, and a closed handle's number does not come back soon.
 *
 * Errors of every call with a handle: EBADF when it is not open, or is closed meanwhile. Of every call that
 * returns one: EMFILE when the runtime's handlesMax are open. Of all: ENOSYS where the backend has no such
 * operation (`stackful doctor --operations`), EFAULT for memory that the guest does not have. */
typedef int32_t sf_handle_t;

/* Performs any operation of operations.h: what has no function of its own in the core. `request` names
 * the operation and its fields; `token` is the core's. Errors: EINVAL for SF_OP_CANCEL; ENOSYS where the
 * backend does not have it. */
SF_PARKS SF_IMPORT(sf_perform) int32_t sf_perform(const struct sf_submission *request);

SF_PARKS static inline int32_t sf_perform_request(struct sf_submission request) {
  return sf_perform(&request);
}

/* As a field of sf_submission. */
static inline uint32_t sf_address_of(const volatile void *pointer) {
  return (uint32_t)(uintptr_t)pointer;
}

/* Waits until there is something to read, and reads at most `bytes_max`. Returns the count; 0 at the end,
 * and when `bytes_max` is 0. Files: from the current position. Several tasks that read from one handle are
 * served in their order. A cancel takes no byte with it. Errors: ECONNRESET, once, then it is at its end;
 * ENOTCONN on a listener, and of datagrams before sf_udp_connect; EISDIR; EBADF of what was not opened to be
 * read; EIO. On the backend `node` before Node 24, a reset that comes together with bytes looks like the
 * end behind them when the guest has shut down writing, or has bytes on their way: libuv tells no more. */
SF_PARKS SF_IMPORT(sf_read)
int32_t sf_read(sf_handle_t handle, void *buffer, uint32_t bytes_max);
SF_TIMED(sf_read, (sf_handle_t handle, void *buffer, uint32_t bytes_max, sf_timeout_t timeout), (handle, buffer, bytes_max))

/* Waits until there is room, and writes at most `bytes`; returns the count, which may be less (sf_write_all
 * writes all). Files: at the current position, or at the end with SF_OPEN_APPEND. What several tasks write
 * to one handle goes out in their order. Errors: EPIPE when nobody can read it any more, without a signal;
 * ECONNRESET; ENOTCONN on a listener, EDESTADDRREQ of datagrams before sf_udp_connect; EISDIR; EBADF of what
 * was not opened to be written; ENOSPC, EFBIG, EIO. */
SF_PARKS SF_IMPORT(sf_write)
int32_t sf_write(sf_handle_t handle, const void *buffer, uint32_t bytes);
SF_TIMED(sf_write, (sf_handle_t handle, const void *buffer, uint32_t bytes, sf_timeout_t timeout), (handle, buffer, bytes))

/* The same from and to several buffers, in their order: filled, or sent, one behind the other. The array and
 * the buffers stay the caller's. Errors: also EINVAL for more than SF_IOVEC_MAX vectors. */
SF_PARKS SF_IMPORT(sf_readv)
int32_t sf_readv(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);
SF_TIMED(sf_readv, (sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count, sf_timeout_t timeout), (handle, vectors, vectors_count))
SF_PARKS SF_IMPORT(sf_writev)
int32_t sf_writev(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);
SF_TIMED(sf_writev, (sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count, sf_timeout_t timeout), (handle, vectors, vectors_count))

/* Ends the operations that other tasks have in flight on the handle with EBADF, then closes it. What was
 * written before still arrives (but see SF_OPTION_LINGER). Not a cancel point: the handle is closed whatever
 * it returns. Errors: EBADF. */
SF_PARKS SF_IMPORT(sf_close) int32_t sf_close(sf_handle_t handle);

/* Writes all `bytes`. Returns 0, or the first error, a cancel's or a timeout's too; how much was written is
 * then unknown. Errors: those of sf_write; EIO for a write that took nothing. */
SF_PARKS static inline int32_t sf_write_all(sf_handle_t handle, const void *buffer,
                                            uint32_t bytes) {
  const char *at = (const char *)buffer;
  while (bytes != 0) {
    int32_t count = sf_write(handle, at, bytes);
    if (count <= 0) return count < 0 ? count : -SF_EIO;
    at += count;
    bytes -= (uint32_t)count;
  }
  return 0;
}
SF_TIMED(sf_write_all, (sf_handle_t handle, const void *buffer, uint32_t bytes, sf_timeout_t timeout), (handle, buffer, bytes))

/* Reads until `bytes` are there or the stream ends. Returns the count, or the first error, a cancel's or a
 * timeout's too: what was read is in the buffer then, but how much is unknown. Errors: those of sf_read;
 * EINVAL for 2 ** 31 bytes or more. */
SF_PARKS static inline int32_t sf_read_full(sf_handle_t handle, void *buffer, uint32_t bytes) {
  uint32_t done = 0;
  if (bytes > INT32_MAX) return -SF_EINVAL;
  while (done < bytes) {
    int32_t count = sf_read(handle, (char *)buffer + done, bytes - done);
    if (count < 0) return count;
    if (count == 0) break;
    done += (uint32_t)count;
  }
  return (int32_t)done;
}
SF_TIMED(sf_read_full, (sf_handle_t handle, void *buffer, uint32_t bytes, sf_timeout_t timeout), (handle, buffer, bytes))

/* Waits until something of `events` (enum sf_poll) holds, and returns what does: of those, and of
 * SF_POLL_ERROR and SF_POLL_HANG_UP. For descriptors that the embedder handed in, and whatever else a
 * system can poll. Errors: EINVAL for no event; EPERM for a regular file; ENOSYS. */
SF_PARKS static inline int32_t sf_poll(sf_handle_t handle, uint32_t events) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_POLL, .handle = handle, .argument = events});
}
SF_TIMED(sf_poll, (sf_handle_t handle, uint32_t events, sf_timeout_t timeout), (handle, events))

/* Makes a pipe: ends[0] to read from, ends[1] to write to; both are the caller's to close. Errors: EMFILE, with
 * which neither is open. */
SF_PARKS static inline int32_t sf_pipe(sf_handle_t ends[2]) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_PIPE, .handle = -1, .pointer = sf_address_of(ends)});
}

/* ── Started operations ────────────────────────────────────────────────────────────────────────── */

/* An operation that goes on while its task does something else, so that it can be one arm of a select and
 * survive the select that it does not win. It belongs to the task that starts it. Buffers that it names, and
 * the operation itself, must stay until it has completed; when its task ends before, it is canceled and what
 * lies on the task's stack stays until then. It needs no initialising, and may be started again once it has
 * completed. */
struct sf_operation {
  struct sf_submission request; /* op, handle, pointer, length, argument, mode, offset are the caller's */
  uint64_t opaque[5];
};

/* Starts it. Errors: EAGAIN when the ring is full (yield and try again); EALREADY while it has not
 * completed; EINVAL for SF_OP_CANCEL. */
SF_IMPORT(sf_operation_start) int32_t sf_operation_start(struct sf_operation *operation);

/* sf_read, sf_write, sf_tcp_accept, sf_tcp_connect, sf_send_to and sf_receive_from, started: what those
 * would return is the operation's result, and addresses are read and written as long as it goes on. Any
 * other operation is started by its `request`. Errors: those of sf_operation_start. */
static inline int32_t sf_operation_read(struct sf_operation *operation, sf_handle_t handle,
                                        void *buffer, uint32_t bytes_max) {
  operation->request = (struct sf_submission){.op = SF_OP_READ,
                                              .handle = handle,
                                              .pointer = (uint32_t)(uintptr_t)buffer,
                                              .length = bytes_max,
                                              .offset = -1};
  return sf_operation_start(operation);
}

static inline int32_t sf_operation_write(struct sf_operation *operation, sf_handle_t handle,
                                         const void *buffer, uint32_t bytes) {
  operation->request = (struct sf_submission){.op = SF_OP_WRITE,
                                              .handle = handle,
                                              .pointer = (uint32_t)(uintptr_t)buffer,
                                              .length = bytes,
                                              .offset = -1};
  return sf_operation_start(operation);
}

static inline int32_t sf_operation_accept(struct sf_operation *operation, sf_handle_t listener,
                                          struct sf_address *peer_out) {
  operation->request = (struct sf_submission){.op = SF_OP_ACCEPT,
                                              .handle = listener,
                                              .pointer = (uint32_t)(uintptr_t)peer_out};
  return sf_operation_start(operation);
}

static inline int32_t sf_operation_connect(struct sf_operation *operation,
                                           const struct sf_address *address) {
  operation->request = (struct sf_submission){
      .op = SF_OP_CONNECT, .handle = -1, .pointer = (uint32_t)(uintptr_t)address};
  return sf_operation_start(operation);
}

static inline int32_t sf_operation_send_to(struct sf_operation *operation, sf_handle_t handle,
                                           const void *buffer, uint32_t bytes,
                                           const struct sf_address *destination) {
  operation->request = (struct sf_submission){.op = SF_OP_SEND_TO,
                                              .handle = handle,
                                              .pointer = (uint32_t)(uintptr_t)buffer,
                                              .length = bytes,
                                              .argument = (uint32_t)(uintptr_t)destination};
  return sf_operation_start(operation);
}

static inline int32_t sf_operation_receive_from(struct sf_operation *operation,
                                                sf_handle_t handle, void *buffer,
                                                uint32_t bytes_max,
                                                struct sf_address *source_out) {
  operation->request = (struct sf_submission){.op = SF_OP_RECEIVE_FROM,
                                              .handle = handle,
                                              .pointer = (uint32_t)(uintptr_t)buffer,
                                              .length = bytes_max,
                                              .argument = (uint32_t)(uintptr_t)source_out};
  return sf_operation_start(operation);
}

/* Parks until it has completed, and returns its result, with EBUSY in place of EAGAIN; may be asked again. A
 * cancel or a timeout ends the wait, not the operation. Errors: EINVAL when it was not started. */
SF_PARKS SF_IMPORT(sf_operation_wait) int32_t sf_operation_wait(struct sf_operation *operation);
SF_TIMED(sf_operation_wait, (struct sf_operation * operation, sf_timeout_t timeout), (operation))

/* Its result, without waiting. Errors: EAGAIN when it has not completed; EINVAL when it was not started. */
SF_IMPORT(sf_operation_try) int32_t sf_operation_try(struct sf_operation *operation);

/* Asks the host to end it early. Does not wait: it completes with ECANCELED, or with its result. Nothing
 * happens to one that has completed, or was not started. */
SF_IMPORT(sf_operation_cancel_request)
void sf_operation_cancel_request(struct sf_operation *operation);

/* Ends it early and waits until it has completed; not a cancel point. Returns its result. */
SF_PARKS static inline int32_t sf_operation_cancel(struct sf_operation *operation) {
  sf_operation_cancel_request(operation);
  sf_shield_begin();
  int32_t result = sf_operation_wait(operation);
  sf_shield_end();
  return result;
}

#endif

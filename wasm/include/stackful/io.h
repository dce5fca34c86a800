/* io.h - sockets, files, started operations, signals. */
#ifndef STACKFUL_IO_H
#define STACKFUL_IO_H

#include "task.h"

/* ── Handles: sockets and files ────────────────────────────────────────────────────────────────── */

/* What is open. Never a descriptor of the operating system: a guest can name only what it was given
 * or opened, and a closed handle's number does not come back soon. */
typedef int32_t sf_handle_t;

/* Reads at most `bytes_max`. Returns the count; 0 at the end. Files: from the current position. */
SF_PARKS SF_IMPORT(sf_read)
int32_t sf_read(sf_handle_t handle, void *buffer, uint32_t bytes_max);
SF_TIMED(sf_read, (sf_handle_t handle, void *buffer, uint32_t bytes_max, sf_timeout_t timeout), (handle, buffer, bytes_max))

/* Writes at most `bytes`; returns the count, which may be less. Files: at the current position. */
SF_PARKS SF_IMPORT(sf_write)
int32_t sf_write(sf_handle_t handle, const void *buffer, uint32_t bytes);
SF_TIMED(sf_write, (sf_handle_t handle, const void *buffer, uint32_t bytes, sf_timeout_t timeout), (handle, buffer, bytes))

/* Vectored forms; at most SF_IOVEC_MAX vectors. */
SF_PARKS SF_IMPORT(sf_readv)
int32_t sf_readv(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);
SF_TIMED(sf_readv, (sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count, sf_timeout_t timeout), (handle, vectors, vectors_count))
SF_PARKS SF_IMPORT(sf_writev)
int32_t sf_writev(sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count);
SF_TIMED(sf_writev, (sf_handle_t handle, const struct sf_iovec *vectors, uint32_t vectors_count, sf_timeout_t timeout), (handle, vectors, vectors_count))

/* Ends the operations that other tasks have in flight on the handle with EBADF, then closes it. Not a
 * cancel point. Errors: EBADF. */
SF_PARKS SF_IMPORT(sf_close) int32_t sf_close(sf_handle_t handle);

/* Writes all `bytes`. Returns 0, or the first error; how much was written is then unknown. EIO: a
 * write that took nothing. */
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

/* Reads until `bytes` are there or the stream ends. Returns the count, or the first error. EINVAL:
 * 2 ** 31 bytes or more. */
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

/* ── TCP ───────────────────────────────────────────────────────────────────────────────────────── */

/* Numeric IPv4 or IPv6 text. Errors: EINVAL. */
SF_IMPORT(sf_address_parse)
int32_t sf_address_parse(const char *text, uint32_t text_bytes, uint32_t port,
                         struct sf_address *address_out);

/* Returns a listener. Port 0: any free one, see sf_local_address. Errors: ENOTCAPABLE when the
 * embedder did not grant it, EADDRINUSE, EADDRNOTAVAIL. */
SF_PARKS SF_IMPORT(sf_tcp_listen)
sf_handle_t sf_tcp_listen(const struct sf_address *address, uint32_t backlog);
SF_TIMED(sf_tcp_listen, (const struct sf_address *address, uint32_t backlog, sf_timeout_t timeout), (address, backlog))

/* Returns a connection. `peer_out` may be NULL. */
SF_PARKS SF_IMPORT(sf_tcp_accept)
sf_handle_t sf_tcp_accept(sf_handle_t listener, struct sf_address *peer_out);
SF_TIMED(sf_tcp_accept, (sf_handle_t listener, struct sf_address *peer_out, sf_timeout_t timeout), (listener, peer_out))

/* Returns a connection. Errors: ENOTCAPABLE, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT. */
SF_PARKS SF_IMPORT(sf_tcp_connect) sf_handle_t sf_tcp_connect(const struct sf_address *address);
SF_TIMED(sf_tcp_connect, (const struct sf_address *address, sf_timeout_t timeout), (address))

/* `how`: enum sf_shutdown. Errors: ENOTCONN. */
SF_PARKS SF_IMPORT(sf_shutdown) int32_t sf_shutdown(sf_handle_t handle, uint32_t how);
SF_TIMED(sf_shutdown, (sf_handle_t handle, uint32_t how, sf_timeout_t timeout), (handle, how))

SF_PARKS SF_IMPORT(sf_local_address)
int32_t sf_local_address(sf_handle_t handle, struct sf_address *address_out);
SF_PARKS SF_IMPORT(sf_peer_address)
int32_t sf_peer_address(sf_handle_t handle, struct sf_address *address_out);

/* ── UDP ───────────────────────────────────────────────────────────────────────────────────────── */

/* Returns a socket of the address's family. Port 0: any free one, see sf_local_address; a client binds
 * "0.0.0.0" or "127.0.0.1" with port 0. An IPv6 socket has nothing of IPv4. Needs the grant to listen
 * there. Only sf_send_to, sf_receive_from, sf_local_address and sf_close work on it: sf_write gives
 * EDESTADDRREQ, sf_read, sf_shutdown and sf_peer_address ENOTCONN, sf_tcp_accept ENOTSUP. Errors:
 * ENOTCAPABLE, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE. */
SF_PARKS SF_IMPORT(sf_udp_bind) sf_handle_t sf_udp_bind(const struct sf_address *address);
SF_TIMED(sf_udp_bind, (const struct sf_address *address, sf_timeout_t timeout), (address))

/* Sends one datagram, of 0 to SF_DATAGRAM_MAX bytes, and returns `bytes`. Whether it arrives nobody
 * says: an address where nothing listens is no error. Needs the grant to connect to `destination`, also
 * for an answer. Errors: ENOTCAPABLE; EMSGSIZE; EAFNOSUPPORT when `destination` is not of the socket's
 * family; EINVAL for port 0; EACCES for a broadcast address; ENETUNREACH, EHOSTUNREACH; ENOTSUP on TCP,
 * ENOTSOCK on a file. */
SF_PARKS SF_IMPORT(sf_send_to)
int32_t sf_send_to(sf_handle_t handle, const void *buffer, uint32_t bytes,
                   const struct sf_address *destination);
SF_TIMED(sf_send_to, (sf_handle_t handle, const void *buffer, uint32_t bytes, const struct sf_address *destination, sf_timeout_t timeout), (handle, buffer, bytes, destination))

/* Receives one datagram, and who sent it; `source_out` may be NULL. Returns its bytes: 0 is an empty
 * datagram, not an end. Of a longer one the rest is lost; SF_DATAGRAM_MAX bytes hold any. What comes while
 * nobody receives waits in a queue of bounded length, and is lost when that is full. Several tasks that
 * wait are served in their order. Errors: ENOTSUP on TCP, ENOTSOCK on a file. */
SF_PARKS SF_IMPORT(sf_receive_from)
int32_t sf_receive_from(sf_handle_t handle, void *buffer, uint32_t bytes_max,
                        struct sf_address *source_out);
SF_TIMED(sf_receive_from, (sf_handle_t handle, void *buffer, uint32_t bytes_max, struct sf_address *source_out, sf_timeout_t timeout), (handle, buffer, bytes_max, source_out))

/* ── Files ─────────────────────────────────────────────────────────────────────────────────────── */

/* Opens a file below a granted directory. `flags`: enum sf_open; `mode`: permission bits of a file
 * that is created, 0644 for instance. Errors: ENOTCAPABLE outside every grant, also through "..",
 * symbolic links or absolute paths; EROFS when the grant is read-only; ENOENT, EEXIST, EISDIR. */
SF_PARKS SF_IMPORT(sf_open)
sf_handle_t sf_open(const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode);
SF_TIMED(sf_open, (const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode, sf_timeout_t timeout), (path, path_bytes, flags, mode))

/* At `offset`, which does not move the current position. Errors: ESPIPE on a socket. */
SF_PARKS SF_IMPORT(sf_pread)
int32_t sf_pread(sf_handle_t handle, void *buffer, uint32_t bytes_max, int64_t offset);
SF_TIMED(sf_pread, (sf_handle_t handle, void *buffer, uint32_t bytes_max, int64_t offset, sf_timeout_t timeout), (handle, buffer, bytes_max, offset))
SF_PARKS SF_IMPORT(sf_pwrite)
int32_t sf_pwrite(sf_handle_t handle, const void *buffer, uint32_t bytes, int64_t offset);
SF_TIMED(sf_pwrite, (sf_handle_t handle, const void *buffer, uint32_t bytes, int64_t offset, sf_timeout_t timeout), (handle, buffer, bytes, offset))

/* Returns once everything written is on the device. */
SF_PARKS SF_IMPORT(sf_fsync) int32_t sf_fsync(sf_handle_t handle);
SF_TIMED(sf_fsync, (sf_handle_t handle, sf_timeout_t timeout), (handle))

/* ── Started operations ────────────────────────────────────────────────────────────────────────── */

/* An operation that goes on while its task does something else, so that it can be one arm of a select
 * and survive the select that it does not win. It belongs to the task that starts it. Buffers that it
 * names, and the operation itself, must stay until it has completed; when its task ends before, it is
 * canceled and what lies on the task's stack stays until then. */
struct sf_operation {
  struct sf_submission request; /* op, handle, pointer, length, argument, mode, offset are the caller's */
  uint64_t opaque[5];
};

/* Starts it. Errors: EAGAIN when the ring is full (yield and try again); EALREADY while it has not
 * completed; EINVAL for SF_OP_CANCEL. */
SF_IMPORT(sf_operation_start) int32_t sf_operation_start(struct sf_operation *operation);

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

/* Parks until it has completed, and returns its result; may be asked again. A cancel or a timeout
 * ends the wait, not the operation. EINVAL: it was not started. */
SF_PARKS SF_IMPORT(sf_operation_wait) int32_t sf_operation_wait(struct sf_operation *operation);
SF_TIMED(sf_operation_wait, (struct sf_operation * operation, sf_timeout_t timeout), (operation))

/* EAGAIN: not completed. */
SF_IMPORT(sf_operation_try) int32_t sf_operation_try(struct sf_operation *operation);

/* Asks the host to end it early. Does not wait: it completes with ECANCELED, or with its result. */
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

/* ── Signals ───────────────────────────────────────────────────────────────────────────────────── */

/* A watcher of one of the signals that the host passes on: SIGINT in the command line, for instance.
 * While a signal is watched the host leaves it to the guest. The fields may be read. */
struct sf_signal {
  uint32_t kind; /* enum sf_signal_kind */
  uint32_t seen;
};

/* Starts to watch. Errors: EINVAL. */
SF_IMPORT(sf_signal_watch) int32_t sf_signal_watch(struct sf_signal *signal, uint32_t kind);

/* Ends to watch; who waits for it gets -SF_EINVAL. */
SF_IMPORT(sf_signal_unwatch) void sf_signal_unwatch(struct sf_signal *signal);

/* Parks until the signal was raised since the last wait. Several are one; returns how many. */
SF_PARKS SF_IMPORT(sf_signal_wait) int32_t sf_signal_wait(struct sf_signal *signal);
SF_TIMED(sf_signal_wait, (struct sf_signal * signal, sf_timeout_t timeout), (signal))

#endif

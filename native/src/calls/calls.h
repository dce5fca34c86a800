/* calls.h - the operations, one small file per topic: what is checked before one starts, what it
 * keeps meanwhile, its plain system call, and what becomes of its result. table.c lists them.
 *
 *   transfer.c   reads, writes
 *   socket.c     listen, accept, connect, shutdown, addresses
 *   datagram.c   UDP: bind, connect, send to, receive from
 *   batch.c      several datagrams at once
 *   option.c     options of sockets
 *   group.c      multicast groups
 *   path.c       where a path lies
 *   file.c       open, fsync
 *   fifo.c       opening a pipe that has a name
 *   place.c      the way to where a path leads
 *   paths.c      operations on paths: their checks and results
 *   names.c      operations on names: link, unlink, rename, make
 *   object*.c    operations on what a path names: stat, chmod, truncate
 *   extent.c     seek, allocate
 *   directory.c  what is in a directory
 *   lock.c       locks of open files
 *   copy.c       from file to file, and from file to stream
 *   pipe*.c      pipes, and pairs of sockets
 *   unix.c       Unix sockets by their names
 *   passing.c    handles that are sent to another process
 *   moving.c     handles that go to another executor
 *   poll.c       waits for readiness
 *   stdio.c      the host's own streams
 *   terminal.c   the size and the mode of terminals
 *   resolver.c   the configuration of the resolver
 *   lookup.c     the host's own resolver
 *   spawn*.c     starts a child process
 *   process.c    its handle; waits, signals
 */
#ifndef SF_CALLS_H
#define SF_CALLS_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "engine/call.h"
#include "engine/operation.h"

/* sf_op.kept of CONNECT: where to. Of ACCEPT: who it was; NULL when the guest does not ask. */
struct sf_peer {
  struct sockaddr_storage address;
  socklen_t bytes;
  bool begun; /* CONNECT as a plain call: the system is at it */
};

/* sf_op.kept of SEND_TO and RECEIVE_FROM. */
struct sf_message {
  struct msghdr message; /* its lengths and flags are written, whatever is received */
  struct sockaddr_storage address;
  socklen_t bytes;      /* SEND_TO: of `address` */
  uint32_t address_out; /* RECEIVE_FROM: where the guest wants it; 0: nowhere */
  struct iovec part;
};

/* sf_op.kept of SEND_FILE: what was read, and is to be sent. */
struct sf_send_file {
  uint32_t bytes; /* to read, then: that were read */
  uint8_t data[];
};

/* A guest's path. sf_op.kept of OPEN. */
struct sf_path {
  int directory;    /* the granted or open one, which the path must not leave */
  bool read_only;   /* nothing beneath it may be changed */
  bool temporary;   /* OPEN: of a file without a name, in the directory that it names */
  int flags;        /* OPEN: of open(2) */
  uint32_t mode;    /* OPEN: permission bits */
  const char *rest; /* the path beneath `directory`: never empty. In `text`, or constant */
  char text[];
};

/* Copies the path at `pointer` out and finds where it lies: in the directory `handle`, or, with NULL,
 * in a granted one. Returns 0 and sets *out, from malloc, or a negated sf_errno. An empty path means
 * `handle` itself: what becomes of that is the caller's. */
int32_t sf__read_path(const struct sf_engine *engine, const struct sf_handle *handle,
                      uint32_t pointer, uint32_t length, struct sf_path **out);

/* Copies the sf_address at `pointer` out. Returns 0 or -SF_EFAULT. */
int32_t sf__read_address(const struct sf_engine *engine, uint32_t pointer, struct sf_address *out);

/* Puts an address at `pointer`, which is checked. Returns 0 or -SF_EFAULT. */
int32_t sf__write_address(const struct sf_engine *engine, uint32_t pointer,
                          const struct sockaddr_storage *address);

/* What listen(2) is told. */
static inline int sf__backlog(uint32_t wanted) {
  return wanted < 65535 ? (int)wanted : 65535;
}

/* Binds a new socket to the sf_address at submission->pointer. The place of the handle that will own
 * it is reserved. Returns the descriptor and sets *place, or a negated sf_errno. */
int32_t sf__bound_socket(struct sf_engine *engine, const struct sf_submission *submission, int type,
                         int protocol, uint32_t *place);

/* The address that a guest may send to from a UDP socket, as the system wants it. Returns 0 or a negated
 * sf_errno. */
int32_t sf__granted_destination(const struct sf_engine *engine, const struct sf_address *address,
                                const struct sf_handle *handle, struct sockaddr_storage *out,
                                socklen_t *bytes);

/* What was taken before, on this handle, has reached the system when this returns. */
void sf__flush(struct sf_engine *engine, const struct sf_handle *handle);

/* Copies guest text to `out`, which has room for it and a zero. Returns 0, -SF_EFAULT, or -SF_EINVAL for a
 * zero in it. */
int32_t sf__copy_text(const struct sf_engine *engine, uint32_t pointer, uint32_t length, char *out);

/* As writev(2) of a pipe; without SIGPIPE. Returns the bytes or a negated sf_errno. */
int32_t sf__write_pipe(int fd, const struct iovec *parts, int count);

/* enum sf_poll as poll(2) has it. */
short sf__poll_to_os(uint32_t events);

/* Entries of the table: see operation.h. */
typedef int32_t sf_start(struct sf_engine *, const struct sf_submission *, struct sf_handle *);
typedef int32_t sf_check(struct sf_engine *, const struct sf_submission *, const struct sf_handle *,
                         struct sf_draft *);
typedef int32_t sf_finish(struct sf_engine *, const struct sf_op *, int32_t);

typedef int32_t sf_call_function(const struct sf_call *);

sf_check sf__check_buffer, sf__check_positioned, sf__check_vector, sf__check_positioned_vector;
sf_call_function sf__call_read, sf__call_write, sf__attempt_read, sf__attempt_write;

sf_start sf__listen, sf__shutdown, sf__local_address, sf__peer_address;
sf_check sf__check_accept, sf__check_connect;
sf_call_function sf__call_accept, sf__call_connect;
sf_finish sf__finish_accept, sf__finish_connect;

sf_start sf__set_option, sf__get_option, sf__membership;

sf_start sf__udp_bind, sf__udp_connect;
sf_check sf__check_send_to, sf__check_receive_from;
sf_call_function sf__call_send_to, sf__call_receive_from, sf__attempt_send_to;
sf_finish sf__finish_receive_from;

sf_check sf__check_send_batch, sf__check_receive_batch;
sf_call_function sf__call_send_batch, sf__call_receive_batch;
sf_finish sf__finish_send_batch, sf__finish_receive_batch;

sf_start sf__pipe, sf__socket_pair;

sf_check sf__check_unix_listen, sf__check_unix_bind, sf__check_unix_connect;
sf_check sf__check_unix_send_to;
sf_call_function sf__call_unix_listen, sf__call_unix_bind, sf__call_unix_connect;
sf_call_function sf__call_unix_send_to;
sf_finish sf__finish_unix_named, sf__finish_unix_connect;

sf_check sf__check_send_handle, sf__check_receive_handle;
sf_call_function sf__call_send_handle, sf__call_receive_handle;
sf_finish sf__finish_receive_handle;

sf_start sf__release, sf__adopt;

sf_check sf__check_poll;
sf_call_function sf__call_poll;
sf_finish sf__finish_poll;

sf_check sf__check_open, sf__check_fsync;
sf_call_function sf__call_open, sf__call_fsync, sf__call_close;
sf_finish sf__finish_open;
int32_t sf__next_open(const struct sf_engine *engine, struct sf_op *op, int32_t result);
int32_t sf__call_open_fifo(const struct sf_call *call);

sf_check sf__check_paths;
sf_call_function sf__call_object, sf__call_truncate;
sf_call_function sf__call_link, sf__call_symlink, sf__call_readlink;
sf_call_function sf__call_unlink, sf__call_rename, sf__call_mkdir;
sf_finish sf__finish_paths;

sf_check sf__check_seek, sf__check_allocate, sf__check_read_directory, sf__check_lock;
sf_call_function sf__call_seek, sf__call_allocate, sf__call_read_directory, sf__call_lock;
sf_finish sf__finish_seek, sf__finish_lock;

sf_check sf__check_copy, sf__check_send_file;
sf_call_function sf__call_copy, sf__call_send_file;
int32_t sf__next_send_file(const struct sf_engine *engine, struct sf_op *op, int32_t result);

sf_start sf__stdio, sf__terminal_size, sf__terminal_mode;

sf_start sf__resolver;
sf_check sf__check_lookup;
sf_call_function sf__call_lookup;
sf_finish sf__finish_lookup;

sf_check sf__check_spawn, sf__check_wait;
sf_call_function sf__call_spawn, sf__call_wait;
sf_finish sf__finish_spawn, sf__finish_wait;
sf_start sf__kill;
void sf__drop_spawn(struct sf_engine *engine, const struct sf_draft *draft);

#endif

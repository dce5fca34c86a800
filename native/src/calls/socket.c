/* socket.c - listen, accept, connect, shutdown, and addresses. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/mechanism.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

int32_t sf__read_address(const struct sf_engine *engine, uint32_t pointer, struct sf_address *out) {
  const void *source = sf__guest_range(&engine->base.guest, pointer, sizeof(*out));
  if (source == NULL) return -SF_EFAULT;
  memcpy(out, source, sizeof(*out));
  return 0;
}

int32_t sf__write_address(const struct sf_engine *engine, uint32_t pointer,
                          const struct sockaddr_storage *os_address) {
  const struct sf_address address = sf__address_from_os(os_address);
  void *out = sf__guest_range(&engine->base.guest, pointer, sizeof(address));
  if (out == NULL) return -SF_EFAULT;
  memcpy(out, &address, sizeof(address));
  return 0;
}

/* As the mechanism wants it. Returns the descriptor, or a negated sf_errno. */
static int32_t open_socket(const struct sf_engine *engine, int family, int type, int protocol) {
  const int on = 1;
  const int fd = sf__os_socket(family, type, protocol, engine->mechanism->nonblocking);
  if (fd < 0) return sf__error(errno);
  /* What a listener accepts inherits it, which saves a system call for each connection. */
  if (protocol == IPPROTO_TCP) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

/* What has to be set before the socket is bound. Returns 0 or a negated sf_errno. */
static int32_t prepare_to_bind(int fd, const struct sf_submission *submission, int type,
                               uint16_t family) {
  const int on = 1;
  const bool share_port = (submission->mode & SF_BIND_REUSE_PORT) != 0;
#ifdef SF_WINDOWS
  /* What is called SO_REUSEADDR there takes a port away from others. Without it nobody else can have it, and it
   * is free again at once. */
  if (share_port) return -SF_ENOTSUP;
  const bool shares = type == SOCK_DGRAM && (submission->mode & SF_BIND_REUSE_ADDRESS) != 0;
  setsockopt(fd, SOL_SOCKET, shares ? SO_REUSEADDR : SO_EXCLUSIVEADDRUSE, &on, sizeof(on));
#else
  if (share_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) {
    return sf__error(errno);
  }
  /* With UDP it lets two sockets have the same port. */
  if (type == SOCK_STREAM || (submission->mode & SF_BIND_REUSE_ADDRESS) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
#endif
  /* A grant of an IPv6 endpoint does not grant the IPv4 one. */
  if (family == SF_FAMILY_IPV6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  return 0;
}

int32_t sf__bound_socket(struct sf_engine *engine, const struct sf_submission *submission, int type,
                         int protocol, uint32_t *place) {
  struct sf_address address;
  struct sockaddr_storage os_address;
  socklen_t bytes;
  int32_t err;

  if ((submission->mode & ~(uint32_t)(SF_BIND_REUSE_PORT | SF_BIND_REUSE_ADDRESS)) != 0) {
    return -SF_EINVAL;
  }
  err = sf__read_address(engine, submission->pointer, &address);
  if (err < 0) return err;
  err = sf__address_to_os(&address, &os_address, &bytes);
  if (err < 0) return err;
  const enum sf_endpoint_use use = type == SOCK_STREAM ? SF_ENDPOINT_LISTEN : SF_ENDPOINT_BIND;
  if (!sf__grants_allow(&engine->base.grants, use, &address)) return -SF_ENOTCAPABLE;
  err = sf__handles_reserve(&engine->base.handles, place);
  if (err < 0) return err;

  const int fd = err = open_socket(engine, os_address.ss_family, type, protocol);
  if (err < 0) goto fail_socket;
  err = prepare_to_bind(fd, submission, type, address.family);
  if (err < 0) goto fail_bind;
  if (bind(fd, (struct sockaddr *)&os_address, bytes) < 0) {
    err = sf__error(errno);
    goto fail_bind;
  }
  engine->base.handles.items[*place].family = (uint8_t)address.family;
  return fd;

fail_bind:
  close(fd);
fail_socket:
  sf__handles_release(&engine->base.handles, *place);
  return err;
}

int32_t sf__listen(struct sf_engine *engine, const struct sf_submission *submission,
                   struct sf_handle *handle) {
  uint32_t place;
  (void)handle;
  const int fd = sf__bound_socket(engine, submission, SOCK_STREAM, IPPROTO_TCP, &place);
  if (fd < 0) return fd;
  if (listen(fd, sf__backlog(submission->argument)) < 0) {
    const int32_t err = sf__error(errno);
    close(fd);
    sf__handles_release(&engine->base.handles, place);
    return err;
  }
  return sf__handles_open(&engine->base.handles, place, SF_HANDLE_LISTENER, fd);
}

int32_t sf__check_accept(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  const uint32_t address_out = submission->pointer;
  (void)handle;
  if (address_out != 0 &&
      sf__guest_range(&engine->base.guest, address_out, sizeof(struct sf_address)) == NULL)
    return -SF_EFAULT;
  /* Before it takes a connection that nobody could hold. A waiting ACCEPT reserves no place. */
  if (sf__handles_full(&engine->base.handles)) return -SF_EMFILE;
  if (address_out == 0) return SF_STARTED;
  struct sf_peer *peer = malloc(sizeof(*peer));
  if (peer == NULL) return -SF_ENOMEM;
  peer->bytes = sizeof(peer->address);
  peer->address.ss_family = AF_UNSPEC;
  draft->kept = peer;
  return SF_STARTED;
}

int32_t sf__call_accept(const struct sf_call *call) {
  struct sf_peer *peer = call->kept;
  struct sockaddr *address = peer == NULL ? NULL : (struct sockaddr *)&peer->address;
  const int fd = sf__os_accept(call->fd, address, peer == NULL ? NULL : &peer->bytes, true);
  return fd < 0 ? sf__error(errno) : fd;
}

int32_t sf__finish_accept(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  uint32_t place;
  if (result < 0) return result;
  const int32_t err = sf__handles_reserve_for(&engine->base.handles, result, &place);
  if (err < 0) return err;
  const struct sf_peer *peer = op->kept;
  /* Was in range when the operation began, and a memory never shrinks. */
  if (peer != NULL) sf__write_address(engine, op->pointer, &peer->address);
  struct sf_handle *handles = engine->base.handles.items;
  handles[place].polled = handles[op->handle].polled;
  handles[place].lingers = handles[op->handle].lingers; /* it inherits the option */
  return sf__handles_open(&engine->base.handles, place, SF_HANDLE_STREAM, result);
}

int32_t sf__check_connect(struct sf_engine *engine, const struct sf_submission *submission,
                          const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_address address;
  (void)handle;
  int32_t err = sf__read_address(engine, submission->pointer, &address);
  if (err < 0) return err;
  struct sf_peer *peer = malloc(sizeof(*peer));
  if (peer == NULL) return -SF_ENOMEM;
  err = sf__address_to_os(&address, &peer->address, &peer->bytes);
  if (err < 0) goto fail;
  err = -SF_ENOTCAPABLE;
  if (!sf__grants_allow(&engine->base.grants, SF_ENDPOINT_CONNECT, &address)) goto fail;
  err = -SF_EMFILE;
  if (sf__handles_full(&engine->base.handles)) goto fail;
  const int fd = err = open_socket(engine, peer->address.ss_family, SOCK_STREAM, IPPROTO_TCP);
  if (err < 0) goto fail;
  peer->begun = false;
  draft->kept = peer;
  draft->fd = fd;
  return SF_STARTED;

fail:
  free(peer);
  return err;
}

/* How a connect that was begun has ended: 0, or a negated sf_errno; -SF_EAGAIN: it has not. */
static int32_t connected(int fd) {
  struct sockaddr_storage address;
  socklen_t bytes = sizeof(int);
  int err;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &bytes) < 0) return sf__error(errno);
  if (err != 0) return sf__error(err);
  bytes = sizeof(address);
  if (getpeername(fd, (struct sockaddr *)&address, &bytes) == 0) return 0;
  return errno == ENOTCONN ? -SF_EAGAIN : sf__error(errno);
}

int32_t sf__call_connect(const struct sf_call *call) {
  struct sf_peer *peer = call->kept;
  if (peer->begun) return connected(call->fd);
  if (connect(call->fd, (struct sockaddr *)&peer->address, peer->bytes) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return sf__error(errno);
  peer->begun = true;
  return -SF_EAGAIN;
}

int32_t sf__finish_connect(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  if (result >= 0) return op->fd;
  sf__engine_close_fd(engine, op->fd);
  return result;
}

void sf__flush(struct sf_engine *engine, const struct sf_handle *handle) {
  const struct sf_mechanism *mechanism = engine->mechanism;
  if (handle->ops_first != SF_NONE && mechanism->flush != NULL) mechanism->flush(engine);
}

int32_t sf__shutdown(struct sf_engine *engine, const struct sf_submission *submission,
                     struct sf_handle *handle) {
  static const int how[] = { SHUT_RD, SHUT_WR, SHUT_RDWR };
  if (submission->argument > SF_SHUTDOWN_BOTH) return -SF_EINVAL;
  if (handle->kind == SF_HANDLE_FILE || handle->kind == SF_HANDLE_DIRECTORY) return -SF_ENOTSOCK;
  /* Linux would stop listening, and receiving. */
  if (handle->kind != SF_HANDLE_STREAM) return -SF_ENOTCONN;
  /* A write taken just before must reach the socket first. */
  sf__flush(engine, handle);
  engine->base.system_calls++;
  if (shutdown(handle->fd, how[submission->argument]) < 0) return sf__error(errno);
  const struct sf_mechanism *mechanism = engine->mechanism;
  if (submission->argument != SF_SHUTDOWN_WRITE && mechanism->shut != NULL) {
    mechanism->shut(engine, handle);
  }
  return 0;
}

int32_t sf__local_address(struct sf_engine *engine, const struct sf_submission *submission,
                          struct sf_handle *handle) {
  struct sockaddr_storage os_address;
  socklen_t bytes = sizeof(os_address);
  engine->base.system_calls++;
  if (getsockname(handle->fd, (struct sockaddr *)&os_address, &bytes) < 0) return sf__error(errno);
  return sf__write_address(engine, submission->pointer, &os_address);
}

int32_t sf__peer_address(struct sf_engine *engine, const struct sf_submission *submission,
                         struct sf_handle *handle) {
  struct sockaddr_storage os_address;
  socklen_t bytes = sizeof(os_address);
  engine->base.system_calls++;
  if (getpeername(handle->fd, (struct sockaddr *)&os_address, &bytes) < 0) return sf__error(errno);
  return sf__write_address(engine, submission->pointer, &os_address);
}

/* uring-socket.c - listen, bind, accept, connect, shutdown, and addresses. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "os-errno.h"
#include "uring.h"

#define BACKLOG_MAX 65535u

int32_t uring__read_address(const struct uring *uring, uint32_t pointer, struct sf_address *out) {
  const void *source = sf__guest_range(&uring->base.guest, pointer, sizeof(*out));
  if (source == NULL) return -SF_EFAULT;
  memcpy(out, source, sizeof(*out));
  return 0;
}

int32_t uring__write_address(const struct uring *uring, uint32_t pointer,
                             const struct sockaddr_storage *os_address) {
  const struct sf_address address = sf__address_from_os(os_address);
  void *out = sf__guest_range(&uring->base.guest, pointer, sizeof(address));
  if (out == NULL) return -SF_EFAULT;
  memcpy(out, &address, sizeof(address));
  return 0;
}

/* Blocking on purpose: for a non-blocking socket io_uring reports EAGAIN instead of waiting. */
static int tcp_socket(int family) {
  const int on = 1;
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

/* LISTEN and UDP_BIND. */
int32_t uring__start_bound(struct uring *uring, const struct sf_submission *submission) {
  struct sf_address address;
  struct sockaddr_storage os_address;
  socklen_t bytes;
  uint32_t place;
  int32_t err;
  const int on = 1;

  err = uring__read_address(uring, submission->pointer, &address);
  if (err < 0) return err;
  err = sf__address_to_os(&address, &os_address, &bytes);
  if (err < 0) return err;
  if (!sf__grants_allow(&uring->base.grants, SF_ENDPOINT_LISTEN, &address)) return -SF_ENOTCAPABLE;
  err = sf__handles_reserve(&uring->base.handles, &place);
  if (err < 0) return err;

  const bool udp = submission->op == SF_OP_UDP_BIND;
  /* What a listener accepts inherits TCP_NODELAY, which saves a system call for each connection. */
  int fd = udp ? socket(os_address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP)
               : tcp_socket(os_address.ss_family);
  if (fd < 0) {
    err = sf__error(errno);
    goto fail_socket;
  }
  /* With UDP it would let two sockets have the same port. */
  if (!udp) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  /* A grant of an IPv6 endpoint does not grant the IPv4 one. */
  if (address.family == SF_FAMILY_IPV6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  uint32_t backlog = submission->argument < BACKLOG_MAX ? submission->argument : BACKLOG_MAX;
  if (bind(fd, (struct sockaddr *)&os_address, bytes) < 0 ||
      (!udp && listen(fd, (int)backlog) < 0)) {
    err = sf__error(errno);
    goto fail_bind;
  }
  uring->base.handles.items[place].family = (uint8_t)address.family;
  return sf__handles_open(&uring->base.handles, place, udp ? SF_HANDLE_UDP : SF_HANDLE_LISTENER,
                          fd);

fail_bind:
  close(fd);
fail_socket:
  sf__handles_release(&uring->base.handles, place);
  return err;
}

int32_t uring__start_accept(struct uring *uring, const struct sf_submission *submission,
                            struct sf_handle *handle) {
  int32_t err;
  struct uring_peer *peer = NULL;
  if (handle->kind == SF_HANDLE_UDP) return -SF_ENOTSUP;
  if (handle->kind != SF_HANDLE_LISTENER) return -SF_EINVAL;
  if (submission->pointer != 0) {
    if (sf__guest_range(&uring->base.guest, submission->pointer, sizeof(struct sf_address)) == NULL)
      return -SF_EFAULT;
    peer = malloc(sizeof(*peer));
    if (peer == NULL) return -SF_ENOMEM;
    peer->bytes = sizeof(peer->address);
    peer->address.ss_family = AF_UNSPEC;
  }
  /* Before it takes a connection that nobody could hold. A waiting ACCEPT reserves no place. */
  if (sf__handles_full(&uring->base.handles)) {
    free(peer);
    return -SF_EMFILE;
  }
  uint32_t index;
  err = uring__add_on(uring, submission, handle, &index);
  if (err < 0) {
    free(peer);
    return err;
  }
  struct sf_op *op = &uring->ops.items[index];
  op->kept = peer; /* the table's from here */
  op->pointer = submission->pointer;
  struct io_uring_sqe *sqe = uring__issue(uring, index, IORING_OP_ACCEPT, handle->fd);
  if (sqe == NULL) {
    uring__remove(uring, index);
    return -SF_EAGAIN;
  }
  sqe->accept_flags = SOCK_CLOEXEC;
  if (peer != NULL) {
    sqe->addr = (uint64_t)(uintptr_t)&peer->address;
    sqe->addr2 = (uint64_t)(uintptr_t)&peer->bytes;
  }
  return URING_STARTED;
}

int32_t uring__start_connect(struct uring *uring, const struct sf_submission *submission) {
  struct sf_address address;
  socklen_t bytes;
  uint32_t place;
  uint32_t index;
  int32_t err;

  err = uring__read_address(uring, submission->pointer, &address);
  if (err < 0) return err;
  struct sockaddr_storage *os_address = uring__scratch(uring, sizeof(*os_address));
  if (os_address == NULL) return -SF_EAGAIN;
  err = sf__address_to_os(&address, os_address, &bytes);
  if (err < 0) return err;
  if (!sf__grants_allow(&uring->base.grants, SF_ENDPOINT_CONNECT, &address)) return -SF_ENOTCAPABLE;
  err = sf__handles_reserve(&uring->base.handles, &place);
  if (err < 0) return err;

  int fd = tcp_socket(os_address->ss_family);
  if (fd < 0) {
    err = sf__error(errno);
    goto fail_socket;
  }
  err = uring__add(uring, submission, &index);
  if (err < 0) goto fail_add;
  struct io_uring_sqe *sqe = uring__issue(uring, index, IORING_OP_CONNECT, fd);
  if (sqe == NULL) {
    err = -SF_EAGAIN;
    goto fail_issue;
  }
  uring->ops.items[index].fd = fd;
  uring->ops.items[index].handle = place;
  sqe->addr = (uint64_t)(uintptr_t)os_address;
  sqe->off = bytes;
  return URING_STARTED;

fail_issue:
  uring__remove(uring, index);
fail_add:
  close(fd);
fail_socket:
  sf__handles_release(&uring->base.handles, place);
  return err;
}

int32_t uring__shutdown_now(struct uring *uring, const struct sf_submission *submission,
                            const struct sf_handle *handle) {
  static const int how[] = { SHUT_RD, SHUT_WR, SHUT_RDWR };
  if (submission->argument > SF_SHUTDOWN_BOTH) return -SF_EINVAL;
  if (handle->kind == SF_HANDLE_FILE) return -SF_ENOTSOCK;
  /* Linux would stop listening, and receiving. */
  if (handle->kind != SF_HANDLE_STREAM) return -SF_ENOTCONN;
  const int fd = handle->fd;
  /* A write taken just before must reach the socket first. */
  if (handle->ops_first != SF_NONE && sf__ring_unsubmitted(&uring->ring) > 0) {
    uring__enter(uring, 0);
  }
  uring->base.system_calls++;
  return shutdown(fd, how[submission->argument]) < 0 ? sf__error(errno) : 0;
}

int32_t uring__address_now(struct uring *uring, const struct sf_submission *submission,
                           const struct sf_handle *handle, bool peer) {
  struct sockaddr_storage os_address;
  socklen_t bytes = sizeof(os_address);
  if (handle->kind == SF_HANDLE_FILE) return -SF_ENOTSOCK;
  int err = peer ? getpeername(handle->fd, (struct sockaddr *)&os_address, &bytes)
                 : getsockname(handle->fd, (struct sockaddr *)&os_address, &bytes);
  uring->base.system_calls++;
  if (err < 0) return sf__error(errno);
  return uring__write_address(uring, submission->pointer, &os_address);
}

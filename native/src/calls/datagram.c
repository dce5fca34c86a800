/* datagram.c - UDP: bind, connect, send to, receive from. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

/* Not also what other sockets of this machine have joined, which is Linux's own way. */
static void hear_own_groups(int fd) {
#ifdef IP_MULTICAST_ALL
  const int off = 0;
  setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off));
#ifdef IPV6_MULTICAST_ALL
  setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof(off));
#endif
#else
  (void)fd;
#endif
}

int32_t sf__udp_bind(struct sf_engine *engine, const struct sf_submission *submission,
                     struct sf_handle *handle) {
  uint32_t place;
  (void)handle;
  const int fd = sf__bound_socket(engine, submission, SOCK_DGRAM, IPPROTO_UDP, &place);
  if (fd < 0) return fd;
  hear_own_groups(fd);
  return sf__handles_open(&engine->base.handles, place, SF_HANDLE_UDP, fd);
}

int32_t sf__granted_destination(const struct sf_engine *engine, const struct sf_address *address,
                                const struct sf_handle *handle, struct sockaddr_storage *out,
                                socklen_t *bytes) {
  /* Linux says ENETUNREACH for IPv4 on an IPv6 socket. */
  if (address->family != handle->family) return -SF_EAFNOSUPPORT;
  if (!sf__grants_allow(&engine->base.grants, SF_ENDPOINT_CONNECT, address)) {
    return -SF_ENOTCAPABLE;
  }
  if (address->port == 0) return -SF_EINVAL;
  return sf__address_to_os(address, out, bytes);
}

/* Linux takes a port that it chose itself away with the peer: then it is bound again. */
static int32_t disconnect(int fd) {
  const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
  struct sockaddr_storage before;
  struct sockaddr_storage after;
  socklen_t bytes = sizeof(before);
  if (getsockname(fd, (struct sockaddr *)&before, &bytes) < 0) return sf__error(errno);
  /* BSD does it and says so. */
  if (connect(fd, &nobody, sizeof(nobody)) < 0 && errno != EAFNOSUPPORT) return sf__error(errno);
  bytes = sizeof(after);
  if (getsockname(fd, (struct sockaddr *)&after, &bytes) < 0) return sf__error(errno);
  const uint16_t port = sf__address_from_os(&before).port;
  if (sf__address_from_os(&after).port == port) return 0;
  struct sf_address again = sf__address_from_os(&after);
  again.port = port;
  const int32_t err = sf__address_to_os(&again, &before, &bytes);
  if (err < 0) return err;
  return bind(fd, (struct sockaddr *)&before, bytes) < 0 ? sf__error(errno) : 0;
}

int32_t sf__udp_connect(struct sf_engine *engine, const struct sf_submission *submission,
                        struct sf_handle *handle) {
  struct sf_address address;
  struct sockaddr_storage os_address;
  socklen_t bytes;
  int32_t err = 0;
  if (submission->pointer != 0) {
    err = sf__read_address(engine, submission->pointer, &address);
    if (err < 0) return err;
    err = sf__granted_destination(engine, &address, handle, &os_address, &bytes);
    if (err < 0) return err;
  }
  /* What was sent just before goes where it was meant to. */
  sf__flush(engine, handle);
  engine->base.system_calls++;
#ifdef SF_WINDOWS
  /* From one peer to another it goes at once. */
  const bool disconnects = handle->connected && submission->pointer == 0;
#else
  const bool disconnects = handle->connected;
#endif
  if (disconnects) err = disconnect(handle->fd);
  if (err < 0) return err;
  handle->connected = false;
  if (submission->pointer == 0) return 0;
  if (connect(handle->fd, (struct sockaddr *)&os_address, bytes) < 0) return sf__error(errno);
  handle->connected = true;
  return 0;
}

static bool in_range(const struct sf_engine *engine, const struct sf_submission *submission) {
  return sf__guest_has(&engine->base.guest, submission->pointer, submission->length);
}

static struct sf_message *open_message(void) {
  struct sf_message *kept = malloc(sizeof(*kept));
  if (kept == NULL) return NULL;
  kept->message = (struct msghdr){ .msg_iov = &kept->part, .msg_iovlen = 1 };
  kept->address_out = 0;
  return kept;
}

int32_t sf__check_send_to(struct sf_engine *engine, const struct sf_submission *submission,
                          const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_address address;
  int32_t err = sf__read_address(engine, submission->argument, &address);
  if (err < 0) return err;
  struct sf_message *kept = open_message();
  if (kept == NULL) return -SF_ENOMEM;
  kept->message.msg_name = &kept->address;
  err = sf__granted_destination(engine, &address, handle, &kept->address, &kept->message.msg_namelen);
  if (err == 0 && handle->connected) err = -SF_EISCONN;
  if (err == 0 && !in_range(engine, submission)) err = -SF_EFAULT;
  if (err == 0 && submission->length > SF_DATAGRAM_MAX) err = -SF_EMSGSIZE;
  if (err < 0) {
    free(kept);
    return err;
  }
  draft->kept = kept;
  return SF_STARTED;
}

int32_t sf__check_receive_from(struct sf_engine *engine, const struct sf_submission *submission,
                               const struct sf_handle *handle, struct sf_draft *draft) {
  const uint32_t address_out = submission->argument;
  (void)handle;
  if (!in_range(engine, submission)) return -SF_EFAULT;
  if (address_out != 0 &&
      sf__guest_range(&engine->base.guest, address_out, sizeof(struct sf_address)) == NULL)
    return -SF_EFAULT;
  struct sf_message *kept = open_message();
  if (kept == NULL) return -SF_ENOMEM;
  kept->address_out = address_out;
  kept->address.ss_family = AF_UNSPEC;
  if (address_out != 0) {
    kept->message.msg_name = &kept->address;
    kept->message.msg_namelen = sizeof(kept->address);
  }
  draft->kept = kept;
  return SF_STARTED;
}

static int32_t send_to(const struct sf_call *call, int flags) {
  struct sf_message *kept = call->kept;
  kept->part = call->parts[0];
  const ssize_t bytes = sendmsg(call->fd, &kept->message, SF_MSG_NOSIGNAL | flags);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

int32_t sf__call_send_to(const struct sf_call *call) {
  return send_to(call, 0);
}

int32_t sf__attempt_send_to(const struct sf_call *call) {
  return send_to(call, MSG_DONTWAIT);
}

int32_t sf__call_receive_from(const struct sf_call *call) {
  struct sf_message *kept = call->kept;
  kept->part = call->parts[0];
  const ssize_t bytes = recvmsg(call->fd, &kept->message, 0);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

int32_t sf__finish_receive_from(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct sf_message *kept = op->kept;
  if (result < 0 || kept->address_out == 0) return result;
  /* In range, as it was when the operation began: a memory never shrinks. */
  sf__write_address(engine, kept->address_out, &kept->address);
  return result;
}

/* datagram.c - UDP: bind, send to, receive from. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

int32_t sf__udp_bind(struct sf_engine *engine, const struct sf_submission *submission,
                     struct sf_handle *handle) {
  uint32_t place;
  (void)handle;
  const int fd = sf__bound_socket(engine, submission, SOCK_DGRAM, IPPROTO_UDP, &place);
  if (fd < 0) return fd;
  return sf__handles_open(&engine->base.handles, place, SF_HANDLE_UDP, fd);
}

/* 0 or -SF_EFAULT; a length of 0 names no memory. */
static int32_t check_buffer(const struct sf_engine *engine, const struct sf_submission *submission) {
  if (submission->length == 0) return 0;
  const void *buffer =
    sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  return buffer == NULL ? -SF_EFAULT : 0;
}

static struct sf_message *open_message(void) {
  struct sf_message *kept = malloc(sizeof(*kept));
  if (kept == NULL) return NULL;
  kept->message = (struct msghdr){ .msg_iov = &kept->part, .msg_iovlen = 1 };
  kept->address_out = 0;
  return kept;
}

/* Whether the guest may send there from here, and in what words the system wants it. */
static int32_t destination_of(const struct sf_engine *engine, uint32_t pointer,
                              const struct sf_handle *handle, struct sf_message *out) {
  struct sf_address address;
  const int32_t err = sf__read_address(engine, pointer, &address);
  if (err < 0) return err;
  /* Linux says ENETUNREACH for IPv4 on an IPv6 socket. */
  if (address.family != handle->family) return -SF_EAFNOSUPPORT;
  if (!sf__grants_allow(&engine->base.grants, SF_ENDPOINT_CONNECT, &address))
    return -SF_ENOTCAPABLE;
  if (address.port == 0) return -SF_EINVAL;
  out->message.msg_name = &out->address;
  return sf__address_to_os(&address, &out->address, &out->message.msg_namelen);
}

int32_t sf__check_send_to(struct sf_engine *engine, const struct sf_submission *submission,
                          const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_message *kept = open_message();
  if (kept == NULL) return -SF_ENOMEM;
  int32_t err = destination_of(engine, submission->argument, handle, kept);
  if (err == 0) err = check_buffer(engine, submission);
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
  const int32_t err = check_buffer(engine, submission);
  if (err < 0) return err;
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

int32_t sf__call_send_to(const struct sf_call *call) {
  struct sf_message *kept = call->kept;
  kept->part = call->parts[0];
  const ssize_t bytes = sendmsg(call->fd, &kept->message, SF_MSG_NOSIGNAL);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
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

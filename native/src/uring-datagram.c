/* uring-datagram.c - UDP: send to, receive from. The socket is bound in uring-socket.c. */
#include <errno.h>
#include <stdlib.h>

#include "address.h"
#include "bounce.h"
#include "os-errno.h"
#include "uring.h"

static int32_t check_kind(const struct sf_handle *handle) {
  if (handle->kind == SF_HANDLE_UDP) return 0;
  return handle->kind == SF_HANDLE_FILE ? -SF_ENOTSOCK : -SF_ENOTSUP;
}

/* The guest's buffer, or as much of it as a datagram can need. 0, or -SF_EFAULT; a length of 0 names
 * no memory. */
static int32_t buffer_at(const struct uring *uring, uint32_t pointer, uint32_t length,
                         struct iovec *out) {
  *out = (struct iovec){ .iov_len = length < SF_DATAGRAM_MAX ? length : SF_DATAGRAM_MAX };
  if (length == 0) return 0;
  out->iov_base = sf__guest_range(&uring->base.guest, pointer, length);
  return out->iov_base == NULL ? -SF_EFAULT : 0;
}

/* Has the operation work on host memory instead of `part`, when the guest's memory moves. */
static int32_t bounce(struct uring *uring, uint32_t index, struct iovec *part) {
  const struct sf_guest *guest = &uring->base.guest;
  if (!guest->moves) return 0;
  struct sf_bounce *own = sf__bounce_open(guest, part, 1);
  if (own == NULL) return -SF_ENOMEM;
  struct sf_op *op = &uring->ops.items[index];
  op->bounce = own; /* the table's from here */
  if (op->opcode == SF_OP_SEND_TO) sf__bounce_fill(own, guest);
  *part = (struct iovec){ .iov_base = own->data, .iov_len = own->bytes };
  return 0;
}

/* Whether the guest may send there from here, and in what words the system wants it. */
static int32_t destination_of(const struct uring *uring, uint32_t pointer,
                              const struct sf_handle *handle, struct sockaddr_storage *out,
                              socklen_t *out_bytes) {
  struct sf_address address;
  const int32_t err = uring__read_address(uring, pointer, &address);
  if (err < 0) return err;
  /* Linux says ENETUNREACH for IPv4 on an IPv6 socket. */
  if (address.family != handle->family) return -SF_EAFNOSUPPORT;
  if (!sf__grants_allow(&uring->base.grants, SF_ENDPOINT_CONNECT, &address)) return -SF_ENOTCAPABLE;
  if (address.port == 0) return -SF_EINVAL;
  return sf__address_to_os(&address, out, out_bytes);
}

/* As write_now of uring-transfer.c: alone in its turn a call of its own costs less. */
static bool send_now(struct uring *uring, int fd, const struct msghdr *message, int32_t *result) {
  if (!uring->alone) return false;
  uring->base.system_calls++;
  const ssize_t sent = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  *result = sent < 0 ? sf__error(errno) : (int32_t)sent;
  return true;
}

/* In no lane: datagrams have no order that waiting for each other would keep. */
int32_t uring__start_send_to(struct uring *uring, const struct sf_submission *submission,
                             struct sf_handle *handle) {
  uint32_t index;
  socklen_t bytes = 0;
  int32_t err = check_kind(handle);
  if (err < 0) return err;
  struct uring_message *arguments = uring__scratch(uring, sizeof(*arguments) + sizeof(struct iovec));
  if (arguments == NULL) return -SF_EAGAIN;
  err = destination_of(uring, submission->argument, handle, &arguments->address, &bytes);
  if (err < 0) return err;
  err = buffer_at(uring, submission->pointer, submission->length, arguments->parts);
  if (err < 0) return err;
  if (submission->length > SF_DATAGRAM_MAX) return -SF_EMSGSIZE;
  arguments->message = (struct msghdr){
    .msg_name = &arguments->address,
    .msg_namelen = bytes,
    .msg_iov = arguments->parts,
    .msg_iovlen = 1,
  };
  int32_t result;
  if (send_now(uring, handle->fd, &arguments->message, &result)) return result;

  err = uring__add_on(uring, submission, handle, &index);
  if (err < 0) return err;
  err = bounce(uring, index, arguments->parts);
  if (err < 0) goto fail;
  struct io_uring_sqe *sqe = uring__issue(uring, index, IORING_OP_SENDMSG, handle->fd);
  if (sqe == NULL) {
    err = -SF_EAGAIN;
    goto fail;
  }
  sqe->addr = (uint64_t)(uintptr_t)&arguments->message;
  sqe->len = 1;
  sqe->msg_flags = MSG_NOSIGNAL;
  return URING_STARTED;

fail:
  uring__remove(uring, index);
  return err;
}

int32_t uring__start_receive_from(struct uring *uring, const struct sf_submission *submission,
                                  struct sf_handle *handle) {
  uint32_t index;
  struct iovec part;
  const uint32_t address_out = submission->argument;
  int32_t err = check_kind(handle);
  if (err < 0) return err;
  err = buffer_at(uring, submission->pointer, submission->length, &part);
  if (err < 0) return err;
  if (address_out != 0 &&
      sf__guest_range(&uring->base.guest, address_out, sizeof(struct sf_address)) == NULL)
    return -SF_EFAULT;

  struct uring_message *kept = malloc(sizeof(*kept) + sizeof(struct iovec));
  if (kept == NULL) return -SF_ENOMEM;
  kept->address_out = address_out;
  kept->address.ss_family = AF_UNSPEC;
  err = uring__add_on(uring, submission, handle, &index);
  if (err < 0) {
    free(kept);
    return err;
  }
  struct sf_op *op = &uring->ops.items[index];
  op->kept = kept; /* the table's from here */
  op->pointer = submission->pointer;
  op->length = submission->length;
  return uring__enter_lane(uring, index);
}

int32_t uring__issue_receive_from(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->ops.items[index];
  struct uring_message *kept = op->kept;
  /* Now, not when it was submitted: the memory can have moved while it waited for another. */
  int32_t err = buffer_at(uring, op->pointer, op->length, kept->parts);
  if (err == 0) err = bounce(uring, index, kept->parts);
  if (err < 0) return err;
  kept->message = (struct msghdr){
    .msg_name = kept->address_out == 0 ? NULL : &kept->address,
    .msg_namelen = kept->address_out == 0 ? 0 : sizeof(kept->address),
    .msg_iov = kept->parts,
    .msg_iovlen = 1,
  };
  const int fd = uring->base.handles.items[op->handle].fd;
  struct io_uring_sqe *sqe = uring__issue(uring, index, IORING_OP_RECVMSG, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)&kept->message;
  sqe->len = 1;
  if (uring__polls_first(uring)) sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  return URING_STARTED;
}

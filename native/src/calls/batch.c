/* batch.c - several datagrams at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#ifdef SF_LINUX
typedef struct mmsghdr message;
#else
typedef struct {
  struct msghdr msg_hdr;
  unsigned int msg_len;
} message;
#endif

/* sf_op.kept of SEND_BATCH and RECEIVE_BATCH. */
struct batch {
  struct sf_kept_parts parts; /* first: see there */
  message messages[SF_IOVEC_MAX];
  struct sockaddr_storage addresses[]; /* one for each part */
};

/* Copies the guest's records out. Returns 0 or a negated sf_errno. */
static int32_t read_records(const struct sf_engine *engine, const struct sf_submission *submission,
                            struct sf_datagram out[SF_IOVEC_MAX]) {
  if (submission->length > SF_IOVEC_MAX) return -SF_EINVAL;
  const size_t bytes = submission->length * sizeof(*out);
  const void *source = sf__guest_range(&engine->base.guest, submission->pointer, bytes);
  if (source == NULL) return -SF_EFAULT;
  memcpy(out, source, bytes);
  return 0;
}

static struct batch *open_batch(uint32_t count) {
  return calloc(1, sizeof(struct batch) + count * sizeof(struct sockaddr_storage));
}

/* Adds a datagram whose buffer has been checked. Its address is at messages[…].msg_hdr.msg_name. */
static struct msghdr *add(struct batch *batch, const struct sf_datagram *datagram) {
  const uint32_t index = batch->parts.count++;
  batch->parts.items[index] =
    (struct sf_iovec){ .pointer = datagram->pointer, .length = datagram->length };
  struct msghdr *message = &batch->messages[index].msg_hdr;
  message->msg_name = &batch->addresses[index];
  message->msg_iovlen = 1;
  return message;
}

static bool in_range(const struct sf_engine *engine, const struct sf_datagram *datagram) {
  return sf__guest_has(&engine->base.guest, datagram->pointer, datagram->length);
}

/* Where a datagram may go. Returns 0, with *bytes 0 for where the socket is connected to, or a negated
 * sf_errno. */
static int32_t destination_of(const struct sf_engine *engine, const struct sf_datagram *datagram,
                              const struct sf_handle *handle, struct sockaddr_storage *out,
                              socklen_t *bytes) {
  *bytes = 0;
  if (datagram->address.family == 0) return handle->connected ? 0 : -SF_EDESTADDRREQ;
  const int32_t err = sf__granted_destination(engine, &datagram->address, handle, out, bytes);
  return err == 0 && handle->connected ? -SF_EISCONN : err;
}

int32_t sf__check_send_batch(struct sf_engine *engine, const struct sf_submission *submission,
                             const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_datagram datagrams[SF_IOVEC_MAX];
  int32_t err = read_records(engine, submission, datagrams);
  if (err < 0 || submission->length == 0) return err;
  struct batch *batch = open_batch(submission->length);
  if (batch == NULL) return -SF_ENOMEM;
  /* Up to the first that cannot be sent. */
  for (uint32_t i = 0; i < submission->length; i++) {
    struct sockaddr_storage address;
    socklen_t bytes;
    err = destination_of(engine, &datagrams[i], handle, &address, &bytes);
    if (err == 0 && !in_range(engine, &datagrams[i])) err = -SF_EFAULT;
    if (err == 0 && datagrams[i].length > SF_DATAGRAM_MAX) err = -SF_EMSGSIZE;
    if (err < 0) break;
    struct msghdr *message = add(batch, &datagrams[i]);
    message->msg_namelen = bytes;
    if (bytes == 0) message->msg_name = NULL;
    else memcpy(message->msg_name, &address, bytes);
  }
  if (batch->parts.count == 0) {
    free(batch);
    return err;
  }
  draft->kept = batch;
  return SF_STARTED;
}

int32_t sf__check_receive_batch(struct sf_engine *engine, const struct sf_submission *submission,
                                const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_datagram datagrams[SF_IOVEC_MAX];
  (void)handle;
  const int32_t err = read_records(engine, submission, datagrams);
  if (err < 0 || submission->length == 0) return err;
  for (uint32_t i = 0; i < submission->length; i++) {
    if (!in_range(engine, &datagrams[i])) return -SF_EFAULT;
  }
  struct batch *batch = open_batch(submission->length);
  if (batch == NULL) return -SF_ENOMEM;
  for (uint32_t i = 0; i < submission->length; i++) add(batch, &datagrams[i]);
  draft->kept = batch;
  return SF_STARTED;
}

/* Has the messages use the buffers where they are now. */
static struct batch *aim(const struct sf_call *call) {
  struct batch *batch = call->kept;
  for (uint32_t i = 0; i < batch->parts.count; i++) {
    batch->messages[i].msg_hdr.msg_iov = &call->parts[i];
  }
  return batch;
}

#ifdef SF_LINUX
static int send_some(int fd, struct batch *batch) {
  return sendmmsg(fd, batch->messages, batch->parts.count, MSG_DONTWAIT | SF_MSG_NOSIGNAL);
}

static int receive_some(int fd, struct batch *batch) {
  return recvmmsg(fd, batch->messages, batch->parts.count, MSG_DONTWAIT, NULL);
}
#else
/* With `move` for each, until one fails. */
static int move_some(int fd, struct batch *batch, ssize_t (*move)(int, struct msghdr *)) {
  int count = 0;
  for (uint32_t i = 0; i < batch->parts.count; i++) {
    const ssize_t bytes = move(fd, &batch->messages[i].msg_hdr);
    if (bytes < 0) return count == 0 ? -1 : count;
    batch->messages[i].msg_len = (unsigned int)bytes;
    count++;
  }
  return count;
}

static ssize_t send_one(int fd, struct msghdr *header) {
  return sendmsg(fd, header, MSG_DONTWAIT | SF_MSG_NOSIGNAL);
}

static ssize_t receive_one(int fd, struct msghdr *header) {
  return recvmsg(fd, header, MSG_DONTWAIT);
}

static int send_some(int fd, struct batch *batch) {
  return move_some(fd, batch, send_one);
}

static int receive_some(int fd, struct batch *batch) {
  return move_some(fd, batch, receive_one);
}
#endif

int32_t sf__call_send_batch(const struct sf_call *call) {
  const int count = send_some(call->fd, aim(call));
  return count < 0 ? sf__error(errno) : count;
}

int32_t sf__call_receive_batch(const struct sf_call *call) {
  struct batch *batch = aim(call);
  for (uint32_t i = 0; i < batch->parts.count; i++) {
    batch->messages[i].msg_hdr.msg_namelen = sizeof(batch->addresses[i]);
  }
  const int count = receive_some(call->fd, batch);
  return count < 0 ? sf__error(errno) : count;
}

/* One of the guest's records: in range, as it was when the operation began. */
static void put(const struct sf_engine *engine, const struct sf_op *op, uint32_t index,
                size_t offset, const void *value, size_t bytes) {
  const uint32_t pointer = op->pointer + index * (uint32_t)sizeof(struct sf_datagram);
  void *record = sf__guest_range(&engine->base.guest, pointer, sizeof(struct sf_datagram));
  if (record != NULL) memcpy((uint8_t *)record + offset, value, bytes);
}

static void put_result(const struct sf_engine *engine, const struct sf_op *op, uint32_t index) {
  const struct batch *batch = op->kept;
  const int32_t bytes = (int32_t)batch->messages[index].msg_len;
  put(engine, op, index, offsetof(struct sf_datagram, result), &bytes, sizeof(bytes));
}

int32_t sf__finish_send_batch(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  for (int32_t i = 0; i < result; i++) put_result(engine, op, (uint32_t)i);
  return result;
}

int32_t sf__finish_receive_batch(struct sf_engine *engine, const struct sf_op *op,
                                 int32_t result) {
  const struct batch *batch = op->kept;
  for (int32_t i = 0; i < result; i++) {
    const uint32_t index = (uint32_t)i;
    const uint32_t truncated = (batch->messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    const struct sf_address from = sf__address_from_os(&batch->addresses[i]);
    put_result(engine, op, index);
    put(engine, op, index, offsetof(struct sf_datagram, truncated), &truncated, sizeof(truncated));
    put(engine, op, index, offsetof(struct sf_datagram, address), &from, sizeof(from));
  }
  return result;
}

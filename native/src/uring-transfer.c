/* uring-transfer.c - reads, writes and fsync, straight into and out of guest memory where that stays
 * at its place, else by way of a bounce. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bounce.h"
#include "lanes.h"
#include "os-errno.h"
#include "uring.h"

/* What one transfer moves at most; a guest that asks for more gets a short count. */
#define TRANSFER_BYTES_MAX 0x7FFFFFFFu

static bool is_vector(uint16_t opcode) {
  return opcode == SF_OP_READV || opcode == SF_OP_WRITEV;
}

static bool is_write(uint16_t opcode) {
  return opcode == SF_OP_WRITE || opcode == SF_OP_WRITEV || opcode == SF_OP_PWRITE;
}

static bool is_positioned(uint16_t opcode) {
  return opcode == SF_OP_PREAD || opcode == SF_OP_PWRITE;
}

/* Copies the guest's vector out, checks each part and translates it. Returns how many bytes it
 * names in all, or a negated errno. */
static int64_t read_vector(const struct sf_guest *guest, uint32_t pointer, uint32_t count,
                           struct iovec *out) {
  struct sf_iovec parts[SF_IOVEC_MAX];
  int64_t total = 0;
  if (count > SF_IOVEC_MAX) return -SF_EINVAL;
  const size_t bytes = count * sizeof(parts[0]);
  const void *source = sf__guest_range(guest, pointer, bytes);
  if (source == NULL) return -SF_EFAULT;
  memcpy(parts, source, bytes);
  for (uint32_t i = 0; i < count; i++) {
    out[i].iov_base = sf__guest_range(guest, parts[i].pointer, parts[i].length);
    out[i].iov_len = parts[i].length;
    if (out[i].iov_base == NULL && parts[i].length > 0) return -SF_EFAULT;
    total += parts[i].length;
  }
  return total;
}

/* Whether the transfer can start later: a positive number, else its result. */
static int64_t check(const struct uring *uring, const struct sf_submission *submission,
                     const struct sf_handle *handle) {
  const struct sf_guest *guest = &uring->base.guest;
  const uint16_t opcode = submission->op;
  struct iovec parts[SF_IOVEC_MAX];
  if (is_positioned(opcode) && handle->kind != SF_HANDLE_FILE) return -SF_ESPIPE;
  if (handle->kind == SF_HANDLE_LISTENER) return -SF_ENOTCONN;
  if (handle->kind == SF_HANDLE_UDP) return is_write(opcode) ? -SF_EDESTADDRREQ : -SF_ENOTCONN;
  /* -1 would mean the current position to the kernel. */
  if (is_positioned(opcode) && submission->offset < 0) return -SF_EINVAL;
  const uint32_t length = submission->length;
  if (length == 0) return 0;
  if (is_vector(opcode)) return read_vector(guest, submission->pointer, length, parts);
  if (sf__guest_range(guest, submission->pointer, length) == NULL) return -SF_EFAULT;
  return length;
}

static int32_t issue_vector(struct uring *uring, uint32_t index, bool stream, int fd) {
  struct sf_op op = uring->ops.items[index];
  const uint32_t count = op.length;
  const bool write = is_write(op.opcode);
  const size_t bytes = sizeof(struct uring_message) + count * sizeof(struct iovec);
  struct uring_message *arguments;
  if (stream && !write) {
    /* RECVMSG writes into the msghdr when it ends. */
    arguments = uring->ops.items[index].kept = malloc(bytes);
    if (arguments == NULL) return -SF_ENOMEM;
  } else {
    arguments = uring__scratch(uring, bytes);
    if (arguments == NULL) return -SF_EAGAIN;
  }
  /* Once more: the guest can have changed it since it was checked. */
  int64_t total = read_vector(&uring->base.guest, op.pointer, count, arguments->parts);
  if (total <= 0) return (int32_t)total;
  arguments->message = (struct msghdr){ .msg_iov = arguments->parts, .msg_iovlen = count };

  const uint8_t opcode = stream ? (write ? IORING_OP_SENDMSG : IORING_OP_RECVMSG)
                                : (write ? IORING_OP_WRITEV : IORING_OP_READV);
  struct io_uring_sqe *sqe = uring__issue(uring, index, opcode, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  if (stream) {
    sqe->addr = (uint64_t)(uintptr_t)&arguments->message;
    sqe->len = 1;
    if (write) sqe->msg_flags = MSG_NOSIGNAL;
  } else {
    sqe->addr = (uint64_t)(uintptr_t)arguments->parts;
    sqe->len = count;
    sqe->off = UINT64_MAX;
  }
  return URING_STARTED;
}

static int32_t issue_buffer(struct uring *uring, uint32_t index, const struct sf_handle *handle,
                            const void *buffer, uint32_t length) {
  const struct sf_op *op = &uring->ops.items[index];
  const bool stream = handle->kind == SF_HANDLE_STREAM;
  const bool write = is_write(op->opcode);
  const uint8_t opcode = stream ? (write ? IORING_OP_SEND : IORING_OP_RECV)
                                : (write ? IORING_OP_WRITE : IORING_OP_READ);
  struct io_uring_sqe *sqe = uring__issue(uring, index, opcode, handle->fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)buffer;
  sqe->len = length < TRANSFER_BYTES_MAX ? length : TRANSFER_BYTES_MAX;
  if (!stream) {
    sqe->off = is_positioned(op->opcode) ? (uint64_t)op->offset : UINT64_MAX;
  } else if (write) {
    sqe->msg_flags = MSG_NOSIGNAL;
  } else if (uring__polls_first(uring)) {
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  }
  return URING_STARTED;
}

static int32_t issue_plain(struct uring *uring, uint32_t index, const struct sf_handle *handle) {
  const struct sf_op *op = &uring->ops.items[index];
  const void *buffer = sf__guest_range(&uring->base.guest, op->pointer, op->length);
  if (buffer == NULL) return -SF_EFAULT;
  return issue_buffer(uring, index, handle, buffer, op->length);
}

static int32_t issue_bounced(struct uring *uring, uint32_t index, const struct sf_handle *handle) {
  const struct sf_guest *guest = &uring->base.guest;
  struct sf_op *op = &uring->ops.items[index];
  struct iovec parts[SF_IOVEC_MAX];
  uint32_t count = 1;
  if (is_vector(op->opcode)) {
    count = op->length;
    const int64_t total = read_vector(guest, op->pointer, count, parts);
    if (total <= 0) return (int32_t)total;
  } else {
    parts[0].iov_base = sf__guest_range(guest, op->pointer, op->length);
    parts[0].iov_len = op->length;
    if (parts[0].iov_base == NULL) return -SF_EFAULT;
  }
  struct sf_bounce *bounce = sf__bounce_open(guest, parts, count);
  if (bounce == NULL) return -SF_ENOMEM;
  op->bounce = bounce; /* the table's from here */
  if (is_write(op->opcode)) sf__bounce_fill(bounce, guest);
  return issue_buffer(uring, index, handle, bounce->data, bounce->bytes);
}

/* Among many a first attempt at receiving is made even where it will find nothing: without it an
 * echo server of 200 or 1000 connections was no faster. */
bool uring__polls_first(const struct uring *uring) {
  /* POLL_FIRST is from 5.19 on, so wherever that flag is known. */
  return uring->alone && (uring->ring.setup_flags & IORING_SETUP_DEFER_TASKRUN);
}

/* Hands an operation in the table to the kernel. */
static int32_t issue(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->ops.items[index];
  const struct sf_handle *handle = &uring->base.handles.items[op->handle];
  if (op->opcode == SF_OP_RECEIVE_FROM) return uring__issue_receive_from(uring, index);
  if (uring->base.guest.moves) return issue_bounced(uring, index, handle);
  if (!is_vector(op->opcode)) return issue_plain(uring, index, handle);
  return issue_vector(uring, index, handle->kind == SF_HANDLE_STREAM, handle->fd);
}

/* A write that is alone in its turn is tried at once: a call of its own costs less than a trip through
 * the ring, which many share well. (One connection, 64 bytes: a fifth less system time.) Returns
 * false when it must wait, or others are before it. */
static bool write_now(struct uring *uring, const struct sf_submission *submission,
                      const struct sf_handle *handle, int32_t *result) {
  if (!uring->alone || submission->op != SF_OP_WRITE) return false;
  if (handle->kind != SF_HANDLE_STREAM || handle->closing) return false;
  const uint8_t lane = sf__lane_for(handle, SF_OP_WRITE);
  if (handle->lanes[lane].first != SF_NONE) return false;
  const void *buffer = sf__guest_range(&uring->base.guest, submission->pointer, submission->length);
  if (buffer == NULL) return false;
  uring->base.system_calls++;
  const size_t bytes =
    submission->length < TRANSFER_BYTES_MAX ? submission->length : TRANSFER_BYTES_MAX;
  const ssize_t sent = send(handle->fd, buffer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  *result = sent < 0 ? sf__error(errno) : (int32_t)sent;
  return true;
}

int32_t uring__start_transfer(struct uring *uring, const struct sf_submission *submission,
                              struct sf_handle *handle) {
  uint32_t index;
  const int64_t wanted = check(uring, submission, handle);
  if (wanted <= 0) return (int32_t)wanted;
  int32_t result;
  if (write_now(uring, submission, handle, &result)) return result;
  result = uring__add_on(uring, submission, handle, &index);
  if (result < 0) return result;

  struct sf_op *op = &uring->ops.items[index];
  op->pointer = submission->pointer;
  op->length = submission->length;
  op->offset = submission->offset;
  return uring__enter_lane(uring, index);
}

int32_t uring__enter_lane(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->ops.items[index];
  struct sf_handle *handle = &uring->base.handles.items[op->handle];
  const uint8_t lane = sf__lane_for(handle, op->opcode);
  if (lane < SF_LANES && !sf__lane_enter(&uring->ops, handle, index, lane)) return URING_STARTED;
  const int32_t result = issue(uring, index);
  if (result != URING_STARTED) uring__remove(uring, index);
  return result;
}

int32_t uring__start_fsync(struct uring *uring, const struct sf_submission *submission,
                           struct sf_handle *handle) {
  uint32_t index;
  if (handle->kind != SF_HANDLE_FILE) return -SF_EINVAL;
  const int32_t err = uring__add_on(uring, submission, handle, &index);
  if (err < 0) return err;
  if (uring__issue(uring, index, IORING_OP_FSYNC, handle->fd) != NULL) return URING_STARTED;
  uring__remove(uring, index);
  return -SF_EAGAIN;
}

void uring__remove(struct uring *uring, uint32_t index) {
  for (;;) {
    const struct sf_op op = uring->ops.items[index];
    uint32_t next = SF_NONE;
    if (op.lane < SF_LANES) {
      next = sf__lane_leave(&uring->ops, &uring->base.handles.items[op.handle], index);
    }
    sf__ops_remove(&uring->ops, index, &uring->base.handles);
    if (next == SF_NONE || uring->closing) return;

    const int32_t result = issue(uring, next);
    if (result == URING_STARTED) return;
    uring__complete(uring, uring->ops.items[next].token, result);
    index = next;
  }
}

/* issue.c - an operation becomes an SQE. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/call.h"
#include "engine/jobs.h"
#include "uring/uring.h"

struct io_uring_sqe *uring__sqe(struct uring *uring, uint8_t opcode, int fd, uint64_t key) {
  struct io_uring_sqe *sqe = sf__ring_sqe(&uring->ring);
  if (sqe == NULL) {
    uring__enter(uring, 0);
    sqe = sf__ring_sqe(&uring->ring);
    if (sqe == NULL) return NULL;
  }
  sqe->opcode = opcode;
  sqe->fd = fd;
  sqe->user_data = key;
  return sqe;
}

/* Memory for arguments, valid until the SQE that is filled next was taken; NULL: none now. */
static void *scratch(struct uring *uring, size_t bytes) {
  size_t rounded = (bytes + 15) & ~(size_t)15;
  /* An SQE is set apart too: getting one later could submit, which empties the scratch memory. */
  if (rounded > URING_SCRATCH_BYTES - uring->scratch_used || sf__ring_full(&uring->ring)) {
    uring__enter(uring, 0);
    if (rounded > URING_SCRATCH_BYTES - uring->scratch_used) return NULL;
    if (sf__ring_full(&uring->ring)) return NULL;
  }
  void *out = uring->scratch + uring->scratch_used;
  uring->scratch_used += (uint32_t)rounded;
  return out;
}

/* An SQE for an operation, which is the kernel's from now on. NULL: none is free. */
static struct io_uring_sqe *sqe_for(struct uring *uring, uint32_t index, uint8_t opcode, int fd) {
  const uint64_t key = sf__ops_key(&uring->engine.ops, index);
  struct io_uring_sqe *sqe = uring__sqe(uring, opcode, fd, key);
  if (sqe != NULL) uring->in_kernel++;
  return sqe;
}

/* Among many a first attempt at receiving is made even where it will find nothing: without it an
 * echo server of 200 or 1000 connections was no faster. */
static bool polls_first(const struct uring *uring) {
  /* POLL_FIRST is from 5.19 on, so wherever that flag is known. */
  return uring->engine.alone && (uring->ring.setup_flags & IORING_SETUP_DEFER_TASKRUN);
}

static bool is_write(const struct sf_op *op) {
  return sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND;
}

/* What io_uring is told: -1 is the file's own position. */
static uint64_t offset_of(const struct sf_op *op) {
  return sf__is_positioned(op->opcode) ? (uint64_t)op->offset : UINT64_MAX;
}

static int32_t issue_vector(struct uring *uring, uint32_t index, const struct sf_handle *handle,
                            const struct iovec *parts, uint32_t count) {
  struct sf_op *op = &uring->engine.ops.items[index];
  const bool socket = handle->kind != SF_HANDLE_FILE;
  const bool write = is_write(op);
  struct {
    struct msghdr message;
    struct iovec parts[];
  } *arguments;
  const size_t bytes = sizeof(*arguments) + count * sizeof(struct iovec);
  if (socket && !write) {
    /* RECVMSG writes into the msghdr when it ends. */
    arguments = op->kept = malloc(bytes);
    if (arguments == NULL) return -SF_ENOMEM;
  } else {
    arguments = scratch(uring, bytes);
    if (arguments == NULL) return -SF_EAGAIN;
  }
  memcpy(arguments->parts, parts, count * sizeof(struct iovec));
  arguments->message = (struct msghdr){ .msg_iov = arguments->parts, .msg_iovlen = count };

  const uint8_t opcode = socket ? (write ? IORING_OP_SENDMSG : IORING_OP_RECVMSG)
                                : (write ? IORING_OP_WRITEV : IORING_OP_READV);
  struct io_uring_sqe *sqe = sqe_for(uring, index, opcode, handle->fd);
  if (sqe == NULL) return -SF_EAGAIN;
  if (socket) {
    sqe->addr = (uint64_t)(uintptr_t)&arguments->message;
    sqe->len = 1;
    if (write) sqe->msg_flags = MSG_NOSIGNAL;
  } else {
    sqe->addr = (uint64_t)(uintptr_t)arguments->parts;
    sqe->len = count;
    sqe->off = offset_of(op);
  }
  return SF_STARTED;
}

static int32_t issue_buffer(struct uring *uring, uint32_t index, const struct sf_handle *handle,
                            const struct iovec *buffer) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  const bool socket = handle->kind != SF_HANDLE_FILE;
  const bool write = is_write(op);
  const uint8_t opcode = socket ? (write ? IORING_OP_SEND : IORING_OP_RECV)
                                : (write ? IORING_OP_WRITE : IORING_OP_READ);
  struct io_uring_sqe *sqe = sqe_for(uring, index, opcode, handle->fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)buffer->iov_base;
  sqe->len = (uint32_t)buffer->iov_len;
  if (!socket) {
    sqe->off = offset_of(op);
  } else if (write) {
    sqe->msg_flags = MSG_NOSIGNAL;
  } else if (polls_first(uring)) {
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  }
  return SF_STARTED;
}

static int32_t issue_message(struct uring *uring, uint32_t index, const struct sf_handle *handle,
                             const struct iovec *buffer) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  struct sf_message *message = op->kept;
  const bool write = is_write(op);
  message->part = *buffer;
  struct io_uring_sqe *sqe =
    sqe_for(uring, index, write ? IORING_OP_SENDMSG : IORING_OP_RECVMSG, handle->fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)&message->message;
  sqe->len = 1;
  if (write) {
    sqe->msg_flags = MSG_NOSIGNAL;
  } else if (polls_first(uring)) {
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  }
  return SF_STARTED;
}

/* Reads, writes and datagrams: between a handle and the guest's memory. */
static int32_t issue_transfer(struct uring *uring, uint32_t index) {
  struct sf_op *op = &uring->engine.ops.items[index];
  const struct sf_handle *handle = &uring->engine.base.handles.items[op->handle];
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  int32_t err = sf__call_prepare(&uring->engine, op, parts, &call);
  if (err == 0) err = sf__call_bounce(&uring->engine, op, &call);
  if (err < 0) return err;
  if (op->opcode == SF_OP_SEND_TO || op->opcode == SF_OP_RECEIVE_FROM) {
    return issue_message(uring, index, handle, parts);
  }
  if (op->bounce == NULL && sf__is_vector(op->opcode)) {
    return issue_vector(uring, index, handle, parts, call.parts_count);
  }
  return issue_buffer(uring, index, handle, parts);
}

static int32_t issue_accept(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  struct sf_peer *peer = op->kept;
  const int fd = uring->engine.base.handles.items[op->handle].fd;
  struct io_uring_sqe *sqe = sqe_for(uring, index, IORING_OP_ACCEPT, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->accept_flags = SOCK_CLOEXEC;
  if (peer != NULL) {
    sqe->addr = (uint64_t)(uintptr_t)&peer->address;
    sqe->addr2 = (uint64_t)(uintptr_t)&peer->bytes;
  }
  return SF_STARTED;
}

static int32_t issue_connect(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  const struct sf_peer *peer = op->kept;
  struct io_uring_sqe *sqe = sqe_for(uring, index, IORING_OP_CONNECT, op->fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)&peer->address;
  sqe->off = peer->bytes;
  return SF_STARTED;
}

static int32_t issue_open(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  const struct sf_path *path = op->kept;
  if (path->temporary || op->step != 0) return sf__job_start(&uring->engine, index);
  struct open_how *how = scratch(uring, sizeof(*how));
  if (how == NULL) return -SF_EAGAIN;
  *how = (struct open_how){
    .flags = (uint64_t)(path->flags | O_NONBLOCK),
    .mode = path->mode,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  struct io_uring_sqe *sqe = sqe_for(uring, index, IORING_OP_OPENAT2, path->directory);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)path->rest;
  sqe->len = sizeof(*how);
  sqe->off = (uint64_t)(uintptr_t)how;
  return SF_STARTED;
}

static int32_t issue_fsync(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  const int fd = uring->engine.base.handles.items[op->handle].fd;
  struct io_uring_sqe *sqe = sqe_for(uring, index, IORING_OP_FSYNC, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  if (op->argument == SF_SYNC_DATA) sqe->fsync_flags = IORING_FSYNC_DATASYNC;
  return SF_STARTED;
}

static int32_t issue_allocate(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  const int fd = uring->engine.base.handles.items[op->handle].fd;
  struct io_uring_sqe *sqe = sqe_for(uring, index, IORING_OP_FALLOCATE, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->off = (uint64_t)op->offset;
  sqe->addr = (uint64_t)op->other_offset;
  return SF_STARTED;
}

static int32_t issue_send_file(struct uring *uring, uint32_t index) {
  const struct sf_op *op = &uring->engine.ops.items[index];
  struct sf_send_file *piece = op->kept;
  const bool reads = sf__reads_file(op);
  const int fd = reads ? op->other_fd : uring->engine.base.handles.items[op->handle].fd;
  struct io_uring_sqe *sqe =
    sqe_for(uring, index, reads ? IORING_OP_READ : IORING_OP_SEND, fd);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->addr = (uint64_t)(uintptr_t)piece->data;
  sqe->len = piece->bytes;
  if (reads) {
    sqe->off = (uint64_t)op->other_offset;
  } else {
    sqe->msg_flags = MSG_NOSIGNAL;
  }
  return SF_STARTED;
}

static int32_t issue_close(struct uring *uring, uint32_t index) {
  const struct sf_handle *handle =
    &uring->engine.base.handles.items[uring->engine.ops.items[index].handle];
  /* The kernel would linger on the thread that enters it. */
  if (handle->lingers) return sf__job_start(&uring->engine, index);
  if (sqe_for(uring, index, IORING_OP_CLOSE, handle->fd) != NULL) return SF_STARTED;
  close(handle->fd);
  return 0;
}

typedef int32_t issue_function(struct uring *, uint32_t);

static issue_function *const forms[] = {
  [SF_OP_ACCEPT] = issue_accept,
  [SF_OP_CONNECT] = issue_connect,
  [SF_OP_READ] = issue_transfer,
  [SF_OP_WRITE] = issue_transfer,
  [SF_OP_READV] = issue_transfer,
  [SF_OP_WRITEV] = issue_transfer,
  [SF_OP_PREAD] = issue_transfer,
  [SF_OP_PWRITE] = issue_transfer,
  [SF_OP_PREADV] = issue_transfer,
  [SF_OP_PWRITEV] = issue_transfer,
  [SF_OP_SEND_TO] = issue_transfer,
  [SF_OP_RECEIVE_FROM] = issue_transfer,
  [SF_OP_OPEN] = issue_open,
  [SF_OP_FSYNC] = issue_fsync,
  [SF_OP_ALLOCATE] = issue_allocate,
  [SF_OP_SEND_FILE] = issue_send_file,
  [SF_OP_CLOSE] = issue_close,
  [SF_OP_SEND_HANDLE] = uring__attempt,
  [SF_OP_RECEIVE_HANDLE] = uring__attempt,
  [SF_OP_SEND_BATCH] = uring__attempt,
  [SF_OP_RECEIVE_BATCH] = uring__attempt,
  [SF_OP_POLL] = uring__attempt,
  [SF_OP_WAIT] = uring__attempt,
};

bool uring__has(uint16_t opcode) {
  return opcode < sizeof(forms) / sizeof(forms[0]) && forms[opcode] != NULL;
}

int32_t uring__issue(struct sf_engine *engine, uint32_t index) {
  const struct sf_op *op = &engine->ops.items[index];
  const uint8_t opcode = op->opcode;
  if (!uring__has(opcode)) return sf__job_start(engine, index);
  const bool polled = op->handle != SF_NONE && engine->base.handles.items[op->handle].polled;
  if (polled && sf__operation(opcode)->waits != SF_WAITS_ELSEWHERE && !sf__reads_file(op)) {
    return uring__attempt(uring__of(engine), index);
  }
  return forms[opcode](uring__of(engine), index);
}

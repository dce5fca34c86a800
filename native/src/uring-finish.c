/* uring-finish.c - a CQE becomes a completion. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounce.h"
#include "os-errno.h"
#include "uring.h"

void uring__complete(struct uring *uring, uint32_t token, int32_t result) {
  const struct sf_completion completion = { .token = token, .result = result };
  if (uring->closing) return;
  if (uring->queue.count == 0 && sf__guest_complete(&uring->base.guest, &completion)) {
    uring->delivered++;
    return;
  }
  sf__queue_push(&uring->queue, completion);
}

/* The place that the operation reserved becomes a handle, or is given back. */
static int32_t open_reserved(struct uring *uring, uint32_t place, enum sf_handle_kind kind,
                             int fd) {
  if (fd >= 0) return sf__handles_open(&uring->base.handles, place, kind, fd);
  sf__handles_release(&uring->base.handles, place);
  return fd;
}

static int32_t finish_accept(struct uring *uring, const struct sf_op *op, int fd) {
  uint32_t place;
  int32_t err = sf__handles_reserve(&uring->base.handles, &place);
  if (err < 0) {
    close(fd);
    return err;
  }
  const struct uring_peer *peer = op->kept;
  /* Was in range when the operation began, and a memory never shrinks. */
  if (peer != NULL) uring__write_address(uring, op->pointer, &peer->address);
  return sf__handles_open(&uring->base.handles, place, SF_HANDLE_STREAM, fd);
}

static int32_t finish_connect(struct uring *uring, const struct sf_op *op, int32_t result) {
  if (result < 0) close(op->fd);
  return open_reserved(uring, op->handle, SF_HANDLE_STREAM, result < 0 ? result : op->fd);
}

static int32_t finish_open(struct uring *uring, const struct sf_op *op, int32_t result) {
  struct stat status;
  /* Not a pipe or a socket: writing to one can raise SIGPIPE, which would end the process. */
  if (result >= 0 &&
      (fstat(result, &status) < 0 || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) {
    close(result);
    result = -SF_ENOTSUP;
  }
  return open_reserved(uring, op->handle, SF_HANDLE_FILE, result);
}

static int32_t finish_receive_from(const struct uring *uring, const struct sf_op *op,
                                   int32_t result) {
  const struct uring_message *kept = op->kept;
  if (result < 0 || kept->address_out == 0) return result;
  /* In range for the same reason. */
  uring__write_address(uring, kept->address_out, &kept->address);
  return result;
}

static int32_t finish_close(struct uring *uring, uint32_t place) {
  /* Whatever close(2) said: the descriptor is gone. */
  sf__handles_release(&uring->base.handles, place);
  return 0;
}

static bool is_read(uint8_t opcode) {
  return opcode == SF_OP_READ || opcode == SF_OP_READV || opcode == SF_OP_PREAD ||
         opcode == SF_OP_RECEIVE_FROM;
}

/* The system's result as the guest's. */
static int32_t translate(const struct uring *uring, const struct sf_op *op, int32_t result) {
  if (result >= 0) {
    /* Bytes that arrived after the engine copied the memory are in the copy it gave up. */
    return op->moved && is_read(op->opcode) ? -SF_EIO : result;
  }
  if (!op->canceled || (result != -ECANCELED && result != -EINTR)) {
    /* openat2 says EXDEV when a path leaves its directory. */
    if (op->opcode == SF_OP_OPEN && result == -EXDEV) return -SF_ENOTCAPABLE;
    return sf__error(-result);
  }
  if (op->moved) return -SF_EIO;
  const bool closing = op->linked && uring->base.handles.items[op->handle].closing;
  return closing ? -SF_EBADF : -SF_ECANCELED;
}

static void finish(struct uring *uring, uint32_t index, int32_t os_result) {
  /* A copy: opening a handle may move the tables. */
  const struct sf_op op = uring->ops.items[index];
  int32_t result = translate(uring, &op, os_result);

  uring->in_kernel--;
  if (op.moved) uring->moved--;
  if (op.bounce != NULL && result > 0 && is_read(op.opcode) && !uring->closing) {
    sf__bounce_deliver(op.bounce, &uring->base.guest, (uint32_t)result);
  }
  switch (op.opcode) {
    case SF_OP_ACCEPT:
      if (result >= 0) result = finish_accept(uring, &op, result);
      break;
    case SF_OP_CONNECT:
      result = finish_connect(uring, &op, result);
      break;
    case SF_OP_OPEN:
      result = finish_open(uring, &op, result);
      break;
    case SF_OP_RECEIVE_FROM:
      result = finish_receive_from(uring, &op, result);
      break;
    case SF_OP_CLOSE:
      result = finish_close(uring, op.handle);
      break;
    default:
      break;
  }
  uring__complete(uring, op.token, result);
  uring__remove(uring, index);
  if (op.linked) uring__continue_close(uring, op.handle);
}

void uring__reap(struct uring *uring) {
  for (;;) {
    const struct io_uring_cqe *cqe = sf__ring_cqe(&uring->ring);
    if (cqe == NULL) return;
    const uint64_t key = cqe->user_data;
    const int32_t result = cqe->res;
    /* Before it is acted on: that may enter the kernel, which needs the room. */
    sf__ring_seen(&uring->ring);

    if (key == URING_KEY_HOST_LOOP) {
      uring->host_poll_armed = false;
      uring->base.host_ready = true;
    } else if (key != URING_KEY_IGNORED) {
      const uint32_t index = sf__ops_index(&uring->ops, key);
      if (index != SF_NONE) finish(uring, index, result);
    }
  }
}

void uring__continue_close(struct uring *uring, uint32_t place) {
  const struct sf_handle *handle = &uring->base.handles.items[place];
  if (!handle->closing || handle->ops_first != SF_NONE) return;

  const uint32_t index = handle->close_op;
  if (uring__issue(uring, index, IORING_OP_CLOSE, handle->fd) != NULL) return;
  const uint32_t token = uring->ops.items[index].token;
  close(handle->fd);
  sf__ops_remove(&uring->ops, index, &uring->base.handles);
  uring__complete(uring, token, finish_close(uring, place));
}

bool uring__borrows(uint8_t opcode) {
  switch (opcode) {
    case SF_OP_READ:
    case SF_OP_WRITE:
    case SF_OP_READV:
    case SF_OP_WRITEV:
    case SF_OP_PREAD:
    case SF_OP_PWRITE:
    case SF_OP_SEND_TO:
    case SF_OP_RECEIVE_FROM:
      return true;
    default:
      return false;
  }
}

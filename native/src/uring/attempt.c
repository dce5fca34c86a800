/* attempt.c - operations that have no SQE, or whose descriptor says EAGAIN instead of waiting: made as
 * plain calls, and again once the ring tells that their descriptor is ready. */
#include <poll.h>
#include <stdlib.h>

#include "calls/calls.h"
#include "engine/call.h"
#include "uring/uring.h"

static short events_of(const struct sf_op *op) {
  switch (sf__operation(op->opcode)->waits) {
    case SF_WAITS_READABLE:
      return POLLIN;
    case SF_WAITS_WRITABLE:
      return POLLOUT;
    default:
      return sf__poll_to_os(op->argument);
  }
}

static int32_t await(struct uring *uring, uint32_t index) {
  struct sf_op *op = &uring->engine.ops.items[index];
  const int fd =
    op->handle == SF_NONE ? op->fd : uring->engine.base.handles.items[op->handle].fd;
  const uint64_t key = sf__ops_key(&uring->engine.ops, index);
  struct io_uring_sqe *sqe = uring__sqe(uring, IORING_OP_POLL_ADD, fd, key);
  if (sqe == NULL) return -SF_EAGAIN;
  sqe->poll32_events = (uint32_t)events_of(op);
  uring->in_kernel++;
  op->attempted = true;
  return SF_STARTED;
}

int32_t uring__attempt(struct uring *uring, uint32_t index) {
  struct sf_op *op = &uring->engine.ops.items[index];
  /* What it was issued with before, it does not need. */
  free(op->bounce);
  op->bounce = NULL;
  const int32_t result = sf__call_now(&uring->engine, op);
  if (result != -SF_EAGAIN) return result;
  return op->canceled ? -SF_ECANCELED : await(uring, index);
}

/* uring-start.c - a submission, checked, becomes an SQE, or a result at once. */
#include "uring.h"

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

void *uring__scratch(struct uring *uring, size_t bytes) {
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

int32_t uring__add(struct uring *uring, const struct sf_submission *submission, uint32_t *out) {
  return sf__ops_add(&uring->ops, submission->token, (uint8_t)submission->op, out);
}

int32_t uring__add_on(struct uring *uring, const struct sf_submission *submission,
                      const struct sf_handle *handle, uint32_t *out) {
  const int32_t err = uring__add(uring, submission, out);
  if (err < 0) return err;
  const uint32_t place = sf__handles_index(&uring->base.handles, handle);
  sf__ops_link(&uring->ops, *out, &uring->base.handles, place);
  return 0;
}

struct io_uring_sqe *uring__issue(struct uring *uring, uint32_t index, uint8_t opcode, int fd) {
  struct io_uring_sqe *sqe = uring__sqe(uring, opcode, fd, sf__ops_key(&uring->ops, index));
  if (sqe != NULL) uring->in_kernel++;
  return sqe;
}

/* Ends what is in flight on the handle; the fd is closed when the last of it is done. */
static int32_t start_close(struct uring *uring, const struct sf_submission *submission,
                           struct sf_handle *handle) {
  uint32_t index;
  int32_t err = sf__ops_add(&uring->ops, submission->token, SF_OP_CLOSE, &index);
  if (err < 0) return err;
  /* A CLOSE that began cannot be cancelled: its token is in no chain. */
  sf__ops_cancel(&uring->ops, index);
  const uint32_t place = sf__handles_index(&uring->base.handles, handle);
  uring->ops.items[index].handle = place;
  handle->closing = true;
  handle->close_op = index;
  uint32_t op = handle->ops_first;
  while (op != SF_NONE) {
    uint32_t next = uring->ops.items[op].handle_next;
    uring__cancel(uring, op);
    op = next;
  }
  uring__continue_close(uring, place);
  return URING_STARTED;
}

static int32_t start_on(struct uring *uring, const struct sf_submission *submission,
                        struct sf_handle *handle) {
  switch (submission->op) {
    case SF_OP_ACCEPT:
      return uring__start_accept(uring, submission, handle);
    case SF_OP_READ:
    case SF_OP_WRITE:
    case SF_OP_READV:
    case SF_OP_WRITEV:
    case SF_OP_PREAD:
    case SF_OP_PWRITE:
      return uring__start_transfer(uring, submission, handle);
    case SF_OP_SEND_TO:
      return uring__start_send_to(uring, submission, handle);
    case SF_OP_RECEIVE_FROM:
      return uring__start_receive_from(uring, submission, handle);
    case SF_OP_SHUTDOWN:
      return uring__shutdown_now(uring, submission, handle);
    case SF_OP_CLOSE:
      return start_close(uring, submission, handle);
    case SF_OP_FSYNC:
      return uring__start_fsync(uring, submission, handle);
    case SF_OP_LOCAL_ADDRESS:
      return uring__address_now(uring, submission, handle, false);
    case SF_OP_PEER_ADDRESS:
      return uring__address_now(uring, submission, handle, true);
    default:
      return -SF_ENOSYS;
  }
}

int32_t uring__start(struct uring *uring, const struct sf_submission *submission) {
  switch (submission->op) {
    case SF_OP_LISTEN:
    case SF_OP_UDP_BIND:
      return uring__start_bound(uring, submission);
    case SF_OP_CONNECT:
      return uring__start_connect(uring, submission);
    case SF_OP_OPEN:
      return uring__start_open(uring, submission);
    default:
      break;
  }
  if (submission->op > SF_OP_RECEIVE_FROM || submission->op <= SF_OP_CANCEL) return -SF_ENOSYS;
  struct sf_handle *handle = sf__handles_get(&uring->base.handles, submission->handle);
  return handle == NULL ? -SF_EBADF : start_on(uring, submission, handle);
}

void uring__cancel(struct uring *uring, uint32_t index) {
  if (!sf__ops_cancel(&uring->ops, index)) return;
  const struct sf_op *op = &uring->ops.items[index];
  if (!op->waiting) {
    uring__send_cancel(uring, index);
    return;
  }
  const uint32_t token = op->token;
  const bool closing = uring->base.handles.items[op->handle].closing;
  uring__remove(uring, index);
  uring__complete(uring, token, closing ? -SF_EBADF : -SF_ECANCELED);
}

void uring__send_cancel(struct uring *uring, uint32_t index) {
  const uint64_t target = sf__ops_key(&uring->ops, index);
  /* By key: the kernel looks that up in a hash table, where a cancel by fd walks all of it. */
  struct io_uring_sqe *sqe = uring__sqe(uring, IORING_OP_ASYNC_CANCEL, -1, URING_KEY_IGNORED);
  if (sqe == NULL) {
    uring->cancels_lost = true;
  } else {
    sqe->addr = target;
  }
}

void uring__cancel_token(struct uring *uring, uint32_t token) {
  for (;;) {
    const uint32_t index = sf__ops_find(&uring->ops, token);
    if (index == SF_NONE) return;
    uring__cancel(uring, index);
  }
}

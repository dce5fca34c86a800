/* transfer.c - reads and writes, straight into and out of guest memory where that stays at its place,
 * else by way of a bounce. */
#include <string.h>

#include "calls/calls.h"
#include "engine/bounce.h"

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

static int64_t read_buffer(const struct sf_guest *guest, uint32_t pointer, uint32_t length,
                           uint32_t length_max, struct iovec *out) {
  *out = (struct iovec){ .iov_len = length < length_max ? length : length_max };
  if (length == 0) return 0; /* names no memory */
  out->iov_base = sf__guest_range(guest, pointer, length);
  return out->iov_base == NULL ? -SF_EFAULT : (int64_t)out->iov_len;
}

int64_t sf__parts(const struct sf_guest *guest, const struct sf_op *op, struct iovec *out,
                  uint32_t *count) {
  *count = 1;
  switch (op->opcode) {
    case SF_OP_READV:
    case SF_OP_WRITEV:
      *count = op->length;
      return read_vector(guest, op->pointer, op->length, out);
    case SF_OP_SEND_TO:
    case SF_OP_RECEIVE_FROM:
      return read_buffer(guest, op->pointer, op->length, SF_DATAGRAM_MAX, out);
    default:
      return read_buffer(guest, op->pointer, op->length, SF_TRANSFER_BYTES_MAX, out);
  }
}

int32_t sf__bounce_parts(const struct sf_guest *guest, struct sf_op *op, struct iovec *parts,
                         uint32_t *count) {
  if (!guest->moves) return 0;
  struct sf_bounce *bounce = sf__bounce_open(guest, parts, *count);
  if (bounce == NULL) return -SF_ENOMEM;
  op->bounce = bounce; /* the table's from here */
  if (sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND) sf__bounce_fill(bounce, guest);
  *parts = (struct iovec){ .iov_base = bounce->data, .iov_len = bounce->bytes };
  *count = 1;
  return 0;
}

int32_t sf__check_buffer(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  (void)handle;
  (void)draft;
  if (submission->length == 0) return 0;
  const void *buffer =
    sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  return buffer == NULL ? -SF_EFAULT : SF_STARTED;
}

int32_t sf__check_positioned(struct sf_engine *engine, const struct sf_submission *submission,
                             const struct sf_handle *handle, struct sf_draft *draft) {
  /* -1 would mean the current position to io_uring. */
  if (submission->offset < 0) return -SF_EINVAL;
  return sf__check_buffer(engine, submission, handle, draft);
}

int32_t sf__check_vector(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  struct iovec parts[SF_IOVEC_MAX];
  (void)handle;
  (void)draft;
  if (submission->length == 0) return 0;
  const int64_t total =
    read_vector(&engine->base.guest, submission->pointer, submission->length, parts);
  return total > 0 ? SF_STARTED : (int32_t)total;
}

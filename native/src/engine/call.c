#include "engine/call.h"

#include <stdlib.h>
#include <string.h>

#include "engine/bounce.h"
#include "engine/operation.h"

/* Where the guest's buffers are now. Returns their bytes together, or -SF_EFAULT. */
static int64_t locate(const struct sf_guest *guest, const struct sf_iovec *parts, uint32_t count,
                      struct iovec *out) {
  int64_t total = 0;
  for (uint32_t i = 0; i < count; i++) {
    out[i].iov_base = sf__guest_range(guest, parts[i].pointer, parts[i].length);
    out[i].iov_len = parts[i].length;
    if (out[i].iov_base == NULL && parts[i].length > 0) return -SF_EFAULT;
    total += parts[i].length;
  }
  return total;
}

int64_t sf__vector(const struct sf_guest *guest, uint32_t pointer, uint32_t count,
                   struct iovec out[SF_IOVEC_MAX]) {
  struct sf_iovec parts[SF_IOVEC_MAX];
  if (count > SF_IOVEC_MAX) return -SF_EINVAL;
  const size_t bytes = count * sizeof(parts[0]);
  const void *source = sf__guest_range(guest, pointer, bytes);
  if (source == NULL) return -SF_EFAULT;
  memcpy(parts, source, bytes);
  return locate(guest, parts, count, out);
}

static int32_t buffer(const struct sf_guest *guest, const struct sf_op *op, uint32_t length_max,
                      struct iovec *out) {
  *out = (struct iovec){ .iov_len = op->length < length_max ? op->length : length_max };
  if (op->length == 0) return 0; /* names no memory */
  out->iov_base = sf__guest_range(guest, op->pointer, op->length);
  return out->iov_base == NULL ? -SF_EFAULT : 0;
}

static int32_t find_parts(const struct sf_guest *guest, const struct sf_op *op,
                          struct sf_call *call) {
  if (sf__is_vector(op->opcode)) {
    call->parts_count = op->length;
    const int64_t total = sf__vector(guest, op->pointer, op->length, call->parts);
    return total < 0 ? (int32_t)total : 0;
  }
  const struct sf_kept_parts *kept = op->kept;
  int64_t total;
  switch (op->opcode) {
    case SF_OP_SEND_BATCH:
    case SF_OP_RECEIVE_BATCH:
      call->parts_count = kept->count;
      total = locate(guest, kept->items, kept->count, call->parts);
      return total < 0 ? (int32_t)total : 0;
    case SF_OP_SEND_TO:
    case SF_OP_RECEIVE_FROM:
      call->parts_count = 1;
      return buffer(guest, op, SF_DATAGRAM_MAX, call->parts);
    default:
      call->parts_count = 1;
      return buffer(guest, op, SF_TRANSFER_BYTES_MAX, call->parts);
  }
}

int32_t sf__call_prepare(const struct sf_engine *engine, const struct sf_op *op,
                         struct iovec parts[SF_IOVEC_MAX], struct sf_call *out) {
  *out = (struct sf_call){
    .opcode = op->opcode,
    .fd = op->fd,
    .other_fd = op->other_fd,
    .step = op->step,
    .length = op->length,
    .argument = op->argument,
    .offset = op->offset,
    .other_offset = op->other_offset,
    .kept = op->kept,
    .parts = parts,
  };
  if (op->handle != SF_NONE) {
    const struct sf_handle *handle = &engine->base.handles.items[op->handle];
    out->kind = handle->kind;
    out->pipe = handle->pipe;
    out->shared = handle->shared;
    out->listing = handle->listing;
    out->fd = handle->fd;
  }
  if (sf__operation(op->opcode)->borrows == SF_BORROWS_NOTHING) return 0;
  return find_parts(&engine->base.guest, op, out);
}

int32_t sf__call_now(struct sf_engine *engine, const struct sf_op *op) {
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  int32_t result = sf__call_prepare(engine, op, parts, &call);
  if (result < 0) return result;
  do {
    engine->base.system_calls++;
    result = sf__operation(op->opcode)->call(&call);
  } while (result == -SF_EINTR);
  return result;
}

int32_t sf__call_bounce(const struct sf_engine *engine, struct sf_op *op, struct sf_call *call) {
  if (!engine->base.guest.moves || call->parts_count == 0) return 0;
  return sf__call_gather(engine, op, call);
}

int32_t sf__call_gather(const struct sf_engine *engine, struct sf_op *op, struct sf_call *call) {
  const struct sf_guest *guest = &engine->base.guest;
  struct sf_bounce *bounce = sf__bounce_open(guest, call->parts, call->parts_count);
  if (bounce == NULL) return -SF_ENOMEM;
  free(op->bounce);
  op->bounce = bounce; /* the table's from here */
  if (sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND) sf__bounce_fill(bounce, guest);
  call->parts[0] = (struct iovec){ .iov_base = bounce->data, .iov_len = bounce->bytes };
  call->parts_count = 1;
  return 0;
}

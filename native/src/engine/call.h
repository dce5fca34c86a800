/* call.h - an operation as a plain system call: all that it needs, outside the tables, so that a thread
 * of the pool can make it. */
#ifndef SF_CALL_H
#define SF_CALL_H

#include <sys/uio.h>

#include "engine/engine.h"

struct sf_call {
  uint16_t opcode;
  uint8_t kind; /* enum sf_handle_kind of the handle it works on */
  bool pipe;    /* see sf_handle */
  bool shared;  /* see sf_handle */
  struct sf_listing *listing; /* see sf_handle */
  int fd;       /* of that handle, or sf_op.fd */
  int other_fd; /* sf_op.other_fd */
  uint8_t step; /* sf_op.step */
  uint32_t length;
  uint32_t argument;
  int64_t offset;
  int64_t other_offset;
  void *kept; /* sf_op.kept */
  struct iovec *parts; /* its buffers; there are SF_IOVEC_MAX or fewer */
  uint32_t parts_count;
};

/* sf_op.kept of a batch begins with this: the guest's buffers. */
struct sf_kept_parts {
  uint32_t count;
  struct sf_iovec items[SF_IOVEC_MAX];
};

/* What one transfer moves at most; a guest that asks for more gets a short count. */
#define SF_TRANSFER_BYTES_MAX 0x7FFFFFFFu

/* Whether its buffers are a vector in the guest's memory. */
static inline bool sf__is_vector(uint16_t opcode) {
  return opcode == SF_OP_READV || opcode == SF_OP_WRITEV || opcode == SF_OP_PREADV ||
         opcode == SF_OP_PWRITEV;
}

/* Whether it says itself at which offset of the file. */
static inline bool sf__is_positioned(uint16_t opcode) {
  return opcode == SF_OP_PREAD || opcode == SF_OP_PWRITE || opcode == SF_OP_PREADV ||
         opcode == SF_OP_PWRITEV;
}

/* Fills *out, and `parts` with the operation's buffers: in the guest's memory, where that is now.
 * Returns 0 or a negated sf_errno: the guest can have changed a vector since it was checked. */
int32_t sf__call_prepare(const struct sf_engine *engine, const struct sf_op *op,
                         struct iovec parts[SF_IOVEC_MAX], struct sf_call *out);

/* Makes the plain call at once, again when a signal ends it. Returns its result. */
int32_t sf__call_now(struct sf_engine *engine, const struct sf_op *op);

/* Copies the guest's vector out, checks each part and translates it. Returns how many bytes it names
 * in all, or a negated sf_errno. */
int64_t sf__vector(const struct sf_guest *guest, uint32_t pointer, uint32_t count,
                   struct iovec out[SF_IOVEC_MAX]);

/* Has the operation work on host memory instead of the guest's, when that moves: sets sf_op.bounce,
 * and the call's parts to that one. Returns 0 or -SF_ENOMEM. */
int32_t sf__call_bounce(const struct sf_engine *engine, struct sf_op *op, struct sf_call *call);

/* The same whether it moves or not: its parts become one. */
int32_t sf__call_gather(const struct sf_engine *engine, struct sf_op *op, struct sf_call *call);

#endif

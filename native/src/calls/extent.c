/* extent.c - where a file is read and written, and how much room it has. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

/* sf_op.kept of SEEK. */
struct position {
  int64_t now;
  uint32_t out; /* where the guest wants it */
};

int32_t sf__check_seek(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  (void)handle;
  if (submission->argument > SF_SEEK_END) return -SF_EINVAL;
  const uint32_t out = submission->other_pointer;
  if (sf__guest_range(&engine->base.guest, out, sizeof(int64_t)) == NULL) return -SF_EFAULT;
  struct position *position = malloc(sizeof(*position));
  if (position == NULL) return -SF_ENOMEM;
  position->out = out;
  draft->kept = position;
  return SF_STARTED;
}

int32_t sf__call_seek(const struct sf_call *call) {
  static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };
  struct position *position = call->kept;
  position->now = lseek(call->fd, call->offset, whence[call->argument]);
  return position->now < 0 ? sf__error(errno) : 0;
}

int32_t sf__finish_seek(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct position *position = op->kept;
  if (result < 0) return result;
  /* Was in range when the operation began, and a memory never shrinks. */
  void *out = sf__guest_range(&engine->base.guest, position->out, sizeof(position->now));
  if (out != NULL) memcpy(out, &position->now, sizeof(position->now));
  return 0;
}

int32_t sf__check_allocate(struct sf_engine *engine, const struct sf_submission *submission,
                           const struct sf_handle *handle, struct sf_draft *draft) {
  (void)engine;
  (void)handle;
  (void)draft;
  if (submission->offset < 0 || submission->other_offset <= 0) return -SF_EINVAL;
  return submission->other_offset > INT64_MAX - submission->offset ? -SF_EFBIG : SF_STARTED;
}

int32_t sf__call_allocate(const struct sf_call *call) {
#if defined(SF_LINUX)
  return fallocate(call->fd, 0, call->offset, call->other_offset) < 0 ? sf__error(errno) : 0;
#elif defined(__APPLE__) || defined(__OpenBSD__)
  (void)call; /* they have no such call */
  return -SF_ENOTSUP;
#else
  const int err = posix_fallocate(call->fd, call->offset, call->other_offset);
  return err != 0 ? sf__error(err) : 0;
#endif
}

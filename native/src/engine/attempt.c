/* attempt.c - a transfer that is made at once.
 *
 * One that the guest wants so, before it submits it: the ring, the table and a turn would cost more than
 * the system call does. What it must not overtake is looked for first; whatever is not plain goes the usual
 * way, and is told what is wrong with it there.
 *
 * And of those that were submitted a read at a place in a file: where the bytes are in memory there is
 * nothing to hand over and to wait for.
 */
#include "engine/lanes.h"
#include "engine/mechanism.h"
#include "engine/operation.h"

static bool has_to_wait(const struct sf_engine *engine, const struct sf_submission *submission,
                        const struct sf_operation *operation, const struct sf_handle *handle) {
  if (operation->refuses[handle->kind] != 0 || handle->kind == SF_HANDLE_DESCRIPTOR) return true;
  if (handle->stdio != SF_STDIO_NONE) return true;
  if (operation->lane != SF_LANE_NONE) {
    const uint8_t lane = sf__lane_for(handle, operation);
    if (handle->lanes[lane].first != SF_NONE) return true;
  }
  return sf__guest_submitted(&engine->base.guest, submission->handle);
}

static int32_t make(struct sf_engine *engine, const struct sf_operation *operation,
                    const struct sf_call *call) {
  engine->base.system_calls++;
  const int32_t result = operation->attempt(call);
  return result == -SF_EINTR ? -SF_EAGAIN : result;
}

static int32_t attempt(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_operation *operation, const struct sf_handle *handle,
                       const struct sf_draft *draft) {
  const struct sf_op op = {
    .opcode = (uint8_t)submission->op,
    .handle = sf__handles_index(&engine->base.handles, handle),
    .pointer = submission->pointer,
    .length = submission->length,
    .argument = submission->argument,
    .offset = submission->offset,
    .fd = -1,
    .other_fd = -1,
    .kept = draft->kept,
  };
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  const int32_t err = sf__call_prepare(engine, &op, parts, &call);
  return err < 0 ? err : make(engine, operation, &call);
}

int32_t sf__attempt_submitted(struct sf_engine *engine, const struct sf_submission *submission,
                              const struct sf_operation *operation,
                              const struct sf_handle *handle) {
  const bool tried = engine->tried && engine->tried_token == submission->token;
  engine->tried = false;
  if (tried || submission->op != SF_OP_PREAD) return -SF_EAGAIN;
  struct iovec part = {
    .iov_base = sf__guest_range(&engine->base.guest, submission->pointer, submission->length),
    .iov_len = submission->length,
  };
  if (part.iov_len > SF_TRANSFER_BYTES_MAX) part.iov_len = SF_TRANSFER_BYTES_MAX;
  const struct sf_call call = {
    .opcode = SF_OP_PREAD,
    .kind = handle->kind,
    .fd = handle->fd,
    .offset = submission->offset,
    .parts = &part,
    .parts_count = 1,
  };
  return make(engine, operation, &call);
}

int32_t sf__backend_attempt(struct sf_backend *backend) {
  struct sf_engine *engine = (struct sf_engine *)backend;
  struct sf_submission submission;
  if (backend->guest.base == NULL) return -SF_EAGAIN;
  sf__guest_next(&backend->guest, &submission);
  const struct sf_operation *operation = sf__operation(submission.op);
  if (operation == NULL || operation->attempt == NULL) return -SF_EAGAIN;
  const struct sf_handle *handle = sf__handles_get(&backend->handles, submission.handle);
  if (handle == NULL || has_to_wait(engine, &submission, operation, handle)) return -SF_EAGAIN;

  struct sf_draft draft = { .fd = -1, .other_fd = -1 };
  if (operation->check(engine, &submission, handle, &draft) != SF_STARTED) return -SF_EAGAIN;
  const int32_t result = attempt(engine, &submission, operation, handle, &draft);
  sf__draft_drop(engine, operation, &draft);
  if (result == -SF_EAGAIN) {
    engine->tried = true;
    engine->tried_token = submission.token;
    return -SF_EAGAIN;
  }
  backend->submissions++;
  backend->completions++;
  return result;
}

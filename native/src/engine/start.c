/* start.c - a submission, checked, goes into the table and to the mechanism. */
#include <stdlib.h>
#include <unistd.h>

#include "engine/jobs.h"
#include "engine/lanes.h"
#include "engine/mechanism.h"
#include "engine/operation.h"
#include "engine/process.h"

/* Operations in flight and completions waiting for room. Beyond it submissions stay in the ring. */
#define OPERATIONS_MAX (1u << 20)

enum sf_capability sf__capability(const struct sf_mechanism *mechanism, uint16_t opcode) {
  const struct sf_operation *operation = sf__operation(opcode);
  if (operation == NULL) return SF_UNSUPPORTED;
  if (operation->start != NULL || operation->waits == SF_WAITS_NEVER) return SF_NATIVE;
  const bool has = mechanism->has == NULL ? operation->waits != SF_WAITS_ELSEWHERE
                                          : mechanism->has(opcode);
  return has ? SF_NATIVE : SF_ON_POOL;
}

void sf__draft_drop(struct sf_engine *engine, const struct sf_operation *operation,
                    const struct sf_draft *draft) {
  if (operation->drop != NULL) operation->drop(engine, draft);
  free(draft->kept);
  if (draft->fd >= 0) close(draft->fd);
  if (draft->other_fd >= 0) close(draft->other_fd);
}

/* Whether it would block the thread that makes it, although its descriptor can be waited for. */
static bool by_thread(const struct sf_engine *engine, const struct sf_operation *operation,
                      const struct sf_op *op) {
  if (op->handle == SF_NONE || operation->borrows == SF_BORROWS_NOTHING) return false;
  const struct sf_handle *handle = &engine->base.handles.items[op->handle];
  return handle->shared && handle->pipe;
}

int32_t sf__engine_issue(struct sf_engine *engine, uint32_t index) {
  const struct sf_op *op = &engine->ops.items[index];
  const struct sf_operation *operation = sf__operation(op->opcode);
  if (by_thread(engine, operation, op)) return sf__job_start(engine, index);
  if (op->opcode == SF_OP_CLOSE) {
    struct sf_handle *handle = &engine->base.handles.items[op->handle];
    if (handle->kind == SF_HANDLE_PROCESS) return sf__process_close(engine, handle);
  }
  if (operation->waits != SF_WAITS_NEVER) return engine->mechanism->issue(engine, index);
  return sf__call_now(engine, op);
}

/* Puts the operation behind those of its handle that must come first, and issues it if there are
 * none. */
static void issue(struct sf_engine *engine, const struct sf_operation *operation, uint32_t index) {
  const struct sf_op *op = &engine->ops.items[index];
  if (operation->lane != SF_LANE_NONE) {
    struct sf_handle *handle = &engine->base.handles.items[op->handle];
    const uint8_t lane = sf__lane_for(handle, operation);
    if (!sf__lane_enter(&engine->ops, handle, index, lane)) return;
  }
  const int32_t result = sf__engine_issue(engine, index);
  if (result != SF_STARTED) sf__engine_finish(engine, index, result);
}

static int32_t add(struct sf_engine *engine, const struct sf_submission *submission,
                   const struct sf_operation *operation, const struct sf_handle *handle,
                   const struct sf_draft *draft) {
  struct sf_handles *handles = &engine->base.handles;
  const uint32_t on = handle == NULL ? SF_NONE : sf__handles_index(handles, handle);
  uint32_t opens = SF_NONE;
  uint32_t index;
  int32_t err;

  if (operation->opens != SF_HANDLE_FREE) {
    err = sf__handles_reserve(handles, &opens);
    if (err < 0) goto fail_reserve;
  }
  err = sf__ops_add(&engine->ops, submission, &index);
  if (err < 0) goto fail_add;

  struct sf_op *op = &engine->ops.items[index];
  op->kept = draft->kept;
  op->fd = draft->fd;
  op->other_fd = draft->other_fd;
  op->opens = opens;
  if (on != SF_NONE) sf__ops_link(&engine->ops, index, handles, on);
  issue(engine, operation, index);
  return SF_STARTED;

fail_add:
  if (opens != SF_NONE) sf__handles_release(handles, opens);
fail_reserve:
  sf__draft_drop(engine, operation, draft);
  return err;
}

/* Whether it reads what is there to be written, or the other way round. */
static bool wrong_way(const struct sf_operation *operation, const struct sf_handle *handle) {
  if (handle->stdio == SF_STDIO_INPUT) return operation->borrows == SF_BORROWS_TO_SEND;
  return handle->stdio == SF_STDIO_OUTPUT && operation->borrows == SF_BORROWS_TO_FILL;
}

/* The operation's result, or SF_STARTED. */
static int32_t start(struct sf_engine *engine, const struct sf_submission *submission) {
  const struct sf_operation *operation = sf__operation(submission->op);
  if (operation == NULL) return -SF_ENOSYS;

  struct sf_handle *handle = NULL;
  if (operation->on_handle || (operation->on_path && submission->handle != -1)) {
    handle = sf__handles_get(&engine->base.handles, submission->handle);
    if (handle == NULL) return -SF_EBADF;
    if (handle->stdio != SF_STDIO_NONE && !operation->on_stdio) return -SF_ENOTSUP;
    if (wrong_way(operation, handle)) return -SF_EBADF;
    const uint8_t refused = operation->refuses[handle->kind];
    if (refused != 0) return -(int32_t)refused;
    if (handle->kind == SF_HANDLE_DESCRIPTOR && !operation->on_descriptors) return -SF_ENOTSUP;
    if (handle->kind == SF_HANDLE_PROCESS && !operation->on_processes) return -SF_ENOTSUP;
  }
  if (operation->start != NULL) return operation->start(engine, submission, handle);

  struct sf_draft draft = { .fd = -1, .other_fd = -1 };
  int32_t result = operation->check(engine, submission, handle, &draft);
  if (result != SF_STARTED) return result;
  result = sf__attempt_submitted(engine, submission, operation, handle);
  if (result != -SF_EAGAIN) return result;
  return add(engine, submission, operation, handle, &draft);
}

static void cancel(struct sf_engine *engine, uint32_t index) {
  if (!sf__ops_cancel(&engine->ops, index)) return;
  const struct sf_op *op = &engine->ops.items[index];
  if (!op->waiting) {
    engine->mechanism->cancel(engine, index);
  } else {
    sf__engine_finish(engine, index, -SF_ECANCELED);
  }
}

int32_t sf__start_close(struct sf_engine *engine, const struct sf_submission *submission,
                        struct sf_handle *handle) {
  uint32_t index;
  const int32_t err = sf__ops_add(&engine->ops, submission, &index);
  if (err < 0) return err;
  /* A CLOSE that began cannot be cancelled: its token is in no chain. */
  sf__ops_cancel(&engine->ops, index);
  const uint32_t place = sf__handles_index(&engine->base.handles, handle);
  engine->ops.items[index].handle = place;
  handle->closing = true;
  /* Newest first, so that none starts because the one before it has ended. */
  uint32_t op = handle->ops_first;
  while (op != SF_NONE) {
    const uint32_t next = engine->ops.items[op].handle_next;
    cancel(engine, op);
    op = next;
  }
  handle->close_op = index;
  sf__engine_continue_close(engine, place);
  return SF_STARTED;
}

static void cancel_token(struct sf_engine *engine, uint32_t token) {
  for (;;) {
    const uint32_t index = sf__ops_find(&engine->ops, token);
    if (index == SF_NONE) return;
    cancel(engine, index);
  }
}

void sf__engine_take(struct sf_engine *engine) {
  struct sf_submission submission;
  uint32_t waiting = sf__guest_waiting(&engine->base.guest);
  engine->alone = waiting == 1;
  for (; waiting > 0; waiting--) {
    /* Room first for all that could be reported, so that reporting cannot fail. */
    const uint32_t outstanding = engine->queue.count + engine->ops.live + 1;
    if (outstanding > OPERATIONS_MAX) return;
    if (sf__queue_reserve(&engine->queue, outstanding) < 0) return;

    sf__guest_take(&engine->base.guest, &submission);
    engine->base.submissions++;
    if (submission.op == SF_OP_CANCEL) {
      cancel_token(engine, submission.token);
      continue;
    }
    const int32_t result = start(engine, &submission);
    if (result != SF_STARTED) sf__engine_complete(engine, submission.token, result);
  }
}

/* finish.c - how an operation ended becomes a completion; what waited for it starts. */
#include <unistd.h>

#include "engine/bounce.h"
#include "engine/lanes.h"
#include "engine/mechanism.h"
#include "engine/operation.h"
#include "engine/pool.h"
#include "engine/terminal.h"

void sf__engine_complete(struct sf_engine *engine, uint32_t token, int32_t result) {
  const struct sf_completion completion = { .token = token, .result = result };
  if (engine->closing) return;
  if (engine->queue.count == 0 && sf__guest_complete(&engine->base.guest, &completion)) {
    engine->delivered++;
    return;
  }
  sf__queue_push(&engine->queue, completion);
}

void sf__engine_deliver(struct sf_engine *engine) {
  for (;;) {
    const struct sf_completion *first = sf__queue_first(&engine->queue);
    if (first == NULL || !sf__guest_complete(&engine->base.guest, first)) return;
    sf__queue_shift(&engine->queue);
    engine->delivered++;
  }
}

/* What the guest is told of an operation that ended because it had to. */
static int32_t reason(const struct sf_engine *engine, const struct sf_op *op, bool fills,
                      int32_t result) {
  /* Bytes that arrived after the engine copied the memory are in the copy it gave up. */
  if (result >= 0) return op->moved && fills ? -SF_EIO : result;
  if (!op->canceled || (result != -SF_ECANCELED && result != -SF_EINTR)) return result;
  if (op->moved) return -SF_EIO;
  const bool closing = op->linked && engine->base.handles.items[op->handle].closing;
  return closing ? -SF_EBADF : -SF_ECANCELED;
}

/* The place that the operation reserved becomes a handle, or is given back. */
static int32_t open_reserved(struct sf_engine *engine, const struct sf_op *op,
                             enum sf_handle_kind kind, int fd) {
  if (fd >= 0) {
    const uint8_t other = engine->base.handles.items[op->opens].becomes;
    return sf__handles_open(&engine->base.handles, op->opens, other != 0 ? other : kind, fd);
  }
  sf__handles_release(&engine->base.handles, op->opens);
  return fd;
}

static int32_t conclude(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct sf_operation *operation = sf__operation(op->opcode);
  const bool fills = operation->borrows == SF_BORROWS_TO_FILL;
  result = reason(engine, op, fills, result);
  if (op->bounce != NULL && result > 0 && fills && !engine->closing) {
    sf__bounce_deliver(op->bounce, &engine->base.guest, (uint32_t)result);
  }
  if (operation->finish != NULL) result = operation->finish(engine, op, result);
  if (op->opens == SF_NONE) return result;
  return open_reserved(engine, op, operation->opens, result);
}

/* Takes an operation out of the table. Returns the one that may start because of that, or SF_NONE. */
static uint32_t take_out(struct sf_engine *engine, uint32_t index) {
  const struct sf_op *op = &engine->ops.items[index];
  uint32_t next = SF_NONE;
  if (op->lane < SF_LANES) {
    next = sf__lane_leave(&engine->ops, &engine->base.handles.items[op->handle], index);
  }
  sf__ops_remove(&engine->ops, index, &engine->base.handles);
  return next;
}

/* Ends the operation, unless its next step has begun. Returns the one that may start because of that,
 * or SF_NONE. */
static uint32_t end(struct sf_engine *engine, uint32_t index, int32_t result) {
  struct sf_op *op = &engine->ops.items[index];
  const struct sf_operation *operation = sf__operation(op->opcode);
  while (operation->next != NULL && !engine->closing) {
    result = operation->next(engine, op, result);
    if (result != SF_STARTED) break;
    result = sf__engine_issue(engine, index);
    if (result == SF_STARTED) return SF_NONE;
    op = &engine->ops.items[index];
  }
  const uint32_t token = op->token;
  const bool silent = op->silent;
  result = conclude(engine, op, result);
  if (silent) {
    engine->silent--;
  } else {
    sf__engine_complete(engine, token, result);
  }
  return take_out(engine, index);
}

void sf__engine_finish(struct sf_engine *engine, uint32_t index, int32_t result) {
  const struct sf_op *op = &engine->ops.items[index];
  const uint32_t place = op->linked ? op->handle : SF_NONE;
  for (;;) {
    index = end(engine, index, result);
    if (index == SF_NONE || engine->closing) break;
    result = sf__engine_issue(engine, index);
    if (result == SF_STARTED) break;
  }
  if (place != SF_NONE) sf__engine_continue_close(engine, place);
}

int32_t sf__finish_close(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  /* Whatever close(2) said: the descriptor is gone. */
  (void)result;
  if (engine->pool != NULL && sf__is_file(engine->base.handles.items[op->handle].kind)) {
    sf__pool_hurry(engine->pool); /* it may have held a lock */
  }
  sf__handles_release(&engine->base.handles, op->handle);
  return 0;
}

void sf__engine_continue_close(struct sf_engine *engine, uint32_t place) {
  struct sf_handle *handle = &engine->base.handles.items[place];
  if (handle->close_op == SF_NONE || handle->ops_first != SF_NONE) return;
  const uint32_t index = handle->close_op;
  handle->close_op = SF_NONE;
  if (handle->raw) sf__terminal_release(handle->fd);
  handle->raw = false;
  const int32_t result = sf__engine_issue(engine, index);
  if (result != SF_STARTED) sf__engine_finish(engine, index, result);
}

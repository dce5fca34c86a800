#include "engine/lanes.h"

uint8_t sf__lane_for(const struct sf_handle *handle, const struct sf_operation *operation) {
  /* A socket's two directions are apart; a file's share its position. */
  return operation->lane == SF_LANE_WRITE && handle->kind != SF_HANDLE_FILE ? 1 : 0;
}

bool sf__lane_enter(struct sf_ops *ops, struct sf_handle *handle, uint32_t index, uint8_t lane) {
  struct sf_lane *queue = &handle->lanes[lane];
  struct sf_op *op = &ops->items[index];
  op->lane = lane;
  op->lane_next = SF_NONE;
  op->lane_previous = queue->last;
  if (queue->last == SF_NONE) {
    queue->first = index;
  } else {
    ops->items[queue->last].lane_next = index;
  }
  queue->last = index;
  op->waiting = queue->first != index;
  return !op->waiting;
}

uint32_t sf__lane_leave(struct sf_ops *ops, struct sf_handle *handle, uint32_t index) {
  const struct sf_op *op = &ops->items[index];
  struct sf_lane *queue = &handle->lanes[op->lane];
  if (op->lane_next == SF_NONE) {
    queue->last = op->lane_previous;
  } else {
    ops->items[op->lane_next].lane_previous = op->lane_previous;
  }
  if (op->lane_previous != SF_NONE) {
    ops->items[op->lane_previous].lane_next = op->lane_next;
    return SF_NONE;
  }
  queue->first = op->lane_next;
  if (queue->first != SF_NONE) ops->items[queue->first].waiting = false;
  return queue->first;
}

/* lanes.h - one transfer at a time, in the order they were submitted.
 *
 * The kernel promises no order between operations on one descriptor: two reads of a connection that
 * both wait may be served in either order, and so may the halves of two writes be. So a socket has a
 * lane for reading and one for writing, and a file one for whatever moves its position. The transfer at the
 * head of a lane is the system's, the others wait here.
 */
#ifndef SF_LANES_H
#define SF_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/operation.h"

/* The lane of an operation that uses one, on this handle. */
uint8_t sf__lane_for(const struct sf_handle *handle, const struct sf_operation *operation);

/* Puts an operation on `handle` behind the others; true when it is the first: it may start. */
bool sf__lane_enter(struct sf_ops *ops, struct sf_handle *handle, uint32_t index, uint8_t lane);

/* Takes an operation out, whether it started or not. Returns the one that may start because of
 * that, or SF_NONE. */
uint32_t sf__lane_leave(struct sf_ops *ops, struct sf_handle *handle, uint32_t index);

#endif

/* ops.h - the operations in flight.
 *
 * Tokens are the guest's and may repeat, so the kernel knows an operation by its own index and
 * generation (sf__ops_key). Two intrusive lists run through the table:
 *   - by token, in hash chains, for CANCEL. An operation leaves its chain when it is cancelled, so
 *     that cancelling the same token again and again costs nothing;
 *   - by handle, for CLOSE.
 */
#ifndef SF_OPS_H
#define SF_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/handles.h"
#include "stackful/abi.h"

struct sf_bounce;
struct sf_job;

struct sf_op {
  uint32_t token;
  uint32_t generation;
  uint32_t handle; /* index of the handle it works on; SF_NONE: none */
  uint32_t opens;  /* index of the place reserved for the handle it makes; SF_NONE: none */
  uint32_t pointer; /* as submitted */
  uint32_t length;
  uint32_t argument;
  int64_t offset;
  int64_t other_offset;
  uint32_t token_next; /* in its hash chain; of a free place: the next free one */
  uint32_t token_previous;
  uint32_t handle_next;
  uint32_t handle_previous;
  uint32_t lane_next;
  uint32_t lane_previous;
  uint32_t waits_next; /* in a list of the mechanism's */
  uint32_t waits_previous;
  int fd; /* its own, which no handle owns: what CONNECT makes, what SEND_HANDLE sends. `finish` sees to
           * it. Else -1 */
  int other_fd; /* a duplicate of its other handle's, owned; else -1 */
  uint8_t opcode; /* enum sf_opcode */
  uint8_t step;   /* see sf_operation.next */
  uint8_t lane;   /* SF_LANES: none */
  bool live;
  bool waiting; /* in its lane, behind another: the mechanism does not have it */
  bool linked; /* in the list of its handle */
  bool canceled;  /* not in a hash chain any more */
  bool attempted; /* io_uring: it waits for its descriptor, and is then made as a plain call */
  bool silent; /* the engine's own: has no completion, and no CANCEL finds it */
  bool moved; /* the guest's memory moved under it: what it read is lost */
  void *kept; /* arguments, and what the kernel writes to until the operation ends; owned, or NULL */
  struct sf_job *job; /* it runs on the pool, which has this; else NULL */
  struct sf_bounce *bounce; /* owned, or NULL: the kernel works on guest memory itself */
};

struct sf_ops {
  struct sf_op *items; /* owned; grows, so pointers into it are short-lived */
  uint32_t *chains; /* owned; as many as there are items */
  uint32_t capacity; /* 0 or a power of two */
  uint32_t live;
  uint32_t free_first;
};

/* Adds an operation that is not linked to a handle. Returns 0 and sets *out, or -SF_ENOMEM. */
int32_t sf__ops_add(struct sf_ops *ops, const struct sf_submission *submission, uint32_t *out);

/* Puts the operation into the list of the handle at `handle`. */
void sf__ops_link(struct sf_ops *ops, uint32_t index, struct sf_handles *handles, uint32_t handle);

/* Takes it out of both lists, frees what it owns and gives its place back. */
void sf__ops_remove(struct sf_ops *ops, uint32_t index, struct sf_handles *handles);

/* What identifies the operation to the kernel, and back: the index, or SF_NONE if it has ended. */
uint64_t sf__ops_key(const struct sf_ops *ops, uint32_t index);
uint32_t sf__ops_index(const struct sf_ops *ops, uint64_t key);

/* The next operation of the guest's with this token that is not cancelled, or SF_NONE. */
uint32_t sf__ops_find(const struct sf_ops *ops, uint32_t token);

/* Marks it cancelled. Returns false when it was already. */
bool sf__ops_cancel(struct sf_ops *ops, uint32_t index);

void sf__ops_free(struct sf_ops *ops);

#endif

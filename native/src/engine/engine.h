/* engine.h - what every mechanism does in the same way. An operation's life:
 *
 *   guest ring ──take, check──▶ table ──issue──▶ system ──finish──▶ guest ring (or the queue)
 *        └──── refused, or done by a plain system call ──────────────────▲
 *
 *   engine.c      open, bind, turn, close
 *   start.c       a submission, checked, goes into the table and to the mechanism
 *   attempt.c     one that is made at once, without all of this
 *   finish.c      how it ended becomes a completion; what waited for it starts
 *   jobs.c        operations that run on threads (pool.c)
 *   process.c     child processes
 *   released.c    handles on their way to another engine
 *   operation.h   what the engine knows of each operation
 *   mechanism.h   what a mechanism provides
 */
#ifndef SF_ENGINE_H
#define SF_ENGINE_H

#include "engine/backend.h"
#include "engine/ops.h"
#include "engine/queue.h"

/* For an operation that will complete later. No result has this value. */
#define SF_STARTED INT32_MIN

struct sf_pool;
struct sf_process;
struct sf_released;

struct sf_engine {
  struct sf_backend base; /* first: a struct sf_backend * is a struct sf_engine * */
  const struct sf_mechanism *mechanism;
  struct sf_ops ops;
  struct sf_queue queue;
  struct sf_pool *pool; /* see jobs.h; NULL until an operation needs it */
  struct sf_pool_key pool_key;
  struct sf_released *released; /* see released.h; owned, newest first */
  uint32_t released_count;
  struct sf_process *processes; /* see process.h; owned, newest first */
  uint32_t processes_count;
  uint32_t silent;    /* operations that the guest knows nothing of */
  uint32_t delivered; /* since the last turn returned */
  int host_loop_fd;
  bool closing; /* completions go nowhere */
  bool tried;   /* the last attempt of the guest's would have had to wait; it was this one's: */
  uint32_t tried_token;
  bool alone;   /* the submission that is being started is the only one of its turn */
};

/* Takes everything in the guest's ring. */
void sf__engine_take(struct sf_engine *engine);

/* Hands an operation of the table to the system; see sf_mechanism.issue. */
int32_t sf__engine_issue(struct sf_engine *engine, uint32_t index);

/* An operation of the table has ended. */
void sf__engine_finish(struct sf_engine *engine, uint32_t index, int32_t result);

/* Reports a result to the guest. */
void sf__engine_complete(struct sf_engine *engine, uint32_t token, int32_t result);

/* Moves completions that had to wait into the guest's ring, as many as it has room for. */
void sf__engine_deliver(struct sf_engine *engine);

/* Issues the CLOSE that waits on this handle, if nothing is in flight on it any more. */
void sf__engine_continue_close(struct sf_engine *engine, uint32_t place);

/* Closes a descriptor that the mechanism may be waiting for. */
void sf__engine_close_fd(struct sf_engine *engine, int fd);

#endif

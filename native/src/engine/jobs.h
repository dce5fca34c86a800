/* jobs.h - operations that run on the pool, because the mechanism has no form of its own for them. */
#ifndef SF_JOBS_H
#define SF_JOBS_H

#include "engine/engine.h"

/* A mechanism's `issue`: the operation's plain call is made on a thread. Returns SF_STARTED, or why it
 * cannot begin. */
int32_t sf__job_start(struct sf_engine *engine, uint32_t index);

/* A mechanism's `cancel`, of an operation with a job. */
void sf__job_cancel(struct sf_engine *engine, uint32_t index);

/* Readable when jobs may have ended: the mechanism waits for it too, and then calls sf__jobs_ended.
 * -1: none is out. */
int sf__jobs_fd(const struct sf_engine *engine);

/* Makes sf__jobs_fd quiet. */
void sf__jobs_quiet(struct sf_engine *engine);

/* Finishes the operations whose jobs have ended. */
void sf__jobs_take(struct sf_engine *engine);

/* Ends the jobs that work on guest memory which is not the guest's any more, and waits for them. */
void sf__jobs_moved(struct sf_engine *engine);

/* Ends all, waits for them, and closes the pool. */
void sf__jobs_close(struct sf_engine *engine);

#endif

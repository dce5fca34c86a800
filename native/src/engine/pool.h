/* pool.h - bounded threads for calls that can block and have no asynchronous form.
 *
 * Jobs start in the order they were added, but those that nothing interrupts hold half of the threads at
 * most: whatever becomes of them, the others go on. One that finds that it has to wait for others asks to be
 * called again: after a millisecond, then two, four, up to 64. So long it holds no thread. A thread is made
 * when none is idle and there may be one more, and ends after ten idle seconds. Ended jobs are taken from the
 * thread that owns the pool, which is told by a doorbell.
 */
#ifndef SF_POOL_H
#define SF_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sf_pool;

/* What `run` returns to be called again later. */
#define SF_JOB_LATER (INT32_MIN + 1)

struct sf_job {
  /* On a thread of the pool; the result is the job's. Called again after -SF_EINTR, unless it was
   * canceled. */
  int32_t (*run)(struct sf_job *job);
  int32_t result;
  /* Frees the job and all that it works on, on its thread, once it has ended that nobody waits for any
   * more. So of a job that nothing interrupts; NULL: something does, and it cannot be left alone. */
  void (*discard)(struct sf_job *job);
  /* The pool's: */
  struct sf_job *next;
  struct sf_job *previous;
  uint64_t number; /* in the order they were added */
  uint32_t worker;
  uint8_t state;
  uint32_t pause_ms; /* before it is called again; 0: it was not yet */
  int64_t due_ms;
  atomic_bool canceled; /* while it ran */
  bool left; /* see sf__pool_leave */
};

/* At most `threads_max` threads; 0: twice as many as there are processors, and at least four. Returns 0
 * and sets *out, or a negated sf_errno. */
int32_t sf__pool_open(struct sf_pool **out, uint32_t threads_max);

/* Readable when a job may have ended. */
int sf__pool_fd(const struct sf_pool *pool);

/* Jobs that were added and not taken. */
uint32_t sf__pool_out(const struct sf_pool *pool);

/* The job is the pool's until it was taken. Returns 0, or a negated sf_errno: there is no thread for
 * it. */
int32_t sf__pool_add(struct sf_pool *pool, struct sf_job *job);

/* A job that waits ends with ECANCELED without having run. One that runs is interrupted where its
 * system call can be, with EINTR for its result; else it ends as if nothing had been. */
void sf__pool_cancel(struct sf_pool *pool, struct sf_job *job);

/* Of a job that runs and can be left alone: nobody waits for it any more, nor does sf__pool_close; its
 * thread discards it. Returns whether it is so; else it is to be canceled. */
bool sf__pool_leave(struct sf_pool *pool, struct sf_job *job);

/* Calls again at once those that asked for it. */
void sf__pool_hurry(struct sf_pool *pool);

/* The job that ended first, or NULL. */
struct sf_job *sf__pool_take(struct sf_pool *pool);

/* Waits until there is something to take. There must be a job out. */
void sf__pool_wait(struct sf_pool *pool);

/* Quiets the doorbell, and interrupts once more what was canceled and runs on. */
void sf__pool_poll(struct sf_pool *pool);

/* Ends the threads and frees the pool; with jobs that were left alone, their threads do when they end. No
 * job may be out. */
void sf__pool_close(struct sf_pool *pool);

#endif

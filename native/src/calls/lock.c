/* lock.c - locks of open files. One that somebody else has is asked for again and again, with growing
 * pauses, and at once when a handle of this backend may have given it back: flock(2) would hold a thread
 * until then, and those who hold locks need threads to go on. */
#include <errno.h>
#include <sys/file.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/pool.h"

int32_t sf__check_lock(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  (void)engine;
  (void)handle;
  (void)draft;
  switch (submission->argument & ~(uint32_t)SF_LOCK_TRY) {
    case SF_LOCK_NONE:
    case SF_LOCK_SHARED:
    case SF_LOCK_EXCLUSIVE:
      return SF_STARTED;
    default:
      return -SF_EINVAL;
  }
}

int32_t sf__call_lock(const struct sf_call *call) {
  static const int how[] = { LOCK_UN, LOCK_SH, LOCK_EX };
  if (flock(call->fd, how[call->argument & ~(uint32_t)SF_LOCK_TRY] | LOCK_NB) == 0) return 0;
  if (errno != EWOULDBLOCK) return sf__error(errno);
  return (call->argument & SF_LOCK_TRY) != 0 ? -SF_EAGAIN : SF_JOB_LATER;
}

int32_t sf__finish_lock(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  /* From exclusive to shared is a way to give it back too. */
  if (result == 0 && (op->argument & SF_LOCK_EXCLUSIVE) == 0) sf__pool_hurry(engine->pool);
  return result;
}

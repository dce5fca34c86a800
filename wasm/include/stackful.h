/* stackful.h - the guest's view of stackful: plain blocking calls, each of which parks the calling
 * task and lets the others run.
 *
 * For every function below:
 *   - int32_t results are >= 0 on success and a negated enum sf_errno (-SF_ECONNRESET) on failure.
 *   - SF_PARKS marks a call that may park the task. Other tasks run meanwhile: shared state read
 *     before the call may have changed after it. Memory that is passed must stay valid until the call
 *     returns; memory on the task's own stack is fine.
 *   - SF_PARKS calls are cancel points unless they say otherwise: -SF_ECANCELED ends one, once per
 *     request, and whatever was already done (a byte count, an item) is returned instead and the
 *     request stays pending. A call that need not wait is none.
 *   - name_timeout is the call `name` with a time after which it returns -SF_ETIMEDOUT; a scope
 *     (time.h) does so for everything within it.
 *   - Durations and instants are in nanoseconds of the monotonic clock, sizes in bytes.
 *   - main is a task itself. When it returns the program ends: the other tasks are canceled and
 *     waited for.
 *
 * Memory of tasks is the runtime's own: neither malloc nor the guest's heap is involved.
 */
#ifndef STACKFUL_H
#define STACKFUL_H

#ifdef __cplusplus
extern "C" {
#endif

#include "stackful/time.h"    /* clocks, timeout scopes */
#include "stackful/task.h"    /* spawn, join, cancel, shield, yield, sleep, task-locals */
#include "stackful/group.h"   /* groups of tasks */
#include "stackful/channel.h" /* channels, broadcast, watch */
#include "stackful/sync.h"    /* mutex, condition, rwlock, semaphore, event, timer, barrier, ... */
#include "stackful/io.h"      /* handles, pipes, started operations */
#include "stackful/net.h"     /* TCP, UDP, Unix sockets */
#include "stackful/dns.h"     /* names */
#include "stackful/fs.h"      /* files and directories */
#include "stackful/process.h" /* signals, terminals, child processes */
#include "stackful/select.h"  /* waiting for several things at once */
#include "stackful/executor.h" /* executors, channels between them */

#ifdef __cplusplus
}
#endif

#endif

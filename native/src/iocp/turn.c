/* turn.c - the parts of a turn: take what is there, wait; and the wake-up of the host's event loop.
 *
 * Nothing but a thread can wait for a port. So before a turn returns to an event loop, the waiter's does,
 * and sets wake_fd, an event, when it has taken something, which it keeps for the next turn.
 */
#include <time.h>

#include "engine/jobs.h"
#include "iocp/iocp.h"

/* How often one turn looks again for what arrived meanwhile. */
#define ROUNDS_MAX 16

static int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Not what another process does, by a pointer of its own. */
static bool is_ours(const struct iocp *iocp, const OVERLAPPED *overlapped) {
  if (!sf__win_shared || iocp__is_behind(iocp, overlapped)) return true;
  for (uint32_t i = 0; i < iocp->requests_capacity; i++) {
    const struct iocp_request *request = iocp->requests[i];
    if (request != NULL && &request->overlapped == overlapped) return true;
  }
  return false;
}

static void act_on(struct iocp *iocp, const OVERLAPPED_ENTRY *entries, uint32_t count) {
  bool jobs = false;
  for (uint32_t i = 0; i < count; i++) {
    if (entries[i].lpCompletionKey == IOCP_KEY_JOBS) {
      jobs = true;
    } else if (entries[i].lpOverlapped != NULL && is_ours(iocp, entries[i].lpOverlapped)) {
      iocp__finish(iocp, (struct iocp_request *)entries[i].lpOverlapped,
                   entries[i].dwNumberOfBytesTransferred);
    }
  }
  if (jobs) sf__jobs_take(&iocp->engine);
}

uint32_t iocp__reap(struct iocp *iocp, uint32_t wait_ms) {
  OVERLAPPED_ENTRY entries[IOCP_ENTRIES];
  ULONG count = 0;
  iocp->engine.base.system_calls++;
  if (!GetQueuedCompletionStatusEx(iocp->port, entries, IOCP_ENTRIES, &count, wait_ms, FALSE)) {
    return 0;
  }
  act_on(iocp, entries, count);
  return count;
}

static void CALLBACK tell_jobs(void *port, BOOLEAN timed_out) {
  (void)timed_out;
  PostQueuedCompletionStatus(port, 0, IOCP_KEY_JOBS, NULL);
}

/* Has the port told when jobs have ended: once there are any, for as long as the backend lives. */
static int32_t watch_jobs(struct iocp *iocp) {
  const int fd = sf__jobs_fd(&iocp->engine);
  const HANDLE process = GetCurrentProcess();
  if (fd < 0 || iocp->jobs_event != NULL) return 0;
  if (!DuplicateHandle(process, sf__win_handle(fd), process, &iocp->jobs_event, 0, FALSE,
                       DUPLICATE_SAME_ACCESS)) {
    return -SF_ENOMEM;
  }
  if (RegisterWaitForSingleObject(&iocp->jobs_wait, iocp->jobs_event, tell_jobs, iocp->port,
                                  INFINITE, WT_EXECUTEINWAITTHREAD)) {
    return 0;
  }
  CloseHandle(iocp->jobs_event);
  iocp->jobs_event = NULL;
  return -SF_ENOMEM;
}

/* Whether the port will say something. */
static bool awaits(const struct iocp *iocp) {
  return iocp->in_kernel > 0 || sf__jobs_fd(&iocp->engine) >= 0;
}

int32_t iocp__run(struct sf_engine *engine, int64_t wait_ns) {
  struct iocp *iocp = iocp__of(engine);
  const int64_t deadline_ns = wait_ns > 0 ? clock_ns() + wait_ns : 0;
  for (uint32_t round = 0;; round++) {
    const int32_t err = watch_jobs(iocp);
    if (err < 0) return err;
    if (engine->delivered > 0 || engine->queue.count > 0) wait_ns = 0;
    if (wait_ns <= 0 && !awaits(iocp)) return 0;
    /* Rounded up: a wait must not end before its time. */
    const uint32_t wait_ms = wait_ns > 0 ? (uint32_t)((wait_ns + 999999) / 1000000) : 0;
    const uint32_t count = iocp__reap(iocp, wait_ms);
    if (wait_ns > 0 && engine->delivered == 0) {
      wait_ns = deadline_ns - clock_ns();
      if (wait_ns > 0) continue;
    }
    if (count == 0 || round >= ROUNDS_MAX) return 0;
  }
}

void iocp__begin(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  OVERLAPPED_ENTRY entries[IOCP_ENTRIES];
  iocp->wake_armed = false;
  iocp__waiter_stop(iocp->waiter);
  act_on(iocp, entries, iocp__waiter_take(iocp->waiter, entries));
}

int32_t iocp__arm(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  const int32_t err = watch_jobs(iocp);
  if (err < 0) return err;
  iocp->wake_armed = true;
  /* The guest has to make room first. */
  if (engine->queue.count > 0 && engine->delivered > 0) iocp__poke(engine);
  if (awaits(iocp)) iocp__waiter_start(iocp->waiter);
  return 0;
}

bool iocp__woken(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  const bool armed = iocp->wake_armed;
  iocp->wake_armed = false;
  ResetEvent(sf__win_handle(engine->base.wake_fd));
  return armed;
}

void iocp__poke(struct sf_engine *engine) {
  engine->base.system_calls++;
  SetEvent(sf__win_handle(engine->base.wake_fd));
}

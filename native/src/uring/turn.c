/* turn.c - the parts of a turn: submit, wait, reap; and the wake-up of the host's event loop.
 *
 * The kernel signals wake_fd (an eventfd) when it has something for us. That is not free, so it is
 * silenced while a turn runs, and stays silent while the caller waits in turn itself. Before a turn
 * returns to an event loop it is armed again, and what arrived in between is looked for once more:
 * the kernel signals only for what comes after.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "engine/jobs.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#include "uring/uring.h"

/* How often one turn goes back to the kernel for what arrived meanwhile. */
#define ROUNDS_MAX 16

void uring__silence(struct uring *uring) {
  if (!uring->wake_armed) return;
  uring->wake_armed = false;
  sf__ring_silence(&uring->ring, true);
  /* Whatever set these also signalled wake_fd, which stays readable until it is read. What is
   * missed here, and our own signal of arm_wake, only wakes once for nothing. */
  if (sf__ring_needs_enter(&uring->ring) || sf__ring_cqe(&uring->ring) != NULL) {
    uint64_t count;
    uring->engine.base.system_calls++;
    if (read(uring->engine.base.wake_fd, &count, sizeof(count)) < 0) assert(errno == EAGAIN);
  }
}

bool uring__woken(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  const bool armed = uring->wake_armed;
  uint64_t count;
  uring->wake_armed = false;
  sf__ring_silence(&uring->ring, true);
  engine->base.system_calls++;
  if (read(engine->base.wake_fd, &count, sizeof(count)) < 0) assert(errno == EAGAIN);
  return armed;
}

void uring__poke(struct sf_engine *engine) {
  const uint64_t one = 1;
  engine->base.system_calls++;
  /* EAGAIN: the counter is full, so it is readable. */
  if (write(engine->base.wake_fd, &one, sizeof(one)) < 0) assert(errno == EAGAIN);
}

static void resend_cancels(struct uring *uring) {
  uring->cancels_lost = false;
  for (uint32_t i = 0; i < uring->engine.ops.capacity; i++) {
    const struct sf_op *op = &uring->engine.ops.items[i];
    if (op->live && op->canceled && op->opcode != SF_OP_CLOSE) uring__cancel(&uring->engine, i);
  }
}

/* Tells by a completion when `fd` is readable. Returns false when there is no SQE for it now. */
static bool poll_once(struct uring *uring, int fd, uint64_t key) {
  struct io_uring_sqe *sqe = uring__sqe(uring, IORING_OP_POLL_ADD, fd, key);
  if (sqe == NULL) return false;
  sqe->poll32_events = POLLIN;
  return true;
}

/* Has a wait end when the host's event loop has work. Stays in the ring until that happens. */
static void arm_host_poll(struct uring *uring) {
  const int fd = uring->engine.host_loop_fd;
  if (fd < 0 || uring->host_poll_armed) return;
  uring->host_poll_armed = poll_once(uring, fd, URING_KEY_HOST_LOOP);
}

/* Jobs are out, and nothing would tell that they ended: what ended last has started another, say. */
static bool needs_jobs_poll(const struct uring *uring) {
  return !uring->jobs_poll_armed && sf__jobs_fd(&uring->engine) >= 0;
}

/* The same for jobs on the pool, if any are out. */
static void arm_jobs_poll(struct uring *uring) {
  if (!needs_jobs_poll(uring)) return;
  uring->jobs_poll_armed = poll_once(uring, sf__jobs_fd(&uring->engine), URING_KEY_JOBS);
}

/* Whether there is something to do at once, for the kernel or for us. */
static bool has_news(const struct uring *uring) {
  return sf__ring_unsubmitted(&uring->ring) > 0 || sf__ring_cqe(&uring->ring) != NULL ||
         sf__ring_needs_enter(&uring->ring) || needs_jobs_poll(uring);
}

/* Submits and reaps until there is nothing to do but wait, and waits once something is awaited. */
int32_t uring__run(struct sf_engine *engine, int64_t wait_ns) {
  struct uring *uring = uring__of(engine);
  const int64_t deadline_ns = wait_ns > 0 ? sf__os_now_ns() + wait_ns : 0;
  for (uint32_t round = 0;; round++) {
    arm_jobs_poll(uring);
    if (wait_ns > 0 && engine->delivered == 0 && engine->queue.count == 0) {
      arm_host_poll(uring);
    } else {
      wait_ns = 0;
    }
    const bool unsubmitted = sf__ring_unsubmitted(&uring->ring) > 0;
    int err = 0;
    if (unsubmitted || wait_ns > 0 || sf__ring_needs_enter(&uring->ring)) {
      err = uring__enter(uring, wait_ns);
      if (!uring__passes(err)) return sf__error(-err);
    }
    uring__reap(uring);
    if (engine->base.host_ready || err == -EINTR) wait_ns = 0;

    if (wait_ns > 0 && engine->delivered == 0) {
      wait_ns = deadline_ns - sf__os_now_ns();
      if (wait_ns > 0) continue;
    }
    if (!has_news(uring) || round >= ROUNDS_MAX) return 0;
  }
}

/* Arms the wake-up. What arrived while it was silent is fetched now; if it keeps coming, or the
 * guest has to make room first, the event loop turns in between. */
int32_t uring__arm(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  for (uint32_t round = 0;; round++) {
    uring->wake_armed = true;
    sf__ring_silence(&uring->ring, false);
    const bool queued = engine->queue.count > 0 && engine->delivered > 0;
    if (!queued && !has_news(uring)) return 0;
    if (queued || round >= ROUNDS_MAX) {
      uring__poke(engine);
      return 0;
    }
    uring__silence(uring);
    const int32_t err = uring__run(engine, 0);
    if (err < 0) return err;
  }
}

void uring__begin(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  uring__silence(uring);
  if (uring->cancels_lost) resend_cancels(uring);
}

void uring__flush(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  if (sf__ring_unsubmitted(&uring->ring) > 0) uring__enter(uring, 0);
}

/* uring-turn.c - a turn: take, submit, wait, reap; and the wake-up of the host's event loop.
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
#include <time.h>
#include <unistd.h>

#include "os-errno.h"
#include "uring.h"

/* Operations in flight and completions waiting for room. Beyond it submissions stay in the ring. */
#define OPERATIONS_MAX (1u << 20)

/* How often one turn goes back to the kernel for what arrived meanwhile. */
#define ROUNDS_MAX 16

static int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void uring__silence(struct uring *uring) {
  if (!uring->wake_armed) return;
  uring->wake_armed = false;
  sf__ring_silence(&uring->ring, true);
  /* Whatever set these also signalled wake_fd, which stays readable until it is read. What is
   * missed here, and our own signal of arm_wake, only wakes once for nothing. */
  if (sf__ring_needs_enter(&uring->ring) || sf__ring_cqe(&uring->ring) != NULL) {
    uint64_t count;
    uring->base.system_calls++;
    if (read(uring->base.wake_fd, &count, sizeof(count)) < 0) assert(errno == EAGAIN);
  }
}

bool uring__woken(struct sf_backend *backend) {
  struct uring *uring = uring__of(backend);
  const bool armed = uring->wake_armed;
  uint64_t count;
  uring->wake_armed = false;
  sf__ring_silence(&uring->ring, true);
  backend->system_calls++;
  if (read(backend->wake_fd, &count, sizeof(count)) < 0) assert(errno == EAGAIN);
  return armed;
}

void uring__poke(struct sf_backend *backend) {
  const uint64_t one = 1;
  backend->system_calls++;
  /* EAGAIN: the counter is full, so it is readable. */
  if (write(backend->wake_fd, &one, sizeof(one)) < 0) assert(errno == EAGAIN);
}

static void deliver_queue(struct uring *uring) {
  for (;;) {
    const struct sf_completion *first = sf__queue_first(&uring->queue);
    if (first == NULL || !sf__guest_complete(&uring->base.guest, first)) return;
    sf__queue_shift(&uring->queue);
    uring->delivered++;
  }
}

static void take_submissions(struct uring *uring) {
  struct sf_submission submission;
  uint32_t waiting = sf__guest_waiting(&uring->base.guest);
  uring->alone = waiting == 1;
  for (; waiting > 0; waiting--) {
    /* Room first for all that could be reported, so that reporting cannot fail. */
    const uint32_t outstanding = uring->queue.count + uring->ops.live + 1;
    if (outstanding > OPERATIONS_MAX) return;
    if (sf__queue_reserve(&uring->queue, outstanding) < 0) return;

    sf__guest_take(&uring->base.guest, &submission);
    uring->base.submissions++;
    if (submission.op == SF_OP_CANCEL) {
      uring__cancel_token(uring, submission.token);
      continue;
    }
    const int32_t result = uring__start(uring, &submission);
    if (result != URING_STARTED) uring__complete(uring, submission.token, result);
  }
}

static void resend_cancels(struct uring *uring) {
  uring->cancels_lost = false;
  for (uint32_t i = 0; i < uring->ops.capacity; i++) {
    const struct sf_op *op = &uring->ops.items[i];
    if (op->live && op->canceled && op->opcode != SF_OP_CLOSE) uring__send_cancel(uring, i);
  }
}

/* Has a wait end when the host's event loop has work. Stays in the ring until that happens. */
static void arm_host_poll(struct uring *uring) {
  if (uring->host_loop_fd < 0 || uring->host_poll_armed) return;
  struct io_uring_sqe *sqe =
    uring__sqe(uring, IORING_OP_POLL_ADD, uring->host_loop_fd, URING_KEY_HOST_LOOP);
  if (sqe == NULL) return;
  sqe->poll32_events = POLLIN;
  uring->host_poll_armed = true;
}

/* Whether there is something to do at once, for the kernel or for us. */
static bool has_news(const struct uring *uring) {
  return sf__ring_unsubmitted(&uring->ring) > 0 || sf__ring_cqe(&uring->ring) != NULL ||
         sf__ring_needs_enter(&uring->ring);
}

/* Submits and reaps until there is nothing to do but wait, and waits once something is awaited.
 * Returns 0 or a negated errno of the system. */
static int run(struct uring *uring, int64_t wait_ns) {
  const int64_t deadline_ns = wait_ns > 0 ? clock_ns() + wait_ns : 0;
  for (uint32_t round = 0;; round++) {
    if (wait_ns > 0 && uring->delivered == 0 && uring->queue.count == 0) {
      arm_host_poll(uring);
    } else {
      wait_ns = 0;
    }
    const bool unsubmitted = sf__ring_unsubmitted(&uring->ring) > 0;
    int err = 0;
    if (unsubmitted || wait_ns > 0 || sf__ring_needs_enter(&uring->ring)) {
      err = uring__enter(uring, wait_ns);
      if (!uring__passes(err)) return err;
    }
    uring__reap(uring);
    if (uring->base.host_ready || err == -EINTR) wait_ns = 0;

    if (wait_ns > 0 && uring->delivered == 0) {
      wait_ns = deadline_ns - clock_ns();
      if (wait_ns > 0) continue;
    }
    if (!has_news(uring) || round >= ROUNDS_MAX) return 0;
  }
}

/* Arms the wake-up. What arrived while it was silent is fetched now; if it keeps coming, or the
 * guest has to make room first, the event loop turns in between. */
static int arm_wake(struct uring *uring) {
  for (uint32_t round = 0;; round++) {
    uring->wake_armed = true;
    sf__ring_silence(&uring->ring, false);
    const bool queued = uring->queue.count > 0 && uring->delivered > 0;
    if (!queued && !has_news(uring)) return 0;
    if (queued || round >= ROUNDS_MAX) {
      uring__poke(&uring->base);
      return 0;
    }
    uring__silence(uring);
    int err = run(uring, 0);
    if (err < 0) return err;
  }
}

int32_t uring__turn(struct sf_backend *backend, int64_t wait_ns, bool arm) {
  struct uring *uring = uring__of(backend);
  if (backend->guest.base == NULL) return -SF_EFAULT;
  backend->turns++;
  backend->host_ready = false;
  uring__silence(uring);
  deliver_queue(uring);
  if (uring->cancels_lost) resend_cancels(uring);
  take_submissions(uring);

  int err = run(uring, wait_ns);
  if (err == 0 && arm) err = arm_wake(uring);
  if (err < 0) return sf__error(-err);

  const uint32_t delivered = uring->delivered;
  uring->delivered = 0;
  backend->completions += delivered;
  backend->pending = uring->ops.live + uring->queue.count;
  return (int32_t)delivered;
}

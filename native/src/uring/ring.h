/* ring.h - one io_uring: set up, submit, wait, reap. Raw system calls, no operations. */
#ifndef SF_URING_RING_H
#define SF_URING_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the headers of older distributions lack. The kernel is asked, not the header. */
#ifndef IORING_SETUP_SUBMIT_ALL
#define IORING_SETUP_SUBMIT_ALL (1U << 7) /* 5.18 */
#endif
#ifndef IORING_SETUP_COOP_TASKRUN
#define IORING_SETUP_COOP_TASKRUN (1U << 8) /* 5.19 */
#define IORING_SETUP_TASKRUN_FLAG (1U << 9)
#define IORING_SQ_TASKRUN (1U << 2)
#endif
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12) /* 6.0 */
#endif
#ifndef IORING_RECVSEND_POLL_FIRST
#define IORING_RECVSEND_POLL_FIRST (1U << 0) /* 5.19 */
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13) /* 6.1 */
#endif
#ifndef IORING_ASYNC_CANCEL_ANY
#define IORING_ASYNC_CANCEL_ALL (1U << 0) /* 5.19 */
#define IORING_ASYNC_CANCEL_ANY (1U << 2)
#endif

struct sf_ring {
  int fd;
  uint32_t setup_flags;

  uint32_t *sq_head;
  uint32_t *sq_tail;
  uint32_t *sq_flags;
  uint32_t sq_mask;
  uint32_t sq_entries;
  uint32_t sq_filled; /* our tail: SQEs up to here are filled, the kernel sees them at enter */
  struct io_uring_sqe *sqes;

  uint32_t *cq_head;
  uint32_t *cq_tail;
  uint32_t *cq_flags; /* NULL: the kernel is too old to silence the eventfd */
  uint32_t cq_mask;
  const struct io_uring_cqe *cqes;

  void *rings; /* both rings, one mapping */
  size_t rings_bytes;
  size_t sqes_bytes;
};

/* Returns 0 or a negated errno of the system; *out is set only on success. */
int sf__ring_open(struct sf_ring *out, uint32_t entries);
void sf__ring_close(struct sf_ring *ring);

/* Has the kernel signal `fd` for every completion while not silenced. 0 or a negated errno. */
int sf__ring_register_eventfd(struct sf_ring *ring, int fd);
void sf__ring_silence(struct sf_ring *ring, bool silent);

/* Whether the submission queue is: enter, then look again. */
bool sf__ring_full(const struct sf_ring *ring);

/* The next SQE, zeroed, or NULL when the queue is full. */
struct io_uring_sqe *sf__ring_sqe(struct sf_ring *ring);

/* SQEs that were filled and that the kernel has not taken. */
uint32_t sf__ring_unsubmitted(const struct sf_ring *ring);

/* The oldest completion, or NULL; sf__ring_seen drops it. */
const struct io_uring_cqe *sf__ring_cqe(const struct sf_ring *ring);
void sf__ring_seen(struct sf_ring *ring);

/* Whether only an enter can bring what the kernel has for us into the completion queue. */
bool sf__ring_needs_enter(const struct sf_ring *ring);

/* Submits everything that is filled and runs what is due. With wait_ns > 0, waits that long for a
 * first completion. Returns 0, or a negated errno of the system: -ETIME, -EINTR, -EBUSY … */
int sf__ring_enter(struct sf_ring *ring, int64_t wait_ns);

/* Cancels all that is in flight and waits up to wait_ns. Returns 0 when nothing is left, else a
 * negated errno: -ETIME, or -EINVAL on kernels before 6.0, which cannot. */
int sf__ring_cancel_all(struct sf_ring *ring, int64_t wait_ns);

#endif

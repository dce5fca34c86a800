#define _GNU_SOURCE
#include "uring/ring.h"

#include <errno.h>
#include <linux/time_types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/io_uring.h of 6.0, under a name of our own because older headers lack it. */
struct sync_cancel {
  uint64_t address;
  int32_t fd;
  uint32_t flags;
  struct __kernel_timespec timeout;
  uint64_t padding[4];
};

_Static_assert(sizeof(struct sync_cancel) == 64, "struct io_uring_sync_cancel_reg layout");

#define REGISTER_SYNC_CANCEL 24

/* What this library relies on without an alternative: kernel 5.11 has them all. */
#define FEATURES \
  (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | \
   IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG)

/* Best first.
 * SUBMIT_ALL: one bad SQE does not leave the rest of the batch unsubmitted.
 * DEFER_TASKRUN: completions are posted only inside our own enter, so JavaScript is never
 * interrupted; TASKRUN_FLAG then tells without a system call that there is something to run. */
static const uint32_t setups[] = {
  IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
    IORING_SETUP_TASKRUN_FLAG,
  IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
  0,
};

static int register_with(int fd, unsigned opcode, void *argument, unsigned count) {
  return syscall(__NR_io_uring_register, fd, opcode, argument, count) < 0 ? -errno : 0;
}

static int setup(uint32_t entries, struct io_uring_params *params) {
  int err = -EINVAL;
  for (size_t i = 0; i < sizeof(setups) / sizeof(setups[0]) && err == -EINVAL; i++) {
    memset(params, 0, sizeof(*params));
    params->flags = setups[i] | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
    /* Many operations are in flight for each that is submitted; beyond this the kernel keeps a
     * list of its own, which is slower and loses nothing. */
    params->cq_entries = entries * 8;
    long fd = syscall(__NR_io_uring_setup, entries, params);
    err = fd < 0 ? -errno : (int)fd;
  }
  return err;
}

static int map(struct sf_ring *ring, const struct io_uring_params *params) {
  size_t sq_bytes = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
  size_t cq_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
  const int protection = PROT_READ | PROT_WRITE;
  const int flags = MAP_SHARED | MAP_POPULATE;

  ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
  ring->rings = mmap(NULL, ring->rings_bytes, protection, flags, ring->fd, IORING_OFF_SQ_RING);
  if (ring->rings == MAP_FAILED) return -errno;

  ring->sqes_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
  void *sqes = mmap(NULL, ring->sqes_bytes, protection, flags, ring->fd, IORING_OFF_SQES);
  if (sqes == MAP_FAILED) {
    int err = -errno;
    munmap(ring->rings, ring->rings_bytes);
    return err;
  }
  ring->sqes = sqes;
  return 0;
}

int sf__ring_open(struct sf_ring *out, uint32_t entries) {
  struct io_uring_params params;
  struct sf_ring ring = { 0 };
  int err;

  ring.fd = setup(entries, &params);
  if (ring.fd < 0) return ring.fd;
  ring.setup_flags = params.flags;

  if ((params.features & FEATURES) != FEATURES) {
    err = -ENOSYS;
    goto fail;
  }
  err = map(&ring, &params);
  if (err < 0) goto fail;

  char *base = ring.rings;
  ring.sq_head = (uint32_t *)(void *)(base + params.sq_off.head);
  ring.sq_tail = (uint32_t *)(void *)(base + params.sq_off.tail);
  ring.sq_flags = (uint32_t *)(void *)(base + params.sq_off.flags);
  ring.sq_entries = params.sq_entries;
  ring.sq_mask = params.sq_entries - 1;
  ring.cq_head = (uint32_t *)(void *)(base + params.cq_off.head);
  ring.cq_tail = (uint32_t *)(void *)(base + params.cq_off.tail);
  if (params.cq_off.flags != 0) ring.cq_flags = (uint32_t *)(void *)(base + params.cq_off.flags);
  ring.cq_mask = params.cq_entries - 1;
  ring.cqes = (const struct io_uring_cqe *)(void *)(base + params.cq_off.cqes);

  /* The indirection of the submission queue is of no use here: slot i is always SQE i. */
  uint32_t *array = (uint32_t *)(void *)(base + params.sq_off.array);
  for (uint32_t i = 0; i < params.sq_entries; i++) array[i] = i;

  *out = ring;
  return 0;

fail:
  close(ring.fd);
  return err;
}

void sf__ring_close(struct sf_ring *ring) {
  munmap(ring->sqes, ring->sqes_bytes);
  munmap(ring->rings, ring->rings_bytes);
  close(ring->fd);
}

int sf__ring_register_eventfd(struct sf_ring *ring, int fd) {
  return register_with(ring->fd, IORING_REGISTER_EVENTFD, &fd, 1);
}

void sf__ring_silence(struct sf_ring *ring, bool silent) {
  if (ring->cq_flags == NULL) return;
  __atomic_store_n(ring->cq_flags, silent ? IORING_CQ_EVENTFD_DISABLED : 0, __ATOMIC_SEQ_CST);
}

bool sf__ring_full(const struct sf_ring *ring) {
  return sf__ring_unsubmitted(ring) >= ring->sq_entries;
}

struct io_uring_sqe *sf__ring_sqe(struct sf_ring *ring) {
  if (sf__ring_full(ring)) return NULL;
  struct io_uring_sqe *sqe = &ring->sqes[ring->sq_filled++ & ring->sq_mask];
  memset(sqe, 0, sizeof(*sqe));
  return sqe;
}

uint32_t sf__ring_unsubmitted(const struct sf_ring *ring) {
  return ring->sq_filled - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
}

const struct io_uring_cqe *sf__ring_cqe(const struct sf_ring *ring) {
  uint32_t head = *ring->cq_head; /* only this thread writes it */
  if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) return NULL;
  return &ring->cqes[head & ring->cq_mask];
}

void sf__ring_seen(struct sf_ring *ring) {
  __atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
}

bool sf__ring_needs_enter(const struct sf_ring *ring) {
  const uint32_t due = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
  return (__atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & due) != 0;
}

int sf__ring_enter(struct sf_ring *ring, int64_t wait_ns) {
  __atomic_store_n(ring->sq_tail, ring->sq_filled, __ATOMIC_RELEASE);
  /* Always everything between head and tail: an earlier enter may have left some behind. */
  uint32_t count = sf__ring_unsubmitted(ring);
  long result;
  if (wait_ns <= 0) {
    result = syscall(__NR_io_uring_enter, ring->fd, count, 0, IORING_ENTER_GETEVENTS, NULL, 0);
  } else {
    struct __kernel_timespec timeout = {
      .tv_sec = wait_ns / 1000000000,
      .tv_nsec = wait_ns % 1000000000,
    };
    struct io_uring_getevents_arg argument = { .ts = (uint64_t)(uintptr_t)&timeout };
    result = syscall(__NR_io_uring_enter, ring->fd, count, 1,
                     IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof(argument));
  }
  return result < 0 ? -errno : 0;
}

int sf__ring_cancel_all(struct sf_ring *ring, int64_t wait_ns) {
  struct sync_cancel argument = {
    .fd = -1,
    .flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY,
    .timeout = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 },
  };
  int err = register_with(ring->fd, REGISTER_SYNC_CANCEL, &argument, 1);
  return err == -ENOENT ? 0 : err;
}

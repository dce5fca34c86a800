/* uring.h - what the files of the io_uring mechanism share.
 *
 *   uring.c   open, drain, free; cancel
 *   turn.c    the parts of a turn, and the wake-up of the host's event loop
 *   issue.c   an operation becomes an SQE
 *   attempt.c what has no SQE, and waits for its descriptor
 *   ring.c    the system's interface
 */
#ifndef SF_URING_H
#define SF_URING_H

#include <errno.h>

#include "calls/calls.h"
#include "engine/mechanism.h"
#include "uring/ring.h"

/* user_data of SQEs that are no operation of the guest's. No sf__ops_key has this low half. */
#define URING_KEY_IGNORED 0xFFFFFFFFu
#define URING_KEY_HOST_LOOP 0xFFFFFFFEu
#define URING_KEY_JOBS 0xFFFFFFFDu

/* Arguments the kernel reads from our memory while it takes an SQE (and never after: see
 * IORING_FEAT_SUBMIT_STABLE). Emptied whenever every SQE was taken. */
#define URING_SCRATCH_BYTES (128u * 1024)

/* How long is waited at once where there is no other limit. */
#define URING_SLICE_NS 100000000

struct uring {
  struct sf_engine engine; /* first: a struct sf_engine * is a struct uring * */
  struct sf_ring ring;
  uint8_t *scratch; /* owned */
  uint32_t scratch_used;
  uint32_t in_kernel;  /* operations the kernel has: not those that wait for another here */
  uint32_t moved;      /* those of them that use guest memory which is not the guest's any more */
  bool host_poll_armed; /* a poll of host_loop_fd is in the ring */
  bool jobs_poll_armed; /* and one of sf__jobs_fd */
  bool wake_armed;      /* the kernel may signal wake_fd */
  bool cancels_lost;    /* a cancel found no SQE: the next turn sends them all again */
};

static inline struct uring *uring__of(struct sf_engine *engine) {
  return (struct uring *)engine;
}

/* Errors of uring__enter that leave the ring as it was and pass. */
static inline bool uring__passes(int err) {
  return err == 0 || err == -ETIME || err == -EINTR || err == -EAGAIN || err == -EBUSY;
}

/* Entries of struct sf_mechanism. */
bool uring__has(uint16_t opcode);
int32_t uring__issue(struct sf_engine *engine, uint32_t index);
/* Makes the operation's plain call; where it would have to wait, that is made again when its descriptor
 * is ready. As `issue`. */
int32_t uring__attempt(struct uring *uring, uint32_t index);
void uring__flush(struct sf_engine *engine);
void uring__cancel(struct sf_engine *engine, uint32_t index);
void uring__begin(struct sf_engine *engine);
int32_t uring__run(struct sf_engine *engine, int64_t wait_ns);
int32_t uring__arm(struct sf_engine *engine);
bool uring__woken(struct sf_engine *engine);
void uring__poke(struct sf_engine *engine);

/* Stops the kernel from signalling wake_fd. */
void uring__silence(struct uring *uring);

/* A cleared SQE with this key, after submitting what is filled if need be, or NULL. */
struct io_uring_sqe *uring__sqe(struct uring *uring, uint8_t opcode, int fd, uint64_t key);

/* Submits and, with wait_ns > 0, waits. Returns 0 or a negated errno of the system. */
int uring__enter(struct uring *uring, int64_t wait_ns);

/* Hands over everything in the completion queue. */
void uring__reap(struct uring *uring);

#endif

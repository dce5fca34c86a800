/* uring.h - what the files of the io_uring backend share.
 *
 *   uring.c            open, bind, close
 *   uring-turn.c       a turn, and the wake-up of the host's event loop
 *   uring-start.c      a submission, checked, becomes an SQE, or a result at once:
 *     uring-transfer.c   reads, writes, fsync
 *     uring-socket.c     sockets: listen, bind, accept, connect
 *     uring-datagram.c   UDP: send to, receive from
 *     uring-file.c       open
 *   uring-finish.c     a CQE becomes a completion
 *
 * An operation's life:
 *
 *   guest ring ──start──▶ ops table + SQE ──kernel──▶ CQE ──finish──▶ guest ring (or the queue)
 *        └──── refused, or done by a plain system call ──────────────────▲
 */
#ifndef SF_URING_H
#define SF_URING_H

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "backend.h"
#include "ops.h"
#include "queue.h"
#include "uring-ring.h"

/* user_data of SQEs that are no operation of the guest's. No sf__ops_key has this low half. */
#define URING_KEY_IGNORED 0xFFFFFFFFu
#define URING_KEY_HOST_LOOP 0xFFFFFFFEu

/* What start returns for an operation that will complete later. No result has this value. */
#define URING_STARTED INT32_MIN

/* Arguments the kernel reads from our memory while it takes an SQE (and never after: see
 * IORING_FEAT_SUBMIT_STABLE). Emptied whenever every SQE was taken. */
#define URING_SCRATCH_BYTES (128u * 1024)

/* What the kernel writes to when an operation ends, other than guest memory: sf_op.kept. */
struct uring_peer {
  struct sockaddr_storage address;
  socklen_t bytes;
};

struct uring_message {
  struct msghdr message; /* its lengths and flags are written, whatever is received */
  struct sockaddr_storage address;
  uint32_t address_out; /* where the guest wants it; 0: nowhere */
  struct iovec parts[];
};

struct uring {
  struct sf_backend base; /* first: a struct sf_backend * is a struct uring * */
  struct sf_ring ring;
  struct sf_ops ops;
  struct sf_queue queue;
  uint8_t *scratch; /* owned */
  uint32_t scratch_used;
  uint32_t in_kernel;  /* operations the kernel has: not those that wait for another here */
  uint32_t moved;      /* those of them that use guest memory which is not the guest's any more */
  uint32_t delivered;  /* since the last turn returned */
  int host_loop_fd;
  bool host_poll_armed; /* a poll of host_loop_fd is in the ring */
  bool wake_armed;      /* the kernel may signal wake_fd */
  bool cancels_lost;    /* a cancel found no SQE: the next turn sends them all again */
  bool closing;         /* completions go nowhere */
  bool alone;           /* the submission that is being started is the only one of its turn */
};

static inline struct uring *uring__of(struct sf_backend *backend) {
  return (struct uring *)backend;
}

/* Errors of uring__enter that leave the ring as it was and pass. */
static inline bool uring__passes(int err) {
  return err == 0 || err == -ETIME || err == -EINTR || err == -EAGAIN || err == -EBUSY;
}

/* Entries of struct sf_backend_ops. */
int32_t uring__turn(struct sf_backend *backend, int64_t wait_ns, bool arm);
bool uring__woken(struct sf_backend *backend);
void uring__poke(struct sf_backend *backend);

/* Stops the kernel from signalling wake_fd. */
void uring__silence(struct uring *uring);

/* Starts one operation. Its result, or URING_STARTED. CANCEL is not for here. */
int32_t uring__start(struct uring *uring, const struct sf_submission *submission);

/* The same for one kind of operation. `handle` is open. */
int32_t uring__start_transfer(struct uring *uring, const struct sf_submission *submission,
                              struct sf_handle *handle);
int32_t uring__start_fsync(struct uring *uring, const struct sf_submission *submission,
                           struct sf_handle *handle);
int32_t uring__start_bound(struct uring *uring, const struct sf_submission *submission);
int32_t uring__start_accept(struct uring *uring, const struct sf_submission *submission,
                            struct sf_handle *handle);
int32_t uring__start_connect(struct uring *uring, const struct sf_submission *submission);
int32_t uring__start_send_to(struct uring *uring, const struct sf_submission *submission,
                             struct sf_handle *handle);
int32_t uring__start_receive_from(struct uring *uring, const struct sf_submission *submission,
                                  struct sf_handle *handle);
int32_t uring__start_open(struct uring *uring, const struct sf_submission *submission);
int32_t uring__shutdown_now(struct uring *uring, const struct sf_submission *submission,
                            const struct sf_handle *handle);
int32_t uring__address_now(struct uring *uring, const struct sf_submission *submission,
                           const struct sf_handle *handle, bool peer);

/* Copies the sf_address at `pointer` out. Returns 0 or -SF_EFAULT. */
int32_t uring__read_address(const struct uring *uring, uint32_t pointer, struct sf_address *out);

/* Puts an address at `pointer`, which is checked. Returns 0 or -SF_EFAULT. */
int32_t uring__write_address(const struct uring *uring, uint32_t pointer,
                             const struct sockaddr_storage *address);

/* Puts the operation behind those of its handle that must come first, and starts it if there are
 * none. Returns URING_STARTED, or its result: then it is not in the table any more. */
int32_t uring__enter_lane(struct uring *uring, uint32_t index);

/* Hands a RECEIVE_FROM in the table to the kernel. Its result, or URING_STARTED. */
int32_t uring__issue_receive_from(struct uring *uring, uint32_t index);

/* Whether a receive had better wait for bytes than look for them first. */
bool uring__polls_first(const struct uring *uring);

/* Adds an operation to the table, without a handle or on an open one. Returns 0 and sets *out, or
 * a negated errno. */
int32_t uring__add(struct uring *uring, const struct sf_submission *submission, uint32_t *out);
int32_t uring__add_on(struct uring *uring, const struct sf_submission *submission,
                      const struct sf_handle *handle, uint32_t *out);

/* An SQE for an operation in the table, which is the kernel's from now on. NULL: none is free. */
struct io_uring_sqe *uring__issue(struct uring *uring, uint32_t index, uint8_t opcode, int fd);

/* Takes an operation out of the table, and starts what waited for it. */
void uring__remove(struct uring *uring, uint32_t index);

/* Memory for arguments, valid until the SQE that is filled next was taken; NULL: none now. */
void *uring__scratch(struct uring *uring, size_t bytes);

/* Asks the kernel to end every operation with this token, or this one. */
void uring__cancel_token(struct uring *uring, uint32_t token);
void uring__cancel(struct uring *uring, uint32_t index);

/* Sends the request for an operation that is marked cancelled. */
void uring__send_cancel(struct uring *uring, uint32_t index);

/* A cleared SQE with this key, after submitting what is filled if need be, or NULL. */
struct io_uring_sqe *uring__sqe(struct uring *uring, uint8_t opcode, int fd, uint64_t key);

/* Submits and, with wait_ns > 0, waits. Returns 0 or a negated errno of the system. */
int uring__enter(struct uring *uring, int64_t wait_ns);

/* Hands over everything in the completion queue. */
void uring__reap(struct uring *uring);

/* Starts the CLOSE that waits on this handle, if nothing is in flight on it any more. */
void uring__continue_close(struct uring *uring, uint32_t handle);

/* Reports a result to the guest. */
void uring__complete(struct uring *uring, uint32_t token, int32_t result);

/* Whether operations of this kind use guest memory while they are in flight. */
bool uring__borrows(uint8_t opcode);

#endif

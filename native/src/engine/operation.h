/* operation.h - what the engine knows of an operation. The table is calls/table.c. */
#ifndef SF_OPERATION_H
#define SF_OPERATION_H

#include "engine/call.h"
#include "engine/engine.h"

/* What an operation needs besides its op: made by `check`, the table's once it is in there. */
struct sf_draft {
  void *kept; /* what sf_op.kept becomes: from malloc, or NULL */
  int fd;     /* what sf_op.fd becomes, or -1 */
  int other_fd; /* what sf_op.other_fd becomes, or -1 */
};

enum sf_borrow {
  SF_BORROWS_NOTHING,
  SF_BORROWS_TO_SEND, /* the system reads the guest's memory */
  SF_BORROWS_TO_FILL, /* it writes to it */
};

/* What the plain call of an operation waits for, where its handle is not a file. */
enum sf_readiness {
  SF_WAITS_ELSEWHERE, /* it blocks: on a thread, please */
  SF_WAITS_NEVER,     /* it does not: at once, please, on every mechanism */
  SF_WAITS_READABLE,
  SF_WAITS_WRITABLE,
  SF_WAITS_AS_ASKED, /* for the events in its argument, enum sf_poll */
};

enum sf_lane_use { SF_LANE_NONE, SF_LANE_READ, SF_LANE_WRITE };

struct sf_operation {
  /* Whether it works on a handle, and by kind of handle the errno of those that it does not work on. */
  bool on_handle;
  bool on_path; /* the same, except that -1 names no handle: the grants */
  uint8_t refuses[SF_HANDLE_KINDS];
  bool on_descriptors; /* those of the embedder have it too; everything else is ENOTSUP there */
  bool on_stdio; /* the same of the host's own streams */
  bool on_processes; /* the same of processes */
  uint8_t borrows; /* enum sf_borrow: of the guest, while it is under way */
  uint8_t lane;    /* enum sf_lane_use */
  uint8_t waits;   /* enum sf_readiness */
  /* Nothing interrupts its call, which works on what is kept and nothing else: a cancel ends the operation at
   * once, and leaves the thread to it. */
  bool leaves;
  uint8_t opens;   /* enum sf_handle_kind that it reserves a place for; SF_HANDLE_FREE: none */

  /* One of the two. `start` does all of it, and returns its result, or SF_STARTED when it has added
   * it to the table itself. `check` checks what the guest says and copies out what must not change;
   * then it is added and issued. Returns SF_STARTED to go on, or its result, with *draft as it was. */
  int32_t (*start)(struct sf_engine *engine, const struct sf_submission *submission,
                   struct sf_handle *handle);
  int32_t (*check)(struct sf_engine *engine, const struct sf_submission *submission,
                   const struct sf_handle *handle, struct sf_draft *draft);

  /* Gives back what `check` made and put into `kept`, besides its memory: it was never added to the table.
   * NULL: nothing. */
  void (*drop)(struct sf_engine *engine, const struct sf_draft *draft);

  /* The operation as a plain system call, on sockets that do not block, or on a thread. Its result;
   * -SF_EAGAIN: it has to wait, and is made again. */
  int32_t (*call)(const struct sf_call *call);

  /* The same where it need not wait, whatever its descriptor is like; else -SF_EAGAIN. NULL: it is never
   * wanted at once; see attempt.c. */
  int32_t (*attempt)(const struct sf_call *call);

  /* Of an operation that may have a second step: whether that follows, for which the operation is issued
   * again, or else its result. NULL: it has one. Returns SF_STARTED to go on. */
  int32_t (*next)(const struct sf_engine *engine, struct sf_op *op, int32_t result);

  /* Makes the system's result the guest's: puts what was kept where the guest wants it, or undoes
   * what it cannot have. NULL: they are the same. A place that was reserved becomes a handle that
   * owns the fd it returns, or is given back; of another kind than `opens` if the place says so. */
  int32_t (*finish)(struct sf_engine *engine, const struct sf_op *op, int32_t result);
};

/* Whether what comes next of the operation works on a file, so that it blocks. */
static inline bool sf__reads_file(const struct sf_op *op) {
  return op->opcode == SF_OP_SEND_FILE && op->step == 0;
}

/* Makes an operation that was submitted and checked at once, if it is one of those that this pays for and
 * need not wait; its draft is empty then. Returns its result, or -SF_EAGAIN: it is to be issued. */
int32_t sf__attempt_submitted(struct sf_engine *engine, const struct sf_submission *submission,
                              const struct sf_operation *operation,
                              const struct sf_handle *handle);

/* Frees what a draft has that became no operation. */
void sf__draft_drop(struct sf_engine *engine, const struct sf_operation *operation,
                    const struct sf_draft *draft);

/* NULL: there is no such operation. */
const struct sf_operation *sf__operation(uint16_t opcode);

enum sf_capability { SF_UNSUPPORTED, SF_NATIVE, SF_ON_POOL };

/* How a mechanism performs an operation. ts/host/native/addon.ts has the same list. */
enum sf_capability sf__capability(const struct sf_mechanism *mechanism, uint16_t opcode);

/* CLOSE: ends what is in flight on the handle, which is closed when the last of it has ended. */
int32_t sf__start_close(struct sf_engine *engine, const struct sf_submission *submission,
                        struct sf_handle *handle);
int32_t sf__finish_close(struct sf_engine *engine, const struct sf_op *op, int32_t result);

#endif

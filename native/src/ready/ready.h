/* ready.h - the mechanism for systems that tell when a descriptor is ready: an operation is attempted;
 * where it would have to wait, its descriptor is watched, once, and it is attempted again when that is
 * ready. What never says so, a file, goes to the pool.
 *
 *   ready.c    attempts, waits in line, cancels
 *   turn.c     the parts of a turn, and the wake-up of the host's event loop
 *   epoll.c, kqueue.c, poll.c   the pollers; poll.c waits for the host's event loop with waiter.c
 */
#ifndef SF_READY_H
#define SF_READY_H

#include <poll.h>

#include "engine/doorbell.h"
#include "engine/mechanism.h"

#define READY_READABLE 1u
#define READY_WRITABLE 2u
#define READY_ENDED 4u /* an error, or both ends are closed: told whatever was watched for */

/* Of an event: the poller goes on watching, whatever it was told to. */
#define READY_STAYS 8u

/* What the operations in each line of a descriptor wait for. */
#define READY_LINES \
  { READY_READABLE, READY_WRITABLE, READY_READABLE | READY_WRITABLE, READY_ENDED }
#define READY_LINES_COUNT 4

/* What one look brings at most. */
#define READY_EVENTS 256

struct ready_event {
  int fd;
  uint32_t generation; /* of the ready_fd */
  uint8_t mask;        /* READY_… */
};

/* One for each descriptor that was ever waited for, by its number. */
struct ready_fd {
  struct {
    uint32_t first; /* operations, oldest first; linked through sf_op.waits_next */
    uint32_t last;
  } lines[READY_LINES_COUNT]; /* see READY_LINES */
  uint32_t generation; /* events of another are of a descriptor that was closed */
  uint32_t place;      /* the poller's */
  uint8_t watched;     /* READY_…: what the poller was told to watch for, and did not tell yet */
  bool known;          /* the poller's */
};

struct ready {
  struct sf_engine engine; /* first: a struct sf_engine * is a struct ready * */
  const struct ready_poller *poller;
  struct ready_fd *fds; /* owned */
  uint32_t fds_count;
  uint32_t waiting; /* operations in lines */
  uint32_t unlooked; /* turns in a row that did not look at the poller */
  struct ready_event events[READY_EVENTS]; /* told by the poller, and not acted on */
  uint32_t events_count;
  bool host_hidden;    /* the host's loop was readable, but perhaps for what woke us as well */
  uint32_t overlaps;   /* how often it was, since it was looked at alone */
  struct sf_doorbell doorbell; /* rung by poke */
  int jobs_fd;    /* of the pool, once the poller watches it; else -1 */
  bool jobs_told; /* it was readable */
  bool wake_armed;
  int poll_fd;                /* of epoll and kqueue */
  struct ready_poll *poll;    /* of poll */
};

struct ready_poller {
  /* Sets base.wake_fd. Returns 0 or a negated sf_errno. */
  int32_t (*open)(struct ready *ready);
  void (*close)(struct ready *ready);
  /* Tells once when `fd` is ready for some of `mask`, which has what it watched for before. Returns 0
   * or a negated sf_errno. */
  int32_t (*watch)(struct ready *ready, int fd, uint8_t mask);
  /* Tells whenever `fd` is readable: the doorbell, and the pool's. */
  int32_t (*watch_always)(struct ready *ready, int fd);
  /* `fd` is about to be closed. NULL: the system stops watching then. If another process has it too, it may
   * tell once more, of another generation. */
  void (*forget)(struct ready *ready, int fd);
  /* The same of one that stays open, and goes to another engine. NULL: what was watched for has been told. */
  void (*release)(struct ready *ready, int fd);
  /* Adds what is ready to `events`, after waiting up to wait_ns. When it waits it also looks at the
   * host's loop: see ready__saw_host. Returns 0 or a negated errno of the system. */
  int (*look)(struct ready *ready, int64_t wait_ns);
  /* Has wake_fd become readable with the first event from now on. Returns 0 or a negated sf_errno. NULL, and
   * `disarm` too: it always does. */
  int32_t (*arm)(struct ready *ready);
  /* The opposite. What was told in between is not lost. */
  void (*disarm)(struct ready *ready);
};

static inline struct ready *ready__of(struct sf_engine *engine) {
  return (struct ready *)engine;
}

/* For the mechanisms' `open`. */
int32_t ready__open(struct sf_engine **out, const struct ready_poller *poller);

/* Entries of struct sf_mechanism. */
void ready__free(struct sf_engine *engine);
int32_t ready__issue(struct sf_engine *engine, uint32_t index);
void ready__cancel(struct sf_engine *engine, uint32_t index);
void ready__forget(struct sf_engine *engine, int fd);
void ready__release(struct sf_engine *engine, int fd);
void ready__begin(struct sf_engine *engine);
int32_t ready__run(struct sf_engine *engine, int64_t wait_ns);
int32_t ready__arm(struct sf_engine *engine);
bool ready__woken(struct sf_engine *engine);
void ready__poke(struct sf_engine *engine);

#define READY_MECHANISM(mechanism_name, open_function) \
  { .name = mechanism_name, .nonblocking = true, .open = open_function, .free = ready__free, \
    .issue = ready__issue, .cancel = ready__cancel, \
    .forget = ready__forget, .release = ready__release, .begin = ready__begin, .run = ready__run, .arm = ready__arm, \
    .woken = ready__woken, .poke = ready__poke }

/* Acts on everything in `events`, and on jobs that ended. */
void ready__act(struct ready *ready);

/* Adds an event of `fd`, which can be the doorbell or the pool's. There must be room. */
void ready__tell(struct ready *ready, int fd, uint32_t generation, uint8_t mask);

/* The host's loop is readable. It watches wake_fd too: when that is `woken`, it may have no other work. */
void ready__saw_host(struct ready *ready, bool woken);

/* Waits until `poll_fd` or host_loop_fd is readable, up to wait_ns. Returns 0 or a negated errno of the
 * system. */
int ready__wait(struct ready *ready, int64_t wait_ns);

/* poll(2), to the nanosecond where the system can. Returns a count or a negated errno. */
int ready__poll_ns(struct pollfd *fds, nfds_t count, int64_t wait_ns);

#endif

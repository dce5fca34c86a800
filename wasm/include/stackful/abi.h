/* abi.h - what the core, the guest header, the native shim and the host must agree on, said once.
 *
 * scripts/gen-abi.ts turns this file, errors.h and operations.h into ts/abi.gen.ts, and `npm run check`
 * fails when that is stale. Codes and fields are append-only within one SF_ABI_VERSION. Everything is little-endian;
 * structs use fixed-width fields at their natural alignment, so that wasm32, x86-64 and arm64
 * compilers lay them out alike (asserted below). Addresses are offsets into the guest's memory.
 */
#ifndef STACKFUL_ABI_H
#define STACKFUL_ABI_H

#include <stdint.h>

#define SF_ABI_VERSION 2

#include "errors.h"
#include "operations.h"

enum sf_state {
  SF_STATE_NEW = 0,     /* has not run yet */
  SF_STATE_PARKED = 1,  /* its frames are saved; waits for `wait`, or is in the ready queue */
  SF_STATE_RUNNING = 2, /* the current task */
  SF_STATE_ENDED = 3,   /* returned or failed; `result` and `fault` are set */
  SF_STATE_FREE = 4,    /* in the pool */
  SF_STATE_DOOMED = 5,  /* over, but the host still holds memory of its stack: ends when that is back */
  SF_STATE_PROBED = 6,  /* parked, and rewound for a moment so that its stack can be read */
};

/* What a parked task waits for, and its `wait_detail`. READY: for its turn. */
/*      name        code  text               detail */
#define SF_WAIT_MAP(X) \
  X(READY,          0, "ready")           /* */ \
  X(SEND,           1, "channel send")    /* channel */ \
  X(RECEIVE,        2, "channel receive") /* channel */ \
  X(JOIN,           3, "join")            /* task */ \
  X(SLEEP,          4, "sleep")           /* */ \
  X(UNPARK,         5, "unpark")          /* */ \
  X(OP,             6, "operation")       /* enum sf_opcode */ \
  X(HOST,           7, "host promise")    /* */ \
  X(TASK,           8, "end of a task")   /* task */ \
  X(GROUP,          9, "group")           /* group */ \
  X(GROUP_CANCEL,  10, "end of a canceled group") /* group */ \
  X(GROUP_ROOM,    11, "room in a group") /* group */ \
  X(SPAWN_ROOM,    12, "room for a task") /* stack bytes; 0: tasks_max */ \
  X(SELECT,        13, "select")          /* number of arms */ \
  X(MUTEX,         14, "mutex")           /* mutex; its first word is the holder's serial */ \
  X(RELOCK,        15, "mutex, after a condition") /* mutex */ \
  X(READ_LOCK,     16, "read lock")       /* rwlock; its first word is the writer's serial */ \
  X(WRITE_LOCK,    17, "write lock")      /* rwlock */ \
  X(CONDITION,     18, "condition")       /* condition */ \
  X(SEMAPHORE,     19, "semaphore")       /* semaphore */ \
  X(BARRIER,       20, "barrier")         /* barrier */ \
  X(EVENT,         21, "event")           /* event */ \
  X(NOTIFY,        22, "notification")    /* notify */ \
  X(FUTURE,        23, "future")          /* future */ \
  X(ONCE,          24, "once")            /* once */ \
  X(FUTEX,         25, "futex")           /* address */ \
  X(LATCH,         26, "latch")           /* latch */ \
  X(BROADCAST,     27, "broadcast")       /* broadcast */ \
  X(WATCH,         28, "watch")           /* watch */ \
  X(SIGNAL,        29, "signal")          /* enum sf_signal_kind */ \
  X(OPERATION,     30, "started operation") /* operation */ \
  X(SOURCE,        31, "source")          /* source */

enum sf_wait {
#define X(name, code, text) SF_WAIT_##name = (code),
  SF_WAIT_MAP(X)
#undef X
};

/* What an arm of a select waits for. `object`, `value`, `waiter.item` and `waiter.count` as noted. */
enum sf_arm_source {
  SF_ARM_NONE = 0,      /* never ready */
  SF_ARM_RECEIVE = 1,   /* object: channel; item: where to */
  SF_ARM_SEND = 2,      /* object: channel; item: what */
  SF_ARM_TASK = 3,      /* value: task; item: int32_t for its result, or 0 */
  SF_ARM_GROUP = 4,     /* object: group */
  SF_ARM_BROADCAST = 5, /* object: broadcast; item: where to; count: consumer */
  SF_ARM_WATCH = 6,     /* object: watch; item: where to; count: address of the version seen */
  SF_ARM_EVENT = 7,     /* object: event */
  SF_ARM_NOTIFY = 8,    /* object: notify */
  SF_ARM_FUTURE = 9,    /* object: future; item: where to, or 0 */
  SF_ARM_SEMAPHORE = 10, /* object: semaphore; count: permits */
  SF_ARM_LATCH = 11,    /* object: latch */
  SF_ARM_TIMEOUT = 12,  /* value: sf_timeout_t */
  SF_ARM_SIGNAL = 13,   /* object: signal */
  SF_ARM_OPERATION = 14, /* object: operation */
  SF_ARM_SOURCE = 15,   /* object: source; item: for its poll */
};

/* Signals that a host can raise in the guest. */
#define SF_SIGNAL_MAP(X) \
  X(INTERRUPT, 1, "SIGINT") \
  X(TERMINATE, 2, "SIGTERM") \
  X(HANGUP,    3, "SIGHUP") \
  X(QUIT,      4, "SIGQUIT") \
  X(USER1,     5, "SIGUSR1") \
  X(USER2,     6, "SIGUSR2") \
  X(WINDOW,    7, "SIGWINCH")

enum sf_signal_kind {
#define X(name, code, text) SF_SIGNAL_##name = (code),
  SF_SIGNAL_MAP(X)
#undef X
};

/* Why a task failed. */
#define SF_FAULT_MAP(X) \
  X(NONE,             0, "none") \
  X(TRAP,             1, "wasm trap") \
  X(C_STACK_OVERFLOW, 2, "C stack overflow") \
  X(FRAMES_OVERFLOW,  3, "saved frames overflow") \
  X(NESTED_SUSPEND,   4, "cannot park: a host frame is on the stack, or no task is running") \
  X(HOST,             5, "host import threw")

enum sf_fault {
#define X(name, code, text) SF_FAULT_##name = (code),
  SF_FAULT_MAP(X)
#undef X
};

enum sf_task_flags {
  SF_TASK_DETACHED = 1,  /* freed when it ends */
  SF_TASK_HOST_OWNED = 2, /* reported in sf_shared.ended, freed by the host */
  SF_TASK_CANCELED = 4,  /* one request is pending */
  SF_TASK_PERMIT = 8,    /* unparked before it parked */
  SF_TASK_CANCEL_SENT = 16, /* the host was asked to cancel its operation */
  SF_TASK_EXPIRED = 32,  /* a timeout of its has expired and ended no call yet */
  SF_TASK_UNARMED = 64,  /* a timeout of its is armed at the next wait */
};

struct sf_task;

/* A node in a wait queue. A task has one, an arm of a select has one, the host makes its own. */
struct sf_waiter {
  SF_ADDRESS(struct sf_waiter) next;
  SF_ADDRESS(struct sf_waiter) previous;
  /* Whose it is. Odd: no task's; 1: the host's; else 1 + the sf_waiter that a select's arms end. */
  SF_ADDRESS(struct sf_task) task;
  SF_ADDRESS(void) item; /* where the item is, or goes; owner of arms: the arms */
  uint32_t count;        /* what the source says; owner of arms: how many */
  int32_t result;        /* what the waiting call returns */
};

struct sf_wait_queue {
  SF_ADDRESS(struct sf_waiter) first;
  SF_ADDRESS(struct sf_waiter) last;
};

/* A node of the timer heap, which is linked as child, sibling and previous: see timers.h. */
struct sf_timer_node {
  uint64_t deadline_ns;
  SF_ADDRESS(struct sf_timer_node) child;
  SF_ADDRESS(struct sf_timer_node) sibling;
  SF_ADDRESS(struct sf_timer_node) previous; /* parent or left sibling; 0 and not root: not armed */
  uint32_t kind;
};

/* One alternative of a select. */
struct sf_arm {
  struct sf_waiter waiter; /* result: what the source's own call would have returned */
  uint32_t source; /* enum sf_arm_source */
  SF_ADDRESS(void) object;
  uint64_t value;
  struct sf_timer_node timer;
};

/* The control block at the start of every region. The host reads it, the core alone writes it.
 * `frames_position` and `frames_end` are Asyncify's data header: their place is fixed. */
struct sf_task {
  uint32_t frames_position;
  uint32_t frames_end;
  uint32_t stack_pointer; /* where the C stack stands while parked */
  uint32_t stack_limit;   /* lowest C stack address */
  uint32_t stack_span;    /* stack_limit + stack_span: highest C stack address */
  uint32_t entry;         /* table index of an int32_t (void *) function */
  uint32_t entry_argument;
  SF_ADDRESS(struct sf_task) next; /* ready queue, pool, sf_shared.ended, or waiting for its group */
  struct sf_waiter waiter;
  SF_ADDRESS(struct sf_wait_queue) wait_queue; /* the queue `waiter` is in, for most of enum sf_wait */
  uint8_t state;      /* enum sf_state */
  uint8_t flags;      /* enum sf_task_flags */
  uint8_t wait;       /* enum sf_wait */
  uint8_t size_class; /* stack bytes are SF_STACK_BYTES_MIN << size_class */
  /* The slot that its saved frames are in; 0: none, they are in its region. The task itself: they
   * never are anywhere but in its region, where they are known to fit. */
  SF_ADDRESS(void) slot;
  uint32_t wait_detail; /* see enum sf_wait */
  uint32_t switches;
  uint32_t parked_at;  /* now_ns >> SF_AGE_SHIFT of the last switch away from it */
  uint32_t serial;    /* high half of the task's handle */
  int32_t result;
  uint32_t fault_bytes; /* overflow: how many bytes were needed */
  uint8_t fault;      /* enum sf_fault */
  uint8_t name_bytes;
  uint8_t shields;    /* cancel requests wait while this is not 0 */
  uint8_t reserved;
  struct sf_wait_queue joiners;
  struct sf_timer_node timer; /* of its sleep */
  SF_ADDRESS(const char) name;
  SF_ADDRESS(struct sf_task) all_next; /* every task that has not been freed */
  SF_ADDRESS(struct sf_task) all_previous;
  SF_ADDRESS(void) scopes; /* its timeouts, innermost first */
  SF_ADDRESS(void) locals; /* task-local bindings, newest first */
  SF_ADDRESS(void) attached; /* objects on its stack that the core refers to */
  SF_ADDRESS(void) group;
  SF_ADDRESS(struct sf_task) group_next;
  SF_ADDRESS(struct sf_task) group_previous;
  SF_ADDRESS(int32_t) group_result; /* where its group's spawner wants the result, or 0 */
  uint32_t created_at; /* as parked_at, of its creation */
  uint32_t stack_high; /* while stacks are painted: most bytes in use when parked */
};

/* Ages are kept in units of 2 ** 20 ns, about a millisecond. */
#define SF_AGE_SHIFT 20

#define SF_STACK_BYTES_MIN 1024
#define SF_SIZE_CLASSES 14 /* 1 KiB to 8 MiB */

/* The start of a run of memory that was regions and is no longer. */
struct sf_span {
  SF_ADDRESS(struct sf_span) next;
  uint32_t bytes; /* a multiple of 16 */
};

/* The control block that core and host share. stackful_init returns its address. */
struct sf_shared {
  uint64_t now_ns;      /* monotonic; the host writes it before every run */
  uint64_t deadline_ns; /* earliest armed timer; UINT64_MAX: none */
  uint64_t switches;    /* coroutines entered since the start */
  uint32_t submissions; /* address of sf_submission[submissions_capacity] */
  uint32_t submissions_capacity;
  uint32_t submissions_head; /* the host takes from here */
  uint32_t submissions_tail; /* the core adds here */
  uint32_t completions; /* address of sf_completion[completions_capacity] */
  uint32_t completions_capacity;
  uint32_t completions_head; /* the core takes from here */
  uint32_t completions_tail; /* the host adds here */
  uint32_t tasks_live; /* not ended */
  uint32_t tasks_max;  /* the host may change it */
  uint32_t ops_pending; /* submitted and not completed */
  SF_ADDRESS(struct sf_task) ended;    /* host-owned tasks that ended, newest first */
  SF_ADDRESS(struct sf_waiter) signaled; /* host waiters that were served, newest first */
  SF_ADDRESS(struct sf_task) all;      /* every task that has not been freed */
  uint32_t fault;       /* enum sf_fault of the trap that is under way */
  uint32_t fault_bytes; /* overflow: how many bytes were needed */
  uint32_t regions_bytes; /* memory taken for regions, pooled ones included, spans not */
  uint32_t stack_bytes_default;
  uint32_t sleepers; /* timers that the next run arms: run again before waiting */
  uint32_t signals_watched; /* bit 1 << enum sf_signal_kind: the guest wants it */
  uint32_t entry_classes; /* address of a byte for each table index: 1 + size class, or 0; or 0 */
  uint32_t entry_classes_count;
  uint32_t stack_marks; /* address of a uint32_t for each table index: most stack used; 0: not painted */
  uint32_t stack_marks_count;
  uint32_t regions_free_bytes; /* those of regions_bytes that no task or allocation uses */
  uint32_t attempts_max; /* transfers made at once between two switches; 0: the host makes none */
};

_Static_assert(sizeof(struct sf_waiter) == 24, "sf_waiter layout");
_Static_assert(sizeof(struct sf_timer_node) == 24, "sf_timer_node layout");
_Static_assert(sizeof(struct sf_arm) == 64, "sf_arm layout");
_Static_assert(sizeof(struct sf_span) == 8, "sf_span layout");
_Static_assert(sizeof(struct sf_task) % 16 == 0, "regions keep their stacks 16-byte aligned");
_Static_assert(sizeof(struct sf_task) <= 176, "a 1 KiB task stays under 1.2 KiB all in");

#endif

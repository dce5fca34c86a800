/* timers.h - everything that happens at a time: an intrusive pairing heap.
 *
 * Insert is O(1), removal O(log n) amortised, and the nodes are where the wait is: in a task, on its
 * stack, or in the guest's memory. `previous` is the left sibling, or the parent for a leftmost
 * child; the root has none. Equal deadlines fire in the order of their arming only within one merge:
 * nobody may rely on it.
 *
 * The core has no clock: now_ns is as old as the run. A duration that starts in the middle of a run
 * therefore waits in a list (linked like siblings) and is armed when the next run brings a newer
 * now_ns: it may be late, never early.
 */
#ifndef STACKFUL_TIMERS_H
#define STACKFUL_TIMERS_H

#include "queue.h"

/* What a timer ends. */
enum timer_kind {
  TIMER_SLEEP = 0, /* of sf_task: its sleep */
  TIMER_SCOPE = 1, /* of struct timeout: its scope */
  TIMER_ARM = 2,   /* of sf_arm: the arm */
  TIMER_EVENT = 3, /* of struct timer: the event */
};

/* The bit of an sf_timeout_t that is a duration: time.h. */
#define TIMEOUT_DURATION (UINT64_C(1) << 63)

/* The bits beside the kind. */
#define TIMER_KIND_MASK 3u
#define TIMER_SLEEPER 4u /* waits for the next run */
#define TIMER_ARMED 8u   /* in the heap or the list */

#define CONTAINER_OF(pointer, type, member) \
  ((type *)((char *)(pointer)-__builtin_offsetof(type, member)))

/* Two roots in, one root out. */
INLINE struct sf_timer_node *timers_meld(struct sf_timer_node *a, struct sf_timer_node *b) {
  if (b->deadline_ns < a->deadline_ns) {
    struct sf_timer_node *swap = a;
    a = b;
    b = swap;
  }
  b->previous = a;
  b->sibling = a->child;
  if (a->child != NULL) a->child->previous = b;
  a->child = b;
  return a;
}

/* The two-pass merge of a list of siblings; NULL for an empty list. Iterative: a heap of a million
 * timers must not need a million stack frames. */
NOINLINE static struct sf_timer_node *timers_merge_siblings(struct sf_timer_node *first) {
  struct sf_timer_node *pairs = NULL;
  while (first != NULL) {
    struct sf_timer_node *a = first;
    struct sf_timer_node *b = a->sibling;
    first = b == NULL ? NULL : b->sibling;
    a->sibling = a->previous = NULL;
    if (b != NULL) {
      b->sibling = b->previous = NULL;
      a = timers_meld(a, b);
    }
    a->sibling = pairs;
    pairs = a;
  }
  struct sf_timer_node *root = NULL;
  while (pairs != NULL) {
    struct sf_timer_node *next = pairs->sibling;
    pairs->sibling = NULL;
    root = root == NULL ? pairs : timers_meld(root, pairs);
    pairs = next;
  }
  return root;
}

NOINLINE static void timer_arm(struct core *core, struct sf_timer_node *node,
                               enum timer_kind kind, uint64_t deadline_ns) {
  node->deadline_ns = deadline_ns;
  node->kind = kind | TIMER_ARMED;
  node->child = node->sibling = node->previous = NULL;
  core->timers = core->timers == NULL ? node : timers_meld(core->timers, node);
}

/* Arms `node` for `duration_ns` from the next run on. */
static void timer_arm_later(struct core *core, struct sf_timer_node *node, enum timer_kind kind,
                            uint64_t duration_ns) {
  node->deadline_ns = duration_ns;
  node->kind = kind | TIMER_ARMED | TIMER_SLEEPER;
  node->child = node->previous = NULL;
  node->sibling = core->sleepers;
  if (core->sleepers != NULL) core->sleepers->previous = node;
  core->sleepers = node;
  core->shared.sleepers++;
}

/* For an sf_timeout_t. Returns 0 when the time is up already, as far as the run knows: then nothing
 * is armed. Never arms for SF_NEVER. */
static uint32_t timer_arm_for(struct core *core, struct sf_timer_node *node, enum timer_kind kind,
                              uint64_t timeout) {
  if (timeout == UINT64_MAX) {
    node->kind = kind;
  } else if (timeout & TIMEOUT_DURATION) {
    if (timeout == TIMEOUT_DURATION) return 0;
    timer_arm_later(core, node, kind, timeout & ~TIMEOUT_DURATION);
  } else {
    if (timeout <= core->shared.now_ns) return 0;
    timer_arm(core, node, kind, timeout);
  }
  return 1;
}

static void sleeper_remove(struct core *core, struct sf_timer_node *node) {
  core->shared.sleepers--;
  if (node->previous == NULL)
    core->sleepers = node->sibling;
  else
    node->previous->sibling = node->sibling;
  if (node->sibling != NULL) node->sibling->previous = node->previous;
}

NOINLINE static void sleepers_arm(struct core *core) {
  uint64_t now_ns = core->shared.now_ns;
  while (core->sleepers != NULL) {
    struct sf_timer_node *node = core->sleepers;
    sleeper_remove(core, node);
    uint64_t deadline_ns = now_ns + node->deadline_ns;
    timer_arm(core, node, node->kind & TIMER_KIND_MASK,
              deadline_ns < now_ns ? NO_DEADLINE - 1 : deadline_ns);
  }
}

/* Whether it was armed. */
NOINLINE static uint32_t timer_disarm(struct core *core, struct sf_timer_node *node) {
  uint32_t kind = node->kind;
  if (!(kind & TIMER_ARMED)) return 0;
  node->kind = kind & TIMER_KIND_MASK;
  if (kind & TIMER_SLEEPER) {
    sleeper_remove(core, node);
    return 1;
  }
  struct sf_timer_node *children = timers_merge_siblings(node->child);
  if (node == core->timers) {
    core->timers = children;
    return 1;
  }
  struct sf_timer_node *previous = node->previous;
  if (previous->child == node)
    previous->child = node->sibling;
  else
    previous->sibling = node->sibling;
  if (node->sibling != NULL) node->sibling->previous = previous;
  if (children != NULL) core->timers = timers_meld(core->timers, children);
  return 1;
}

#endif

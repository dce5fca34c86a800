/* timers.h - deadlines of parked tasks: an intrusive pairing heap.
 *
 * Insert is O(1), removal O(log n) amortised, and the nodes are in the tasks. `timer_previous` is
 * the left sibling, or the parent for a leftmost child; the root has none. A task is armed when it
 * is the root or has a previous. Equal deadlines fire in the order of their arming only within one
 * merge: nobody may rely on it.
 *
 * The core has no clock: now_ns is as old as the run. A duration that starts in the middle of a run
 * therefore waits in a list (linked like siblings) and is armed when the next run brings a newer
 * now_ns: a sleep may be late, never early.
 */
#ifndef STACKFUL_TIMERS_H
#define STACKFUL_TIMERS_H

#include "queue.h"

/* Two roots in, one root out. */
INLINE struct sf_task *timers_meld(struct sf_task *a, struct sf_task *b) {
  if (b->deadline_ns < a->deadline_ns) {
    struct sf_task *swap = a;
    a = b;
    b = swap;
  }
  b->timer_previous = a;
  b->timer_sibling = a->timer_child;
  if (a->timer_child != NULL) a->timer_child->timer_previous = b;
  a->timer_child = b;
  return a;
}

/* The two-pass merge of a list of siblings; NULL for an empty list. Iterative: a heap of a million
 * timers must not need a million stack frames. */
NOINLINE static struct sf_task *timers_merge_siblings(struct sf_task *first) {
  struct sf_task *pairs = NULL;
  while (first != NULL) {
    struct sf_task *a = first;
    struct sf_task *b = a->timer_sibling;
    first = b == NULL ? NULL : b->timer_sibling;
    a->timer_sibling = a->timer_previous = NULL;
    if (b != NULL) {
      b->timer_sibling = b->timer_previous = NULL;
      a = timers_meld(a, b);
    }
    a->timer_sibling = pairs;
    pairs = a;
  }
  struct sf_task *root = NULL;
  while (pairs != NULL) {
    struct sf_task *next = pairs->timer_sibling;
    pairs->timer_sibling = NULL;
    root = root == NULL ? pairs : timers_meld(root, pairs);
    pairs = next;
  }
  return root;
}

NOINLINE static void timer_arm(struct core *core, struct sf_task *task, uint64_t deadline_ns) {
  task->deadline_ns = deadline_ns;
  task->timer_child = task->timer_sibling = task->timer_previous = NULL;
  core->timers = core->timers == NULL ? task : timers_meld(core->timers, task);
}

/* Arms `task` for `duration_ns` from the next run on. */
static void timer_arm_later(struct core *core, struct sf_task *task, uint64_t duration_ns) {
  task->deadline_ns = duration_ns;
  task->flags |= SF_TASK_SLEEPER;
  task->timer_child = task->timer_previous = NULL;
  task->timer_sibling = core->sleepers;
  if (core->sleepers != NULL) core->sleepers->timer_previous = task;
  core->sleepers = task;
  core->shared.sleepers++;
}

static void sleeper_remove(struct core *core, struct sf_task *task) {
  task->flags &= (uint8_t)~SF_TASK_SLEEPER;
  core->shared.sleepers--;
  if (task->timer_previous == NULL)
    core->sleepers = task->timer_sibling;
  else
    task->timer_previous->timer_sibling = task->timer_sibling;
  if (task->timer_sibling != NULL) task->timer_sibling->timer_previous = task->timer_previous;
  task->timer_sibling = task->timer_previous = NULL;
}

NOINLINE static void sleepers_arm(struct core *core) {
  uint64_t now_ns = core->shared.now_ns;
  while (core->sleepers != NULL) {
    struct sf_task *task = core->sleepers;
    sleeper_remove(core, task);
    uint64_t deadline_ns = now_ns + task->deadline_ns;
    timer_arm(core, task, deadline_ns < now_ns ? NO_DEADLINE - 1 : deadline_ns);
  }
}

NOINLINE static void timer_disarm(struct core *core, struct sf_task *task) {
  if (task->flags & SF_TASK_SLEEPER) {
    sleeper_remove(core, task);
    return;
  }
  struct sf_task *children = timers_merge_siblings(task->timer_child);
  if (task == core->timers) {
    core->timers = children;
  } else {
    struct sf_task *previous = task->timer_previous;
    if (previous == NULL) return;
    if (previous->timer_child == task)
      previous->timer_child = task->timer_sibling;
    else
      previous->timer_sibling = task->timer_sibling;
    if (task->timer_sibling != NULL) task->timer_sibling->timer_previous = previous;
    if (children != NULL) core->timers = timers_meld(core->timers, children);
  }
  task->timer_child = task->timer_sibling = task->timer_previous = NULL;
}

NOINLINE static void timers_fire(struct core *core) {
  uint64_t now_ns = core->shared.now_ns;
  while (core->timers != NULL && core->timers->deadline_ns <= now_ns) {
    struct sf_task *task = core->timers;
    timer_disarm(core, task);
    task->waiter.result = 0;
    ready_push(core, task);
  }
}

#endif

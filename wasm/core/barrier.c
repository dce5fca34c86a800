/* barrier.c - a meeting point of a fixed number of tasks. */
#include "task.h"

struct barrier {
  struct sf_wait_queue waiters;
  uint32_t parties;
  uint32_t missing; /* until it opens */
  uint32_t broken;
  uint32_t reserved;
};

_Static_assert(sizeof(struct barrier) == 24, "sync.h reserves 24 bytes");

EXPORT(sf_barrier_init) int32_t sf_barrier_init(struct barrier *barrier, uint32_t parties) {
  if (parties == 0) return -SF_EINVAL;
  __builtin_memset(barrier, 0, sizeof(*barrier));
  barrier->parties = barrier->missing = parties;
  return 0;
}

EXPORT(sf_barrier_wait) int32_t sf_barrier_wait(struct barrier *barrier) {
  if (phase_get() == PHASE_REWINDING) return resumed();
  struct core *core = core_get();
  if (barrier->broken) return -SF_EPIPE;
  if (barrier->missing == 1) {
    barrier->missing = barrier->parties;
    wait_queue_wake_all(core, &barrier->waiters, 0);
    return 1;
  }
  struct sf_task *self = self_to_park();
  if (UNLIKELY(self->flags & SF_TASK_ATTENTION) && attend(core, self)) {
    barrier_break(core, barrier);
    return -SF_ECANCELED;
  }
  barrier->missing--;
  self->waiter.result = 0;
  self->wait_queue = &barrier->waiters;
  wait_queue_push(&barrier->waiters, &self->waiter);
  return park(self, SF_WAIT_BARRIER, address_of(barrier));
}

/* One of those it counts on will not come. */
static void barrier_break(struct core *core, void *object) {
  struct barrier *barrier = object;
  barrier->broken = 1;
  wait_queue_wake_all(core, &barrier->waiters, -SF_EPIPE);
}

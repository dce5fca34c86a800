/* futex.c - waiting for a word of memory to change: queues by a hash of its address. */
#include "task.h"

_Static_assert(FUTEX_BUCKETS == 1 << 8, "the hash keeps 8 bits");

INLINE struct sf_wait_queue *futex_queue(struct core *core, const uint32_t *word) {
  return &core->futexes[address_of(word) * 2654435769u >> 24];
}

EXPORT(sf_futex_wait) int32_t sf_futex_wait(const uint32_t *word, uint32_t expected) {
  RETURN_IF_RESUMED();
  if (*(const volatile uint32_t *)word != expected) return -SF_EAGAIN;
  return park_in(futex_queue(core_get(), word), word, 0, 0, SF_WAIT_FUTEX, word);
}

EXPORT(sf_futex_wake) uint32_t sf_futex_wake(const uint32_t *word, uint32_t count) {
  struct core *core = core_get();
  struct sf_wait_queue *queue = futex_queue(core, word);
  uint32_t woken = 0;
  struct sf_waiter *next;
  for (struct sf_waiter *waiter = queue->first; waiter != NULL && woken < count; waiter = next) {
    next = waiter->next;
    if (waiter->item != word) continue;
    wait_queue_remove(queue, waiter);
    waiter_wake(core, waiter, 0);
    woken++;
  }
  return woken;
}

/* semaphore.c - counting semaphores. */
#include "task.h"

struct semaphore {
  uint32_t permits;
  struct sf_wait_queue waiters; /* waiter.count: permits it wants */
  struct semaphore *next;       /* in a list of those to serve; NULL: in none */
};

#define SEMAPHORES_END ((struct semaphore *)1)

_Static_assert(sizeof(struct semaphore) == 16, "sync.h reserves 16 bytes");

EXPORT(sf_semaphore_init) void sf_semaphore_init(struct semaphore *semaphore, uint32_t permits) {
  __builtin_memset(semaphore, 0, sizeof(*semaphore));
  semaphore->permits = permits;
}

INLINE int32_t semaphore_try(struct semaphore *semaphore, uint32_t permits) {
  if (semaphore->permits < permits || semaphore->waiters.first != NULL) return -SF_EAGAIN;
  semaphore->permits -= permits;
  return 0;
}

EXPORT(sf_semaphore_try_acquire)
int32_t sf_semaphore_try_acquire(struct semaphore *semaphore, uint32_t permits) {
  return semaphore_try(semaphore, permits);
}

EXPORT(sf_semaphore_acquire)
int32_t sf_semaphore_acquire(struct semaphore *semaphore, uint32_t permits) {
  RETURN_IF_RESUMED();
  if (semaphore_try(semaphore, permits) == 0) return 0;
  return park_in(&semaphore->waiters, NULL, permits, 0, SF_WAIT_SEMAPHORE, semaphore);
}

/* The first waiter when its wish can be met: then it has its permits and has left the queue. */
INLINE struct sf_waiter *semaphore_grant(struct semaphore *semaphore) {
  struct sf_waiter *waiter = semaphore->waiters.first;
  if (waiter == NULL || waiter->count > semaphore->permits) return NULL;
  semaphore->permits -= waiter->count;
  waiter->result = 0;
  return wait_queue_pop(&semaphore->waiters);
}

INLINE void semaphore_list(struct semaphore *semaphore, struct semaphore **list) {
  if (semaphore->next != NULL) return;
  semaphore->next = *list;
  *list = semaphore;
}

EXPORT(sf_semaphore_release)
int32_t sf_semaphore_release(struct semaphore *semaphore, uint32_t permits) {
  if (permits > UINT32_MAX - semaphore->permits) return -SF_EOVERFLOW;
  semaphore->permits += permits;
  semaphore_serve(core_get(), semaphore);
  return 0;
}

EXPORT(sf_semaphore_permits) uint32_t sf_semaphore_permits(const struct semaphore *semaphore) {
  return semaphore->permits;
}

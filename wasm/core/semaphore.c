/* semaphore.c - counting semaphores.
 *
 * Whoever gets a permit through an arm of a select leaves the line at the other semaphores of that
 * select, where somebody else may be next now: and so on, as far as there are tasks. So semaphores that
 * are to be served wait in a list, which the first call works off.
 */
#include "task.h"

struct semaphore {
  uint32_t permits;
  struct sf_wait_queue waiters; /* waiter.count: permits it wants */
  struct semaphore *next; /* among those to be served; NULL: is none of them */
};

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

/* Ends the list of those to be served, and says that somebody works it off. */
#define UNSERVED_END ((struct semaphore *)1u)

/* Gives free permits to those that wait, as long as the first one's wish can be met. */
static void semaphore_serve(struct core *core, void *object) {
  struct semaphore *semaphore = object;
  if (semaphore->waiters.first == NULL || semaphore->next != NULL) return;
  uint32_t outermost = core->unserved == NULL;
  semaphore->next = outermost ? UNSERVED_END : core->unserved;
  core->unserved = semaphore;
  if (!outermost) return;
  while (core->unserved != UNSERVED_END) {
    semaphore = core->unserved;
    core->unserved = semaphore->next;
    semaphore->next = NULL;
    struct sf_waiter *waiter;
    while ((waiter = semaphore->waiters.first) != NULL && waiter->count <= semaphore->permits) {
      semaphore->permits -= waiter->count;
      waiter_wake(core, wait_queue_pop(&semaphore->waiters), 0);
    }
  }
  core->unserved = NULL;
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

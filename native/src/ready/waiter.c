#include "ready/waiter.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/os-errno.h"
#include "engine/thread.h"
#include "stackful/abi.h"

enum waiter_state { WAITER_IDLE, WAITER_WAITS, WAITER_ENDS };

struct waiter {
  pthread_t thread;
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t changed;
  struct sf_doorbell interrupt; /* ends the poll */
  const struct sf_doorbell *doorbell;
  struct pollfd *fds; /* owned; the first is `interrupt`. The thread's while it polls */
  uint32_t count;
  uint32_t capacity;
  uint8_t state; /* enum waiter_state: what is wanted */
  bool polls;
};

static void *work(void *argument) {
  struct waiter *waiter = argument;
  pthread_mutex_lock(&waiter->lock);
  for (;;) {
    while (waiter->state == WAITER_IDLE) pthread_cond_wait(&waiter->changed, &waiter->lock);
    if (waiter->state == WAITER_ENDS) break;
    waiter->polls = true;
    pthread_mutex_unlock(&waiter->lock);
    const int ready = poll(waiter->fds, waiter->count, -1);
    pthread_mutex_lock(&waiter->lock);
    waiter->polls = false;
    pthread_cond_broadcast(&waiter->changed);
    if (ready <= 0 || waiter->state != WAITER_WAITS) continue;
    waiter->state = WAITER_IDLE;
    sf__doorbell_ring(waiter->doorbell);
  }
  pthread_mutex_unlock(&waiter->lock);
  return NULL;
}

int32_t ready__waiter_open(struct waiter **out, const struct sf_doorbell *doorbell) {
  struct waiter *waiter = calloc(1, sizeof(*waiter));
  if (waiter == NULL) return -SF_ENOMEM;
  waiter->doorbell = doorbell;
  int32_t err = sf__doorbell_open(&waiter->interrupt);
  if (err < 0) goto fail_doorbell;
  pthread_mutex_init(&waiter->lock, NULL);
  pthread_cond_init(&waiter->changed, NULL);
  const int os_err = sf__thread_create(&waiter->thread, work, waiter, 0);
  if (os_err != 0) {
    err = sf__error(os_err);
    goto fail_thread;
  }
  *out = waiter;
  return 0;

fail_thread:
  pthread_cond_destroy(&waiter->changed);
  pthread_mutex_destroy(&waiter->lock);
  sf__doorbell_close(&waiter->interrupt);
fail_doorbell:
  free(waiter);
  return err;
}

/* The lock is held. */
static void leave(struct waiter *waiter, uint8_t state) {
  waiter->state = state;
  if (!waiter->polls) return;
  sf__doorbell_ring(&waiter->interrupt);
  while (waiter->polls) pthread_cond_wait(&waiter->changed, &waiter->lock);
  sf__doorbell_quiet(&waiter->interrupt);
}

int32_t ready__waiter_start(struct waiter *waiter, const struct pollfd *fds, uint32_t count) {
  int32_t err = 0;
  pthread_mutex_lock(&waiter->lock);
  leave(waiter, WAITER_IDLE);
  if (count + 1 > waiter->capacity) {
    const size_t capacity = (size_t)count * 2 + 1;
    struct pollfd *grown = realloc(waiter->fds, capacity * sizeof(grown[0]));
    if (grown == NULL) {
      err = -SF_ENOMEM;
      goto out;
    }
    waiter->fds = grown;
    waiter->capacity = (uint32_t)capacity;
  }
  waiter->fds[0] = (struct pollfd){ .fd = waiter->interrupt.fd, .events = POLLIN };
  memcpy(waiter->fds + 1, fds, count * sizeof(fds[0]));
  waiter->count = count + 1;
  waiter->state = WAITER_WAITS;
  pthread_cond_broadcast(&waiter->changed);
out:
  pthread_mutex_unlock(&waiter->lock);
  return err;
}

void ready__waiter_stop(struct waiter *waiter) {
  pthread_mutex_lock(&waiter->lock);
  leave(waiter, WAITER_IDLE);
  pthread_mutex_unlock(&waiter->lock);
}

void ready__waiter_close(struct waiter *waiter) {
  pthread_mutex_lock(&waiter->lock);
  leave(waiter, WAITER_ENDS);
  pthread_cond_broadcast(&waiter->changed);
  pthread_mutex_unlock(&waiter->lock);
  pthread_join(waiter->thread, NULL);
  pthread_cond_destroy(&waiter->changed);
  pthread_mutex_destroy(&waiter->lock);
  sf__doorbell_close(&waiter->interrupt);
  free(waiter->fds);
  free(waiter);
}

#define _GNU_SOURCE
#include "engine/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/doorbell.h"
#include "engine/os-errno.h"
#include "engine/thread.h"
#include "stackful/abi.h"

#define IDLE_S 10
#define THREADS_MIN 4
#define THREADS_LIMIT 1024
#define PAUSE_MAX_MS 64

/* No wall clock, which can be set back, where conditions can go by another. */
#ifdef __APPLE__
#define WORK_CLOCK CLOCK_REALTIME
#else
#define WORK_CLOCK CLOCK_MONOTONIC
#endif

/* How long sf__pool_wait lets a canceled job run before it interrupts it again: a signal that comes
 * just before the system call does not end it. */
#define INTERRUPT_MS 10

/* Ignored unless somebody asks for it, so nothing happens where a handler cannot be set. */
#define INTERRUPT_SIGNAL SIGURG

enum job_state { JOB_WAITS, JOB_PAUSES, JOB_RUNS, JOB_ENDED };
enum worker_state { WORKER_NONE, WORKER_RUNS, WORKER_ENDED };

struct worker {
  struct sf_pool *pool;
  pthread_t thread;
  uint8_t state; /* enum worker_state */
  struct sf_job *job; /* what it runs, or NULL */
};

struct jobs {
  struct sf_job *first;
  struct sf_job *last;
};

struct sf_pool {
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t work;  /* there is a job, or the pool is closing */
  pthread_cond_t ended; /* a job has */
  struct jobs waiting;
  struct jobs endless; /* of those that wait, the ones that nothing interrupts */
  struct jobs pausing; /* they asked to be called again */
  struct jobs done;
  uint32_t idle; /* threads that wait for work; jobs that wait are for the first of them */
  uint32_t threads_max;
  uint32_t endless_max; /* threads that jobs which nothing interrupts may hold */
  uint32_t endless_running; /* also those that were left alone */
  uint64_t added;
  bool closing;
  bool closed; /* whoever ends the last of those below frees the pool */
  uint32_t left; /* jobs that run and were left alone */
  uint32_t out; /* of the owner alone, as is what follows */
  uint32_t interrupts; /* jobs that were canceled while they ran, and not taken */
  struct sf_doorbell doorbell;
  struct worker workers[];
};

static void append(struct jobs *jobs, struct sf_job *job) {
  job->next = NULL;
  job->previous = jobs->last;
  *(jobs->last == NULL ? &jobs->first : &jobs->last->next) = job;
  jobs->last = job;
}

static void take_out(struct jobs *jobs, struct sf_job *job) {
  *(job->previous == NULL ? &jobs->first : &job->previous->next) = job->next;
  *(job->next == NULL ? &jobs->last : &job->next->previous) = job->previous;
}

/* The lock is held. */
static void end_job(struct sf_pool *pool, struct sf_job *job, int32_t result) {
  job->result = result;
  job->state = JOB_ENDED;
  append(&pool->done, job);
  /* The owner quiets it before it takes: one ring is enough for all that are there. */
  if (pool->done.first == job) sf__doorbell_ring(&pool->doorbell);
  pthread_cond_signal(&pool->ended);
}

static struct timespec after_ms(clockid_t clock, int64_t ms) {
  struct timespec at;
  clock_gettime(clock, &at);
  at.tv_sec += ms / 1000;
  at.tv_nsec += ms % 1000 * 1000000;
  if (at.tv_nsec >= 1000000000) {
    at.tv_sec++;
    at.tv_nsec -= 1000000000;
  }
  return at;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(WORK_CLOCK, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The lock is held. The pausing job that is due first, or NULL. */
static struct sf_job *first_due(const struct sf_pool *pool) {
  struct sf_job *first = pool->pausing.first;
  for (struct sf_job *at = first; at != NULL; at = at->next) {
    if (at->due_ms < first->due_ms) first = at;
  }
  return first;
}

static bool is_endless(const struct sf_job *job) {
  return job->discard != NULL;
}

/* The lock is held. The list that the job waits in. */
static struct jobs *waits_in(struct sf_pool *pool, const struct sf_job *job) {
  return is_endless(job) ? &pool->endless : &pool->waiting;
}

/* The lock is held. The job that has waited longest of those that may start, or NULL. */
static struct sf_job *first_waiting(const struct sf_pool *pool) {
  struct sf_job *job = pool->waiting.first;
  struct sf_job *endless = pool->endless.first;
  if (endless == NULL || pool->endless_running >= pool->endless_max) return job;
  return job == NULL || endless->number < job->number ? endless : job;
}

static uint32_t count_jobs(const struct jobs *jobs, uint32_t limit) {
  uint32_t count = 0;
  for (const struct sf_job *at = jobs->first; at != NULL && count < limit; at = at->next) count++;
  return count;
}

/* The lock is held. Whether the job, which was added last, need not wait for one of its kind to end. */
static bool may_start(const struct sf_pool *pool, const struct sf_job *job) {
  if (!is_endless(job)) return true;
  const uint32_t limit = pool->endless_max - pool->endless_running;
  return count_jobs(&pool->endless, limit + 1) <= limit;
}

/* The lock is held. How many jobs wait that may start; those beyond `limit` are not counted. */
static uint32_t count_waiting(const struct sf_pool *pool, uint32_t limit) {
  const uint32_t endless_max = pool->endless_max - pool->endless_running;
  const uint32_t count = count_jobs(&pool->waiting, limit);
  const uint32_t rest = limit - count;
  return count + count_jobs(&pool->endless, rest < endless_max ? rest : endless_max);
}

/* The lock is held. The next job, or NULL when the thread is to end. */
static struct sf_job *next_job(struct sf_pool *pool) {
  const int64_t idle_until_ms = now_ms() + IDLE_S * 1000;
  for (;;) {
    struct sf_job *job = first_waiting(pool);
    if (job != NULL) {
      take_out(waits_in(pool, job), job);
      return job;
    }
    const int64_t now = now_ms();
    job = first_due(pool);
    if (job != NULL && job->due_ms <= now) {
      take_out(&pool->pausing, job);
      return job;
    }
    /* The last thread stays while somebody pauses. */
    if (pool->closing || (now >= idle_until_ms && (job == NULL || pool->idle > 0))) return NULL;
    const int64_t wait_ms = job != NULL ? job->due_ms - now : idle_until_ms - now;
    const struct timespec until = after_ms(WORK_CLOCK, wait_ms);
    pool->idle++;
    pthread_cond_timedwait(&pool->work, &pool->lock, &until);
    pool->idle--;
  }
}

/* The lock is held. */
static void pause_job(struct sf_pool *pool, struct sf_job *job) {
  job->pause_ms = job->pause_ms == 0 ? 1 : job->pause_ms * 2;
  if (job->pause_ms > PAUSE_MAX_MS) job->pause_ms = PAUSE_MAX_MS;
  job->due_ms = now_ms() + job->pause_ms;
  job->state = JOB_PAUSES;
  append(&pool->pausing, job);
}

static void destroy(struct sf_pool *pool) {
  pthread_cond_destroy(&pool->ended);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  sf__doorbell_close(&pool->doorbell);
  free(pool);
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct sf_pool *pool = worker->pool;
  struct sf_job *job;
  pthread_mutex_lock(&pool->lock);
  while ((job = next_job(pool)) != NULL) {
    job->state = JOB_RUNS;
    job->worker = (uint32_t)(worker - pool->workers);
    worker->job = job;
    if (is_endless(job)) pool->endless_running++;
    pthread_mutex_unlock(&pool->lock);
    int32_t result;
    do {
      result = job->run(job);
    } while (result == -SF_EINTR && !job->canceled);
    pthread_mutex_lock(&pool->lock);
    worker->job = NULL;
    if (is_endless(job)) pool->endless_running--;
    if (job->left) {
      job->discard(job);
      pool->left--;
      if (!pool->closed || pool->left > 0) continue;
      pthread_mutex_unlock(&pool->lock);
      destroy(pool);
      return NULL;
    }
    if (result != SF_JOB_LATER) {
      end_job(pool, job, result);
    } else if (job->canceled) {
      end_job(pool, job, -SF_ECANCELED);
    } else {
      pause_job(pool, job);
    }
  }
  worker->state = WORKER_ENDED;
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static void on_interrupt(int signal) {
  (void)signal;
}

/* Once in the process: a system call ends with EINTR only where there is a handler. One that the
 * program has set stays; then jobs that run are not interrupted. */
static void set_handler(void) {
  struct sigaction action;
  if (sigaction(INTERRUPT_SIGNAL, NULL, &action) < 0) return;
  if ((action.sa_flags & SA_SIGINFO) != 0) return;
  if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) return;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_interrupt;
  sigaction(INTERRUPT_SIGNAL, &action, NULL);
}

/* The lock is held. Returns how many threads there are, or a negated sf_errno when there is none. */
static int32_t add_thread(struct sf_pool *pool) {
  int32_t running = 0;
  struct worker *free = NULL;
  for (uint32_t i = 0; i < pool->threads_max; i++) {
    struct worker *worker = &pool->workers[i];
    if (worker->state == WORKER_ENDED) {
      pthread_join(worker->thread, NULL); /* it holds no lock any more, and is about to return */
      worker->state = WORKER_NONE;
    }
    if (worker->state == WORKER_RUNS) running++;
    else if (free == NULL) free = worker;
  }
  if (free == NULL) return running;
  const int err = sf__thread_create(&free->thread, work, free, INTERRUPT_SIGNAL);
  if (err != 0) return running > 0 ? running : sf__error(err);
  free->state = WORKER_RUNS;
  return running + 1;
}

int32_t sf__pool_open(struct sf_pool **out, uint32_t threads_max) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (threads_max == 0) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    threads_max = processors * 2 > THREADS_MIN ? (uint32_t)processors * 2 : THREADS_MIN;
  }
  if (threads_max > THREADS_LIMIT) threads_max = THREADS_LIMIT;
  struct sf_pool *pool = calloc(1, sizeof(*pool) + threads_max * sizeof(pool->workers[0]));
  if (pool == NULL) return -SF_ENOMEM;
  const int32_t err = sf__doorbell_open(&pool->doorbell);
  if (err < 0) {
    free(pool);
    return err;
  }
  pthread_once(&once, set_handler);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_condattr_t by_clock;
  pthread_condattr_init(&by_clock);
#ifndef __APPLE__
  pthread_condattr_setclock(&by_clock, WORK_CLOCK);
#endif
  pthread_cond_init(&pool->work, &by_clock);
  pthread_condattr_destroy(&by_clock);
  pthread_cond_init(&pool->ended, NULL);
  pool->threads_max = threads_max;
  pool->endless_max = (threads_max + 1) / 2;
  for (uint32_t i = 0; i < threads_max; i++) pool->workers[i].pool = pool;
  *out = pool;
  return 0;
}

int sf__pool_fd(const struct sf_pool *pool) {
  return pool->doorbell.fd;
}

uint32_t sf__pool_out(const struct sf_pool *pool) {
  return pool->out;
}

int32_t sf__pool_add(struct sf_pool *pool, struct sf_job *job) {
  int32_t err = 0;
  job->state = JOB_WAITS;
  job->canceled = false;
  job->left = false;
  pthread_mutex_lock(&pool->lock);
  job->number = pool->added++;
  append(waits_in(pool, job), job);
  if (!may_start(pool, job)) {
    /* A thread of those before it takes it. */
  } else if (count_waiting(pool, pool->idle + 1) <= pool->idle) {
    pthread_cond_signal(&pool->work);
  } else {
    err = add_thread(pool);
  }
  if (err < 0) take_out(waits_in(pool, job), job);
  pthread_mutex_unlock(&pool->lock);
  if (err < 0) return err;
  pool->out++;
  return 0;
}

void sf__pool_cancel(struct sf_pool *pool, struct sf_job *job) {
  pthread_mutex_lock(&pool->lock);
  if (job->state == JOB_WAITS || job->state == JOB_PAUSES) {
    take_out(job->state == JOB_WAITS ? waits_in(pool, job) : &pool->pausing, job);
    end_job(pool, job, -SF_ECANCELED);
  } else if (job->state == JOB_RUNS) {
    if (!job->canceled) pool->interrupts++;
    job->canceled = true;
    pthread_kill(pool->workers[job->worker].thread, INTERRUPT_SIGNAL);
  }
  pthread_mutex_unlock(&pool->lock);
}

bool sf__pool_leave(struct sf_pool *pool, struct sf_job *job) {
  pthread_mutex_lock(&pool->lock);
  const bool leaves = job->discard != NULL && job->state == JOB_RUNS && !job->canceled;
  if (leaves) {
    job->left = true;
    pool->left++;
    pool->out--;
  }
  pthread_mutex_unlock(&pool->lock);
  return leaves;
}

void sf__pool_hurry(struct sf_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  for (struct sf_job *at = pool->pausing.first; at != NULL; at = at->next) {
    at->due_ms = 0;
    at->pause_ms = 0;
  }
  if (pool->pausing.first != NULL) pthread_cond_signal(&pool->work);
  pthread_mutex_unlock(&pool->lock);
}

struct sf_job *sf__pool_take(struct sf_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct sf_job *job = pool->done.first;
  if (job != NULL) take_out(&pool->done, job);
  pthread_mutex_unlock(&pool->lock);
  if (job == NULL) return NULL;
  if (job->canceled) pool->interrupts--;
  pool->out--;
  return job;
}

/* The lock is held. */
static void interrupt(const struct sf_pool *pool) {
  if (pool->interrupts == 0) return;
  for (uint32_t i = 0; i < pool->threads_max; i++) {
    const struct worker *worker = &pool->workers[i];
    if (worker->job == NULL || !worker->job->canceled) continue;
    pthread_kill(worker->thread, INTERRUPT_SIGNAL);
  }
}

void sf__pool_poll(struct sf_pool *pool) {
  sf__doorbell_quiet(&pool->doorbell);
  pthread_mutex_lock(&pool->lock);
  interrupt(pool);
  pthread_mutex_unlock(&pool->lock);
}

void sf__pool_wait(struct sf_pool *pool) {
  assert(pool->out > 0);
  pthread_mutex_lock(&pool->lock);
  while (pool->done.first == NULL) {
    const struct timespec until = after_ms(CLOCK_REALTIME, INTERRUPT_MS);
    interrupt(pool);
    pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
  }
  pthread_mutex_unlock(&pool->lock);
}

void sf__pool_close(struct sf_pool *pool) {
  assert(pool->out == 0);
  pthread_mutex_lock(&pool->lock);
  pool->closing = true;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (uint32_t i = 0; i < pool->threads_max; i++) {
    const struct worker *worker = &pool->workers[i];
    pthread_mutex_lock(&pool->lock);
    const bool made = worker->state != WORKER_NONE;
    const bool alone = worker->job != NULL;
    if (alone) pthread_detach(worker->thread);
    pthread_mutex_unlock(&pool->lock);
    if (made && !alone) pthread_join(worker->thread, NULL);
  }
  pthread_mutex_lock(&pool->lock);
  pool->closed = true;
  const bool last = pool->left == 0;
  pthread_mutex_unlock(&pool->lock);
  if (last) destroy(pool);
}

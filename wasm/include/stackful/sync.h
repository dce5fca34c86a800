/* sync.h - synchronisation. Waiters are served in the order in which they came, and what they wait
 * for is handed to them: a task that is woken has it.
 *
 * A call that need not wait is no cancel point. For a form that cannot be canceled, bracket the call
 * with sf_shield_begin and sf_shield_end; those that are asked for often are defined here. */
#ifndef STACKFUL_SYNC_H
#define STACKFUL_SYNC_H

#include "task.h"

/* ── Mutex ─────────────────────────────────────────────────────────────────────────────────────── */

/* All zero bytes are an unlocked mutex. */
struct sf_mutex {
  uint64_t opaque[2];
};

SF_IMPORT(sf_mutex_init) void sf_mutex_init(struct sf_mutex *mutex);

/* EDEADLK: the caller holds it. */
SF_PARKS SF_IMPORT(sf_mutex_lock) int32_t sf_mutex_lock(struct sf_mutex *mutex);
SF_TIMED(sf_mutex_lock, (struct sf_mutex * mutex, sf_timeout_t timeout), (mutex))

/* EAGAIN: somebody holds it. */
SF_IMPORT(sf_mutex_try_lock) int32_t sf_mutex_try_lock(struct sf_mutex *mutex);

/* The longest waiting task has it next. EPERM: the caller does not hold it. */
SF_IMPORT(sf_mutex_unlock) int32_t sf_mutex_unlock(struct sf_mutex *mutex);

SF_PARKS static inline int32_t sf_mutex_lock_uncancelable(struct sf_mutex *mutex) {
  sf_shield_begin();
  int32_t error = sf_mutex_lock(mutex);
  sf_shield_end();
  return error;
}

/* A mutex that its holder can lock again; unlock it as often. All zero bytes are unlocked. */
struct sf_recursive_mutex {
  struct sf_mutex mutex;
  uint64_t depth;
};

SF_PARKS static inline int32_t sf_recursive_mutex_lock(struct sf_recursive_mutex *recursive) {
  int32_t error = sf_mutex_lock(&recursive->mutex);
  if (error == -SF_EDEADLK) error = 0;
  if (error == 0) recursive->depth++;
  return error;
}
SF_TIMED(sf_recursive_mutex_lock, (struct sf_recursive_mutex * recursive, sf_timeout_t timeout),
         (recursive))

static inline int32_t sf_recursive_mutex_try_lock(struct sf_recursive_mutex *recursive) {
  int32_t error = sf_mutex_try_lock(&recursive->mutex);
  if (error == -SF_EDEADLK) error = 0;
  if (error == 0) recursive->depth++;
  return error;
}

static inline int32_t sf_recursive_mutex_unlock(struct sf_recursive_mutex *recursive) {
  if (sf_mutex_try_lock(&recursive->mutex) != -SF_EDEADLK) {
    if (recursive->depth == 0) sf_mutex_unlock(&recursive->mutex);
    return -SF_EPERM;
  }
  if (--recursive->depth > 0) return 0;
  return sf_mutex_unlock(&recursive->mutex);
}

/* ── Condition ─────────────────────────────────────────────────────────────────────────────────── */

/* All zero bytes are a condition without waiters. */
struct sf_condition {
  uint64_t opaque[1];
};

/* Unlocks the mutex and parks until it is signaled; has the mutex again when it returns, whatever it
 * returns. Wakes only for a signal, a broadcast, a cancel or a timeout. EPERM: the caller does not
 * hold the mutex. */
SF_PARKS SF_IMPORT(sf_condition_wait)
int32_t sf_condition_wait(struct sf_condition *condition, struct sf_mutex *mutex);
SF_TIMED(sf_condition_wait,
         (struct sf_condition * condition, struct sf_mutex *mutex, sf_timeout_t timeout),
         (condition, mutex))

SF_PARKS static inline int32_t sf_condition_wait_uncancelable(struct sf_condition *condition,
                                                              struct sf_mutex *mutex) {
  sf_shield_begin();
  int32_t error = sf_condition_wait(condition, mutex);
  sf_shield_end();
  return error;
}

/* Wakes the longest waiting task; lost when there is none. */
SF_IMPORT(sf_condition_signal) void sf_condition_signal(struct sf_condition *condition);

/* Wakes all that wait now. */
SF_IMPORT(sf_condition_broadcast) void sf_condition_broadcast(struct sf_condition *condition);

/* ── Reader-writer lock ────────────────────────────────────────────────────────────────────────── */

/* Any number of readers or one writer. Writers go first: no reader gets in while one waits. All zero
 * bytes are unlocked. A reader must not lock again what it has: a writer may have come between. */
struct sf_rwlock {
  uint64_t opaque[3];
};

SF_PARKS SF_IMPORT(sf_rwlock_read) int32_t sf_rwlock_read(struct sf_rwlock *lock);
SF_TIMED(sf_rwlock_read, (struct sf_rwlock * lock, sf_timeout_t timeout), (lock))

/* EDEADLK: the caller is the writer. */
SF_PARKS SF_IMPORT(sf_rwlock_write) int32_t sf_rwlock_write(struct sf_rwlock *lock);
SF_TIMED(sf_rwlock_write, (struct sf_rwlock * lock, sf_timeout_t timeout), (lock))

/* EAGAIN instead of waiting. */
SF_IMPORT(sf_rwlock_try_read) int32_t sf_rwlock_try_read(struct sf_rwlock *lock);
SF_IMPORT(sf_rwlock_try_write) int32_t sf_rwlock_try_write(struct sf_rwlock *lock);

/* EPERM: nobody reads; the caller is not the writer. */
SF_IMPORT(sf_rwlock_read_unlock) int32_t sf_rwlock_read_unlock(struct sf_rwlock *lock);
SF_IMPORT(sf_rwlock_write_unlock) int32_t sf_rwlock_write_unlock(struct sf_rwlock *lock);

SF_PARKS static inline int32_t sf_rwlock_read_uncancelable(struct sf_rwlock *lock) {
  sf_shield_begin();
  int32_t error = sf_rwlock_read(lock);
  sf_shield_end();
  return error;
}

SF_PARKS static inline int32_t sf_rwlock_write_uncancelable(struct sf_rwlock *lock) {
  sf_shield_begin();
  int32_t error = sf_rwlock_write(lock);
  sf_shield_end();
  return error;
}

/* ── Semaphore ─────────────────────────────────────────────────────────────────────────────────── */

struct sf_semaphore {
  uint64_t opaque[2];
};

SF_IMPORT(sf_semaphore_init) void sf_semaphore_init(struct sf_semaphore *semaphore, uint32_t permits);

/* Takes `permits`; a request for many holds up smaller ones behind it. */
SF_PARKS SF_IMPORT(sf_semaphore_acquire)
int32_t sf_semaphore_acquire(struct sf_semaphore *semaphore, uint32_t permits);
SF_TIMED(sf_semaphore_acquire,
         (struct sf_semaphore * semaphore, uint32_t permits, sf_timeout_t timeout),
         (semaphore, permits))

SF_PARKS static inline int32_t sf_semaphore_acquire_uncancelable(struct sf_semaphore *semaphore,
                                                                 uint32_t permits) {
  sf_shield_begin();
  int32_t error = sf_semaphore_acquire(semaphore, permits);
  sf_shield_end();
  return error;
}

/* EAGAIN instead of waiting. */
SF_IMPORT(sf_semaphore_try_acquire)
int32_t sf_semaphore_try_acquire(struct sf_semaphore *semaphore, uint32_t permits);

/* EOVERFLOW: there would be 2 ** 32 or more; nothing was released. */
SF_IMPORT(sf_semaphore_release)
int32_t sf_semaphore_release(struct sf_semaphore *semaphore, uint32_t permits);

/* Permits that are free. */
SF_IMPORT(sf_semaphore_permits) uint32_t sf_semaphore_permits(const struct sf_semaphore *semaphore);

/* ── Event ─────────────────────────────────────────────────────────────────────────────────────── */

/* Manual: once set, every wait returns until it is reset. Automatic: each set lets one wait return,
 * and sets without a wait between them are one. All zero bytes are a manual event that is not set. */
struct sf_event {
  uint64_t opaque[2];
};

SF_IMPORT(sf_event_init) void sf_event_init(struct sf_event *event, uint32_t automatic);
SF_IMPORT(sf_event_set) void sf_event_set(struct sf_event *event);
SF_IMPORT(sf_event_reset) void sf_event_reset(struct sf_event *event);
SF_IMPORT(sf_event_is_set) int32_t sf_event_is_set(const struct sf_event *event);
SF_PARKS SF_IMPORT(sf_event_wait) int32_t sf_event_wait(struct sf_event *event);
SF_TIMED(sf_event_wait, (struct sf_event * event, sf_timeout_t timeout), (event))

/* A timer: an event that is set when the time comes. */
struct sf_timer {
  struct sf_event event; /* wait for it, or select it */
  uint64_t opaque[5];
};

/* Resets the event, and sets it when the time comes. A timer that runs is started anew. `timer` must
 * be zero before its first start, and stopped before its memory goes; on the stack of the calling
 * task the latter happens by itself. */
SF_IMPORT(sf_timer_start) void sf_timer_start(struct sf_timer *timer, sf_timeout_t timeout);

/* Returns 1 when it was stopped in time, 0 when it had fired or was not started. */
SF_IMPORT(sf_timer_stop) int32_t sf_timer_stop(struct sf_timer *timer);

/* ── Notify ────────────────────────────────────────────────────────────────────────────────────── */

/* Wakes tasks, and remembers nothing. All zero bytes are one without waiters. */
struct sf_notify {
  uint64_t opaque[1];
};

SF_PARKS SF_IMPORT(sf_notify_wait) int32_t sf_notify_wait(struct sf_notify *notify);
SF_TIMED(sf_notify_wait, (struct sf_notify * notify, sf_timeout_t timeout), (notify))

/* The longest waiting task, or all that wait now. Returns how many were woken. */
SF_IMPORT(sf_notify_one) uint32_t sf_notify_one(struct sf_notify *notify);
SF_IMPORT(sf_notify_all) uint32_t sf_notify_all(struct sf_notify *notify);

/* ── Barrier ───────────────────────────────────────────────────────────────────────────────────── */

struct sf_barrier {
  uint64_t opaque[3];
};

/* `parties` at least 1 (EINVAL). */
SF_IMPORT(sf_barrier_init) int32_t sf_barrier_init(struct sf_barrier *barrier, uint32_t parties);

/* Parks until `parties` tasks have come; then it can be used again. Returns 1 to the last that came
 * and 0 to the others. When a task that waits is canceled or times out the barrier is broken for
 * good: EPIPE for all others, now and later. */
SF_PARKS SF_IMPORT(sf_barrier_wait) int32_t sf_barrier_wait(struct sf_barrier *barrier);
SF_TIMED(sf_barrier_wait, (struct sf_barrier * barrier, sf_timeout_t timeout), (barrier))

/* ── Future ────────────────────────────────────────────────────────────────────────────────────── */

/* A value that is set once and read by any number of tasks: a oneshot channel. */
struct sf_future {
  uint64_t opaque[3];
};

/* `storage` holds value_bytes and belongs to the future. */
SF_IMPORT(sf_future_init)
void sf_future_init(struct sf_future *future, void *storage, uint32_t value_bytes);

/* EALREADY: it has a value or is closed. */
SF_IMPORT(sf_future_set) int32_t sf_future_set(struct sf_future *future, const void *value);

/* There will be no value: EPIPE for who waits. No effect when it has one. */
SF_IMPORT(sf_future_close) void sf_future_close(struct sf_future *future);

/* `value_out` may be NULL. */
SF_PARKS SF_IMPORT(sf_future_wait)
int32_t sf_future_wait(struct sf_future *future, void *value_out);
SF_TIMED(sf_future_wait, (struct sf_future * future, void *value_out, sf_timeout_t timeout),
         (future, value_out))

/* EAGAIN instead of waiting. */
SF_IMPORT(sf_future_try) int32_t sf_future_try(struct sf_future *future, void *value_out);

/* ── Once ──────────────────────────────────────────────────────────────────────────────────────── */

/* All zero bytes have not been run. */
struct sf_once {
  uint64_t opaque[2];
};

/* Returns 1 when the caller must do it now and then call sf_once_end, 0 when it is done; parks while
 * another task does it. EDEADLK: the caller is doing it. */
SF_PARKS SF_IMPORT(sf_once_begin) int32_t sf_once_begin(struct sf_once *once);

/* `done` 0: it failed, and the next task that waits or comes must do it. EPERM: not the caller's. */
SF_IMPORT(sf_once_end) int32_t sf_once_end(struct sf_once *once, uint32_t done);

/* Calls function(argument) unless that has succeeded (returned 0 or more) before. Returns 0, or this
 * call's error. */
SF_PARKS static inline int32_t sf_once(struct sf_once *once, sf_entry_fn function, void *argument) {
  int32_t mine = sf_once_begin(once);
  if (mine <= 0) return mine;
  int32_t result = function(argument);
  sf_once_end(once, result >= 0);
  return result < 0 ? result : 0;
}

/* ── Latch ─────────────────────────────────────────────────────────────────────────────────────── */

/* A counter to wait for: a latch, or Go's WaitGroup. All zero bytes are a count of 0. */
struct sf_latch {
  uint64_t opaque[2];
};

SF_IMPORT(sf_latch_init) void sf_latch_init(struct sf_latch *latch, uint32_t count);

/* Adds to the count, `by` may be negative; at 0 every wait returns. EINVAL: it would be negative or
 * above 2 ** 31 - 1; then it is unchanged. */
SF_IMPORT(sf_latch_add) int32_t sf_latch_add(struct sf_latch *latch, int32_t by);

static inline int32_t sf_latch_done(struct sf_latch *latch) { return sf_latch_add(latch, -1); }

/* Parks until the count is 0. */
SF_PARKS SF_IMPORT(sf_latch_wait) int32_t sf_latch_wait(struct sf_latch *latch);
SF_TIMED(sf_latch_wait, (struct sf_latch * latch, sf_timeout_t timeout), (latch))

/* ── Futex ─────────────────────────────────────────────────────────────────────────────────────── */

/* Parks if *word is still `expected`. EAGAIN: it is not. Wakes only for sf_futex_wake, a cancel or a
 * timeout. */
SF_PARKS SF_IMPORT(sf_futex_wait) int32_t sf_futex_wait(const uint32_t *word, uint32_t expected);
SF_TIMED(sf_futex_wait, (const uint32_t *word, uint32_t expected, sf_timeout_t timeout),
         (word, expected))

/* Wakes at most `count` tasks that wait at `word`, the longest waiting first; returns how many. */
SF_IMPORT(sf_futex_wake) uint32_t sf_futex_wake(const uint32_t *word, uint32_t count);

/* ── Ticker and rate limiter ───────────────────────────────────────────────────────────────────── */

/* Ticks every `period_ns`, measured from its start, without drift. The fields may be read. */
struct sf_ticker {
  uint64_t next_ns;
  uint64_t period_ns;
};

/* The first tick is one period from now. A period of 0 is 1 ns, one over 2 ** 62 ns is that. */
static inline void sf_ticker_start(struct sf_ticker *ticker, uint64_t period_ns) {
  uint64_t longest_ns = UINT64_C(1) << 62;
  ticker->period_ns = period_ns == 0 ? 1 : period_ns < longest_ns ? period_ns : longest_ns;
  ticker->next_ns = sf_monotonic_ns() + ticker->period_ns;
}

/* Takes the ticks that are due: how many, 0 when none is. For use after a select on
 * sf_on_timeout(sf_at(ticker.next_ns)). */
static inline int32_t sf_ticker_take(struct sf_ticker *ticker) {
  uint64_t now_ns = sf_now();
  if (now_ns < ticker->next_ns) return 0;
  uint64_t ticks = (now_ns - ticker->next_ns) / ticker->period_ns + 1;
  ticker->next_ns += ticks * ticker->period_ns;
  return ticks > INT32_MAX ? INT32_MAX : (int32_t)ticks;
}

/* Parks until the next tick. Returns 1, or more when ticks were missed: their number. Several tasks
 * may wait; each tick is one's. */
SF_PARKS static inline int32_t sf_ticker_wait(struct sf_ticker *ticker) {
  for (;;) {
    int32_t ticks = sf_ticker_take(ticker);
    if (ticks > 0) return ticks;
    int32_t error = sf_sleep_until(ticker->next_ns);
    if (error < 0) return error;
  }
}

/* A token bucket: one token every `interval_ns`, at most `burst` saved up. */
struct sf_limiter {
  struct sf_mutex turn;
  uint64_t interval_ns;
  uint64_t burst_ns;
  uint64_t full_at_ns; /* when the bucket would be full again */
};

/* Figures above it, 146 years, count as that. */
#define SF_LIMITER_MAX_NS (UINT64_C(1) << 62)

/* What `tokens` cost: the time in which they come in; UINT64_MAX when that is above the limit. */
static inline uint64_t sf_limiter_cost(const struct sf_limiter *limiter, uint32_t tokens) {
  uint64_t cost_ns;
  if (__builtin_mul_overflow(limiter->interval_ns, (uint64_t)tokens, &cost_ns)) return UINT64_MAX;
  return cost_ns <= SF_LIMITER_MAX_NS ? cost_ns : UINT64_MAX;
}

/* Starts with a full bucket. `burst` at least 1. */
static inline void sf_limiter_init(struct sf_limiter *limiter, uint64_t interval_ns,
                                   uint32_t burst) {
  sf_mutex_init(&limiter->turn);
  limiter->interval_ns = interval_ns < SF_LIMITER_MAX_NS ? interval_ns : SF_LIMITER_MAX_NS;
  uint64_t burst_ns = sf_limiter_cost(limiter, burst == 0 ? 1 : burst);
  limiter->burst_ns = burst_ns < SF_LIMITER_MAX_NS ? burst_ns : SF_LIMITER_MAX_NS;
  limiter->full_at_ns = 0;
}

/* Takes what `cost_ns` buys, whosever turn it is. */
static inline int32_t sf_limiter_take(struct sf_limiter *limiter, uint64_t cost_ns) {
  if (cost_ns > limiter->burst_ns) return -SF_EINVAL;
  uint64_t now_ns = sf_now();
  uint64_t full_at_ns = limiter->full_at_ns > now_ns ? limiter->full_at_ns : now_ns;
  if (full_at_ns + cost_ns > now_ns + limiter->burst_ns) return -SF_EAGAIN;
  limiter->full_at_ns = full_at_ns + cost_ns;
  return 0;
}

/* Takes `tokens` now, or -SF_EAGAIN: also while somebody waits for some. EINVAL: more than the burst. */
static inline int32_t sf_limiter_try_acquire(struct sf_limiter *limiter, uint32_t tokens) {
  uint64_t cost_ns = sf_limiter_cost(limiter, tokens);
  if (cost_ns > limiter->burst_ns) return -SF_EINVAL;
  if (sf_mutex_try_lock(&limiter->turn) < 0) return -SF_EAGAIN;
  int32_t error = sf_limiter_take(limiter, cost_ns);
  sf_mutex_unlock(&limiter->turn);
  return error;
}

/* Takes `tokens`, waiting for them; first come, first served. A canceled call takes none. */
SF_PARKS static inline int32_t sf_limiter_acquire(struct sf_limiter *limiter, uint32_t tokens) {
  uint64_t cost_ns = sf_limiter_cost(limiter, tokens);
  if (cost_ns > limiter->burst_ns) return -SF_EINVAL;
  int32_t error = sf_mutex_lock(&limiter->turn);
  if (error < 0) return error;
  while ((error = sf_limiter_take(limiter, cost_ns)) == -SF_EAGAIN) {
    error = sf_sleep_until(limiter->full_at_ns + cost_ns - limiter->burst_ns);
    if (error < 0) break;
  }
  sf_mutex_unlock(&limiter->turn);
  return error;
}
SF_TIMED(sf_limiter_acquire, (struct sf_limiter * limiter, uint32_t tokens, sf_timeout_t timeout),
         (limiter, tokens))

#endif

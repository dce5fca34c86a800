/* task.h - tasks: spawn, join, cancel, shield, yield, sleep, task-locals. */
#ifndef STACKFUL_TASK_H
#define STACKFUL_TASK_H

#include "time.h"

/* A task; 0 is none. Stays unique: a handle whose task is gone gives -SF_ESRCH, never another task. */
typedef uint64_t sf_task_t;

typedef int32_t (*sf_entry_fn)(void *argument);

struct sf_spawn_options {
  /* Rounded up to a power of two, 1 KiB to 8 MiB. 0: what the linker found that the entry needs at
   * most, and where it could not tell, the runtime's default. */
  uint32_t stack_bytes;
  const char *name; /* copied into the stack, at most 64 bytes; NULL: none */
};

/* Starts a task that runs entry(argument). It first runs after the caller parks or yields, after the
 * tasks that were ready before it. `options` may be NULL. `task_out` NULL: the task is detached.
 * Otherwise join or detach it.
 * Errors: EAGAIN when the runtime's tasksMax live, ENOMEM, EINVAL for a stack over 8 MiB. */
SF_IMPORT(sf_spawn)
int32_t sf_spawn(sf_entry_fn entry, void *argument, const struct sf_spawn_options *options,
                 sf_task_t *task_out);

/* Parks until sf_spawn of `entry` with `stack_bytes` (0: what it takes for that entry) probably
 * succeeds: fewer than tasksMax live, and memory for its stack is there. Each task that ends wakes one
 * that waits, in the order of their coming: whoever is woken and does not spawn passes nothing on. */
SF_PARKS SF_IMPORT(sf_spawn_room) int32_t sf_spawn_room(sf_entry_fn entry, uint32_t stack_bytes);

/* sf_spawn that waits for room instead of failing with EAGAIN or ENOMEM. */
SF_PARKS static inline int32_t sf_spawn_wait(sf_entry_fn entry, void *argument,
                                             const struct sf_spawn_options *options,
                                             sf_task_t *task_out) {
  for (;;) {
    int32_t error = sf_spawn(entry, argument, options, task_out);
    if (error != -SF_EAGAIN && error != -SF_ENOMEM) return error;
    error = sf_spawn_room(entry, options == NULL ? 0 : options->stack_bytes);
    if (error < 0) return error;
  }
}

/* Waits until the task has ended, puts what it returned into *result_out (may be NULL), and frees
 * it. Several may join one task; all get the result.
 * A cancel of the joiner is passed on to the task that is joined; the join still waits for it and
 * returns its result, and the joiner's next cancel point returns -SF_ECANCELED. A timeout scope that
 * expires does the same.
 * Errors: ESRCH; EDEADLK for oneself; EINVAL when detached; ENOTRECOVERABLE when the task trapped. */
SF_PARKS SF_IMPORT(sf_join) int32_t sf_join(sf_task_t task, int32_t *result_out);

/* Waits as sf_join does, but is a cancel point, cancels nobody, and does not free the task: it can
 * be waited for again. Free it with sf_join or sf_detach. */
SF_PARKS SF_IMPORT(sf_task_wait) int32_t sf_task_wait(sf_task_t task, int32_t *result_out);
SF_TIMED(sf_task_wait, (sf_task_t task, int32_t *result_out, sf_timeout_t timeout),
         (task, result_out))

/* The same without waiting: -SF_EAGAIN while the task lives. */
SF_IMPORT(sf_task_poll) int32_t sf_task_poll(sf_task_t task, int32_t *result_out);

/* The task frees itself when it ends. Errors: ESRCH, EINVAL when it is detached already. */
SF_IMPORT(sf_detach) int32_t sf_detach(sf_task_t task);

/* Requests that the task's next cancel point return -SF_ECANCELED, or the one it is parked at. Does
 * not wait. Requests made before it noticed one are that one. A task that has not run yet runs up to
 * its first cancel point. Errors: ESRCH. */
SF_IMPORT(sf_cancel) int32_t sf_cancel(sf_task_t task);

/* While shielded a task has no cancel points: requests, and timeouts that expire, stay pending until
 * after the last sf_shield_end. Nests, at most 255 deep (then traps). */
SF_IMPORT(sf_shield_begin) void sf_shield_begin(void);
SF_IMPORT(sf_shield_end) void sf_shield_end(void);

/* Requests a cancel, then waits for the task's end whatever happens, and frees it. */
SF_PARKS static inline int32_t sf_cancel_wait(sf_task_t task, int32_t *result_out) {
  int32_t error = sf_cancel(task);
  if (error < 0) return error;
  sf_shield_begin();
  error = sf_join(task, result_out);
  sf_shield_end();
  return error;
}

/* A cancel point that does nothing else and never parks: -SF_ECANCELED once per request, else 0. */
SF_IMPORT(sf_checkpoint) int32_t sf_checkpoint(void);

/* Takes back that -SF_ECANCELED was noticed: the next cancel point returns it again. For code that
 * has to finish something first. */
SF_IMPORT(sf_recancel) void sf_recancel(void);

/* The calling task; 0 when none is running. */
SF_IMPORT(sf_self) sf_task_t sf_self(void);

/* Copies at most `bytes_max` bytes of the task's name, unterminated; returns the name's length. */
SF_IMPORT(sf_task_name) int32_t sf_task_name(sf_task_t task, char *name_out, uint32_t bytes_max);

/* Goes to the end of the ready queue. Returns at once when nobody else is ready and the turn is not
 * over. */
SF_PARKS SF_IMPORT(sf_yield) int32_t sf_yield(void);

/* Yields once the turn's budget is used up, of which every call takes one unit. For loops that
 * compute: they stay polite at the price of a few instructions. */
SF_PARKS SF_IMPORT(sf_maybe_yield) int32_t sf_maybe_yield(void);

/* Parks for at least `duration_ns`. */
SF_PARKS SF_IMPORT(sf_sleep) int32_t sf_sleep(uint64_t duration_ns);

/* Parks until sf_monotonic_ns() >= deadline_ns. */
SF_PARKS SF_IMPORT(sf_sleep_until) int32_t sf_sleep_until(uint64_t deadline_ns);

/* Parks until somebody unparks this task. One sf_unpark that came before is remembered. */
SF_PARKS SF_IMPORT(sf_park) int32_t sf_park(void);
SF_TIMED(sf_park, (sf_timeout_t timeout), ())

/* Errors: ESRCH. */
SF_IMPORT(sf_unpark) int32_t sf_unpark(sf_task_t task);

/* ── Task-locals ───────────────────────────────────────────────────────────────────────────────── */

/* A binding of `key` to `value` for one task. The storage is the caller's and must outlive the
 * binding; bindings that are left when the task ends go with it. The fields are the core's. */
struct sf_local {
  struct sf_local *next;
  const void *key;
  void *value;
};

/* Binds `key`, any address, for the calling task; hides an earlier binding of it. */
SF_IMPORT(sf_local_set) void sf_local_set(struct sf_local *local, const void *key, void *value);

/* Takes back a binding, the newest or another one. */
SF_IMPORT(sf_local_clear) void sf_local_clear(struct sf_local *local);

/* What the calling task's newest binding of `key` holds; NULL when there is none. */
SF_IMPORT(sf_local_get) void *sf_local_get(const void *key);

#endif

/* select.h - waiting for several things at once. */
#ifndef STACKFUL_SELECT_H
#define STACKFUL_SELECT_H

#include "channel.h"
#include "group.h"
#include "process.h"
#include "sync.h"

/* Arms are made by the functions below, in an array of the caller's, and made anew for each select:
 *
 *   struct sf_arm arms[] = {sf_on_receive(&jobs, &job), sf_on_event(&stop), sf_on_timeout(sf_after(t))};
 *   int32_t which = sf_select(arms, 3);
 *
 * An arm has its effect (an item taken, a permit, a signal) if and only if select returns its index;
 * arms[which].waiter.result then is what the source's own call would have returned. */

/* Waits until one arm is ready, and returns its index. Of several that are ready the first counts.
 * A cancel that comes when an arm has won stays pending. With no arms it waits for a cancel.
 * Errors: ECANCELED, EINVAL for an arm of no known source. */
SF_PARKS SF_IMPORT(sf_select) int32_t sf_select(struct sf_arm *arms, uint32_t arms_count);
SF_TIMED(sf_select, (struct sf_arm * arms, uint32_t arms_count, sf_timeout_t timeout),
         (arms, arms_count))

/* The same, but of several that are ready the first after the one that *turn remembers counts: that
 * which a call of this place in the program found ready last. *turn is the caller's, 0 at first. So no
 * ready arm is passed over for more than arms_count calls. */
SF_PARKS SF_IMPORT(sf_select_fair)
int32_t sf_select_fair(struct sf_arm *arms, uint32_t arms_count, uint32_t *turn);

/* EAGAIN instead of waiting. */
SF_IMPORT(sf_select_try) int32_t sf_select_try(struct sf_arm *arms, uint32_t arms_count);

#define SF_ARM_FUNCTION(name, parameters, ...)                       \
  static inline struct sf_arm name parameters {                      \
    struct sf_arm arm = {__VA_ARGS__};                               \
    return arm;                                                      \
  }

/* `item_out` is written when the arm wins. */
SF_ARM_FUNCTION(sf_on_receive, (struct sf_channel * channel, void *item_out),
                .waiter = {.item = item_out}, .source = SF_ARM_RECEIVE, .object = channel)

SF_ARM_FUNCTION(sf_on_send, (struct sf_channel * channel, const void *item),
                .waiter = {.item = (void *)item}, .source = SF_ARM_SEND, .object = channel)

/* The task's end, as sf_task_wait. */
SF_ARM_FUNCTION(sf_on_task, (sf_task_t task, int32_t *result_out), .waiter = {.item = result_out},
                .source = SF_ARM_TASK, .value = task)

/* As sf_group_wait, but cancels nobody. */
SF_ARM_FUNCTION(sf_on_group, (struct sf_group * group), .source = SF_ARM_GROUP, .object = group)

SF_ARM_FUNCTION(sf_on_broadcast,
                (struct sf_broadcast * broadcast, struct sf_consumer *consumer, void *item_out),
                .waiter = {.item = item_out, .count = (uint32_t)(uintptr_t)consumer},
                .source = SF_ARM_BROADCAST, .object = broadcast)

SF_ARM_FUNCTION(sf_on_watch, (struct sf_watch * watch, uint32_t *seen, void *value_out),
                .waiter = {.item = value_out, .count = (uint32_t)(uintptr_t)seen},
                .source = SF_ARM_WATCH, .object = watch)

SF_ARM_FUNCTION(sf_on_event, (struct sf_event * event), .source = SF_ARM_EVENT, .object = event)

SF_ARM_FUNCTION(sf_on_timer, (struct sf_timer * timer), .source = SF_ARM_EVENT,
                .object = &timer->event)

SF_ARM_FUNCTION(sf_on_notify, (struct sf_notify * notify), .source = SF_ARM_NOTIFY,
                .object = notify)

SF_ARM_FUNCTION(sf_on_future, (struct sf_future * future, void *value_out),
                .waiter = {.item = value_out}, .source = SF_ARM_FUTURE, .object = future)

SF_ARM_FUNCTION(sf_on_semaphore, (struct sf_semaphore * semaphore, uint32_t permits),
                .waiter = {.count = permits}, .source = SF_ARM_SEMAPHORE, .object = semaphore)

SF_ARM_FUNCTION(sf_on_latch, (struct sf_latch * latch), .source = SF_ARM_LATCH, .object = latch)

/* Ready when the time is up; SF_NEVER never is. Its result is 0. */
SF_ARM_FUNCTION(sf_on_timeout, (sf_timeout_t timeout), .source = SF_ARM_TIMEOUT, .value = timeout)

SF_ARM_FUNCTION(sf_on_signal, (struct sf_signal * signal), .source = SF_ARM_SIGNAL,
                .object = signal)

/* A started operation's end: it goes on when another arm wins. */
SF_ARM_FUNCTION(sf_on_operation, (struct sf_operation * operation), .source = SF_ARM_OPERATION,
                .object = operation)

/* ── Sources of one's own ──────────────────────────────────────────────────────────────────────── */

struct sf_source;

/* Returns the arm's result when the source is ready, and takes its effect; else -SF_EAGAIN. Must not
 * park, and must not use other objects of the core. */
typedef int32_t (*sf_poll_fn)(struct sf_source *source, void *item);

/* Something that a program of its own makes wait-able. All fields zero but `poll`. */
struct sf_source {
  sf_poll_fn poll;
  uint32_t reserved;
  uint64_t opaque[1];
};

SF_ARM_FUNCTION(sf_on_source, (struct sf_source * source, void *item), .waiter = {.item = item},
                .source = SF_ARM_SOURCE, .object = source)

/* Says that the source may be ready: polls it for those that wait, in their order, until it is not.
 * Returns how many it served. */
SF_IMPORT(sf_source_notify) uint32_t sf_source_notify(struct sf_source *source);

/* Waits for the source alone. */
SF_PARKS static inline int32_t sf_source_wait(struct sf_source *source, void *item) {
  struct sf_arm arm = sf_on_source(source, item);
  int32_t which = sf_select(&arm, 1);
  return which < 0 ? which : arm.waiter.result;
}
SF_TIMED(sf_source_wait, (struct sf_source * source, void *item, sf_timeout_t timeout),
         (source, item))

/* ── Timed waits that end nothing but the wait ─────────────────────────────────────────────────── */

/* As sf_join, but when the time is up the task goes on, -SF_ETIMEDOUT. */
SF_PARKS static inline int32_t sf_join_timeout(sf_task_t task, int32_t *result_out,
                                               sf_timeout_t timeout) {
  int32_t error = sf_task_wait_timeout(task, result_out, timeout);
  if (error == 0 || error == -SF_ENOTRECOVERABLE) sf_detach(task);
  return error;
}

/* As sf_group_wait, but when the time is up, or the caller is canceled, the members go on. */
SF_PARKS static inline int32_t sf_group_wait_timeout(struct sf_group *group, sf_timeout_t timeout) {
  struct sf_arm arm = sf_on_group(group);
  int32_t which = sf_select_timeout(&arm, 1, timeout);
  return which < 0 ? which : arm.waiter.result;
}

#endif

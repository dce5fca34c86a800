/* event.c - events, timers (events that set themselves), notifications and latches. */
#include "task.h"

struct event {
  struct sf_wait_queue waiters;
  uint8_t set;
  uint8_t automatic;
  uint8_t reserved[6];
};

_Static_assert(sizeof(struct event) == 16, "sync.h reserves 16 bytes");

struct timer {
  struct event event;
  struct sf_timer_node node;
  struct attachment attachment;
};

_Static_assert(sizeof(struct timer) == 56, "sync.h reserves 56 bytes");

EXPORT(sf_event_init) void sf_event_init(struct event *event, uint32_t automatic) {
  __builtin_memset(event, 0, sizeof(*event));
  event->automatic = automatic != 0;
}

EXPORT(sf_event_set) void sf_event_set(struct event *event) {
  struct core *core = core_get();
  if (!event->automatic) {
    event->set = 1;
    wait_queue_wake_all(core, &event->waiters, 0);
  } else if (event->waiters.first != NULL) {
    waiter_wake(core, wait_queue_pop(&event->waiters), 0);
  } else {
    event->set = 1;
  }
}

EXPORT(sf_event_reset) void sf_event_reset(struct event *event) { event->set = 0; }

EXPORT(sf_event_is_set) int32_t sf_event_is_set(const struct event *event) { return event->set; }

INLINE int32_t event_try(struct event *event) {
  if (!event->set) return -SF_EAGAIN;
  if (event->automatic) event->set = 0;
  return 0;
}

EXPORT(sf_event_wait) int32_t sf_event_wait(struct event *event) {
  RETURN_IF_RESUMED();
  if (event_try(event) == 0) return 0;
  return park_in(&event->waiters, NULL, 0, 0, SF_WAIT_EVENT, event);
}

static void timer_stop(struct core *core, struct timer *timer) {
  timer_disarm(core, &timer->node);
  detach(&timer->attachment);
}

EXPORT(sf_timer_start) void sf_timer_start(struct timer *timer, uint64_t timeout) {
  struct core *core = core_get();
  struct sf_task *self = current_get();
  timer_stop(core, timer);
  timer->event.set = 0;
  if (!timer_arm_for(core, &timer->node, TIMER_EVENT, timeout))
    sf_event_set(&timer->event);
  else if (self != NULL && in_stack_of(self, timer))
    attach(&timer->attachment, self, ATTACHED_TIMER);
}

EXPORT(sf_timer_stop) int32_t sf_timer_stop(struct timer *timer) {
  int32_t armed = (timer->node.kind & TIMER_ARMED) != 0;
  timer_stop(core_get(), timer);
  return armed;
}

static void timer_event_fire(struct sf_timer_node *node) {
  struct timer *timer = CONTAINER_OF(node, struct timer, node);
  detach(&timer->attachment);
  sf_event_set(&timer->event);
}

EXPORT(sf_notify_wait) int32_t sf_notify_wait(struct sf_wait_queue *notify) {
  RETURN_IF_RESUMED();
  touch(notify, sizeof(*notify));
  return park_in(notify, NULL, 0, 0, SF_WAIT_NOTIFY, notify);
}

EXPORT(sf_notify_one) uint32_t sf_notify_one(struct sf_wait_queue *notify) {
  if (notify->first == NULL) return 0;
  waiter_wake(core_get(), wait_queue_pop(notify), 0);
  return 1;
}

EXPORT(sf_notify_all) uint32_t sf_notify_all(struct sf_wait_queue *notify) {
  return wait_queue_wake_all(core_get(), notify, 0);
}

struct latch {
  struct sf_wait_queue waiters;
  uint32_t count;
  uint32_t reserved;
};

_Static_assert(sizeof(struct latch) == 16, "sync.h reserves 16 bytes");

EXPORT(sf_latch_init) void sf_latch_init(struct latch *latch, uint32_t count) {
  __builtin_memset(latch, 0, sizeof(*latch));
  latch->count = count;
}

EXPORT(sf_latch_add) int32_t sf_latch_add(struct latch *latch, int32_t by) {
  int64_t count = (int64_t)latch->count + by;
  if (count < 0 || (by > 0 && count > INT32_MAX)) return -SF_EINVAL;
  latch->count = (uint32_t)count;
  if (count == 0) wait_queue_wake_all(core_get(), &latch->waiters, 0);
  return 0;
}

INLINE int32_t latch_try(const struct latch *latch) {
  return latch->count == 0 ? 0 : -SF_EAGAIN;
}

EXPORT(sf_latch_wait) int32_t sf_latch_wait(struct latch *latch) {
  RETURN_IF_RESUMED();
  if (latch_try(latch) == 0) return 0;
  return park_in(&latch->waiters, NULL, 0, 0, SF_WAIT_LATCH, latch);
}

/* select.c - waiting for several things at once, for tasks and for the host.
 *
 * The arms lie in the caller's memory. First each is tried, in order: one that is ready has its effect
 * and nothing has been queued. Else all are queued, every one through its own waiter, whose `task`
 * leads to the owner: the waiter of the task, or one of the host. Whoever serves an arm takes the
 * others out of their queues at once. So an arm has an effect if and only if it wins.
 */
#include "task.h"

struct source {
  int32_t (*poll)(struct source *source, void *item);
  uint32_t reserved;
  struct sf_wait_queue waiters;
};

_Static_assert(sizeof(struct source) == 16, "select.h reserves 16 bytes");

/* The guest's own function: it must not park, because the core could not go on where it was. The linker
 * knows this one by its name: it is not inlined, and not instrumented, so neither is what calls it. */
COLD static int32_t sf_source_poll(struct source *source, void *item) {
  uint32_t phase = phase_get();
  phase_set(PHASE_NESTED);
  int32_t result = source->poll(source, item);
  phase_set(phase);
  return result;
}

INLINE struct sf_arm *arm_of(const struct sf_waiter *waiter) {
  return CONTAINER_OF(waiter, struct sf_arm, waiter);
}

/* The result when the arm is ready, then it has had its effect; else -EAGAIN. */
static int32_t arm_try(struct core *core, struct sf_arm *arm) {
  void *object = arm->object;
  void *item = arm->waiter.item;
  uint32_t count = arm->waiter.count;
  switch (arm->source) {
    case SF_ARM_RECEIVE:
      return sf_channel_try_receive(object, item);
    case SF_ARM_SEND:
      return sf_channel_try_send(object, item);
    case SF_ARM_TASK: {
      struct sf_task *task;
      int32_t error = task_find_joinable(core, arm->value, &task);
      return error < 0 ? error : task_outcome(task, item);
    }
    case SF_ARM_GROUP: {
      struct sf_task *self = current_get();
      if (((struct group *)object)->live == 0) return group_take_error(object);
      return self != NULL && self->group == object ? -SF_EDEADLK : -SF_EAGAIN;
    }
    case SF_ARM_BROADCAST:
      return broadcast_try(object, (struct consumer *)count, item);
    case SF_ARM_WATCH:
      return watch_try(object, (uint32_t *)count, item);
    case SF_ARM_EVENT:
      return event_try(object);
    case SF_ARM_FUTURE:
      return sf_future_try(object, item);
    case SF_ARM_SEMAPHORE:
      return semaphore_try(object, count);
    case SF_ARM_LATCH:
      return latch_try(object);
    case SF_ARM_TIMEOUT:
      return arm->value == TIMEOUT_DURATION || arm->value <= core->shared.now_ns ? 0 : -SF_EAGAIN;
    case SF_ARM_SIGNAL:
      return signal_try(object);
    case SF_ARM_OPERATION:
      return operation_try(object);
    case SF_ARM_SOURCE:
      return sf_source_poll(object, item);
    default:
      return -SF_EAGAIN;
  }
}

/* Where the arm's waiter stands in line; NULL: nowhere. */
NOINLINE static struct sf_wait_queue *arm_queue(const struct sf_arm *arm) {
  void *object = arm->object;
  switch (arm->source) {
    case SF_ARM_RECEIVE:
      return &((struct sf_channel *)object)->receivers;
    case SF_ARM_SEND:
      return &((struct sf_channel *)object)->senders;
    case SF_ARM_TASK:
      return &((struct sf_task *)(uint32_t)arm->value)->joiners;
    case SF_ARM_GROUP:
      return &((struct group *)object)->waiters;
    case SF_ARM_BROADCAST:
      return &((struct broadcast *)object)->consumers;
    case SF_ARM_WATCH:
      return &((struct watch *)object)->readers;
    case SF_ARM_EVENT:
      return &((struct event *)object)->waiters;
    case SF_ARM_NOTIFY:
      return object;
    case SF_ARM_FUTURE:
      return &((struct future *)object)->waiters;
    case SF_ARM_SEMAPHORE:
      return &((struct semaphore *)object)->waiters;
    case SF_ARM_LATCH:
      return &((struct latch *)object)->waiters;
    case SF_ARM_SIGNAL:
      return &signal_state((uint32_t)arm->value)->waiters; /* See arms_enter. */
    case SF_ARM_OPERATION:
      return &((struct operation *)object)->waiters;
    case SF_ARM_SOURCE:
      return &((struct source *)object)->waiters;
    default:
      return NULL;
  }
}

/* Traps where a pointer is wild: the task that serves the arm must not. Returns 0 for an arm that
 * cannot be waited for. */
NOINLINE static uint32_t arm_check(const struct sf_arm *arm) {
  const void *item = arm->waiter.item;
  switch (arm->source) {
    case SF_ARM_RECEIVE:
    case SF_ARM_SEND:
      touch(item, ((struct sf_channel *)arm->object)->item_bytes);
      return 1;
    case SF_ARM_BROADCAST:
      touch((void *)arm->waiter.count, sizeof(struct consumer));
      touch(item, ((struct broadcast *)arm->object)->item_bytes);
      return 1;
    case SF_ARM_WATCH:
      touch((void *)arm->waiter.count, sizeof(uint32_t));
      if (item != NULL) touch(item, ((struct watch *)arm->object)->value_bytes);
      return 1;
    case SF_ARM_FUTURE:
      if (item != NULL) touch(item, ((struct future *)arm->object)->value_bytes);
      return 1;
    case SF_ARM_TASK:
      if (item != NULL) touch(item, sizeof(int32_t));
      return 1;
    case SF_ARM_NOTIFY:
      touch(arm->object, sizeof(struct sf_wait_queue));
      return 1;
    default:
      return arm->source <= SF_ARM_SOURCE;
  }
}

/* Takes the arms of a select out of their queues, `except` that which has left its own. Who stands
 * behind one at a semaphore may be next, but only once all have left: hence the list. */
static void arms_take_out(struct core *core, struct sf_waiter *owner,
                          const struct sf_waiter *except, struct semaphore **to_serve) {
  struct sf_arm *arms = owner->item;
  for (uint32_t i = 0; i < owner->count; i++) {
    struct sf_arm *arm = &arms[i];
    if (&arm->waiter == except) continue;
    if (arm->source == SF_ARM_TIMEOUT) timer_disarm(core, &arm->timer);
    struct sf_wait_queue *queue = arm_queue(arm);
    if (queue != NULL) wait_queue_remove(queue, &arm->waiter);
    if (arm->source == SF_ARM_SEMAPHORE) semaphore_list(arm->object, to_serve);
  }
}

/* Ends the wait of a waiter that is no task's. */
static void waiter_end(struct core *core, struct sf_waiter *waiter, struct semaphore **to_serve) {
  if (address_of(waiter->task) != HOST_WAITER) {
    /* An arm has won. */
    struct sf_waiter *owner = (struct sf_waiter *)(address_of(waiter->task) - 1);
    arms_take_out(core, owner, waiter, to_serve);
    owner->result = arm_of(waiter) - (struct sf_arm *)owner->item;
    waiter = owner;
  }
  if (waiter_is_task(waiter)) {
    ready_push(core, waiter->task);
  } else {
    waiter->next = core->shared.signaled;
    core->shared.signaled = waiter;
  }
}

/* Serving one waiter may take others out of the queues of other semaphores, and so on: in a list, as
 * that may go as far as there are tasks. */
static void semaphores_serve(struct core *core, struct semaphore *to_serve) {
  while (to_serve != SEMAPHORES_END) {
    struct semaphore *semaphore = to_serve;
    to_serve = semaphore->next;
    semaphore->next = NULL;
    struct sf_waiter *waiter;
    while ((waiter = semaphore_grant(semaphore)) != NULL) {
      if (waiter_is_task(waiter))
        ready_push(core, waiter->task);
      else
        waiter_end(core, waiter, &to_serve);
    }
  }
}

static void semaphore_serve(struct core *core, void *semaphore) {
  struct semaphore *to_serve = SEMAPHORES_END;
  semaphore_list(semaphore, &to_serve);
  semaphores_serve(core, to_serve);
}

static void arms_leave(struct core *core, struct sf_waiter *owner) {
  struct semaphore *to_serve = SEMAPHORES_END;
  arms_take_out(core, owner, NULL, &to_serve);
  semaphores_serve(core, to_serve);
}

NOINLINE static void waiter_ready_elsewhere(struct core *core, struct sf_waiter *waiter) {
  struct semaphore *to_serve = SEMAPHORES_END;
  waiter_end(core, waiter, &to_serve);
  semaphores_serve(core, to_serve);
}

/* Tries the arms from `first` on; the index of the one that won, -EAGAIN or -EINVAL. */
static int32_t arms_try(struct core *core, struct sf_arm *arms, uint32_t arms_count,
                        uint32_t first) {
  for (uint32_t i = 0; i < arms_count; i++)
    if (!arm_check(&arms[i])) return -SF_EINVAL;
  for (uint32_t i = 0; i < arms_count; i++) {
    uint32_t index = first + i < arms_count ? first + i : first + i - arms_count;
    struct sf_arm *arm = &arms[index];
    int32_t result = arm_try(core, arm);
    if (result == -SF_EAGAIN) continue;
    arm->waiter.result = result;
    return (int32_t)index;
  }
  return -SF_EAGAIN;
}

/* All of them together, or none. */
NOINLINE static void arms_enter(struct core *core, struct sf_arm *arms, uint32_t arms_count,
                       struct sf_waiter *owner) {
  for (uint32_t i = 0; i < arms_count; i++) {
    struct sf_arm *arm = &arms[i];
    /* It may be unwatched, or watch another one, while it waits. */
    if (arm->source == SF_ARM_SIGNAL) arm->value = ((struct signal *)arm->object)->kind;
    struct sf_wait_queue *queue = arm_queue(arm);
    if (queue == NULL) continue;
    /* Nothing may trap below, when some are queued already. */
    touch(queue, sizeof(*queue));
    if (queue->last != NULL) touch(queue->last, sizeof(*queue->last));
  }
  owner->item = arms;
  owner->count = arms_count;
  for (uint32_t i = 0; i < arms_count; i++) {
    struct sf_arm *arm = &arms[i];
    struct sf_waiter *waiter = &arm->waiter;
    waiter->task = (struct sf_task *)(address_of(owner) + 1);
    waiter->result = 0;
    if (arm->source == SF_ARM_TIMEOUT)
      timer_arm_for(core, &arm->timer, TIMER_ARM, arm->value);
    if (arm->source == SF_ARM_SEND) waiter->count = 1;
    if (arm->source == SF_ARM_SIGNAL) waiter->item = arm->object;
    struct sf_wait_queue *queue = arm_queue(arm);
    if (queue != NULL) wait_queue_push(queue, waiter);
  }
}

INLINE int32_t select_park(struct core *core, struct sf_arm *arms, uint32_t arms_count) {
  struct sf_task *self = self_to_park();
  RETURN_IF_CANCELED(self);
  arms_enter(core, arms, arms_count, &self->waiter);
  return park(self, SF_WAIT_SELECT, arms_count);
}

INLINE uint32_t arms_fit(const struct sf_arm *arms, uint32_t arms_count) {
  if (arms_count > INT32_MAX / sizeof(*arms)) return 0;
  if (arms_count != 0) touch(arms, arms_count * sizeof(*arms));
  return 1;
}

EXPORT(sf_select) int32_t sf_select(struct sf_arm *arms, uint32_t arms_count) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  if (!arms_fit(arms, arms_count)) return -SF_EINVAL;
  int32_t index = arms_try(core, arms, arms_count, 0);
  if (index != -SF_EAGAIN) return index;
  return select_park(core, arms, arms_count);
}

EXPORT(sf_select_fair)
int32_t sf_select_fair(struct sf_arm *arms, uint32_t arms_count, uint32_t *turn) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  if (!arms_fit(arms, arms_count)) return -SF_EINVAL;
  int32_t index = arms_try(core, arms, arms_count, *turn < arms_count ? *turn : 0);
  if (index >= 0) *turn = (uint32_t)index + 1;
  if (index != -SF_EAGAIN) return index;
  return select_park(core, arms, arms_count);
}

EXPORT(sf_select_try) int32_t sf_select_try(struct sf_arm *arms, uint32_t arms_count) {
  if (!arms_fit(arms, arms_count)) return -SF_EINVAL;
  return arms_try(core_get(), arms, arms_count, 0);
}

/* Whether an arm waits on something in the stack of a task. */
static uint32_t arms_use(const struct sf_waiter *owner, const struct sf_task *stack) {
  const struct sf_arm *arms = owner->item;
  for (uint32_t i = 0; i < owner->count; i++)
    if (in_stack_of(stack, arms[i].object)) return 1;
  return 0;
}

EXPORT(sf_source_notify) uint32_t sf_source_notify(struct source *source) {
  struct core *core = core_get();
  uint32_t served = 0;
  while (source->waiters.first != NULL) {
    struct sf_waiter *waiter = source->waiters.first;
    int32_t result = sf_source_poll(source, waiter->item);
    if (result == -SF_EAGAIN || source->waiters.first != waiter) break;
    wait_queue_pop(&source->waiters);
    waiter_wake(core, waiter, result);
    served++;
  }
  return served;
}

/* The host's select: as sf_select, but -EAGAIN says that `owner` (task: 1) is queued; it comes back in
 * sf_shared.signaled with the index as its result, unless stackful_select_forget takes it out first. */
EXPORT(stackful_select)
int32_t stackful_select(struct sf_arm *arms, uint32_t arms_count, struct sf_waiter *owner) {
  struct core *core = core_get();
  int32_t index = arms_try(core, arms, arms_count, 0);
  if (index == -SF_EAGAIN) arms_enter(core, arms, arms_count, owner);
  return index;
}

/* `owner` must still be queued: the host asks only before it has come back. */
EXPORT(stackful_select_forget) void stackful_select_forget(struct sf_waiter *owner) {
  arms_leave(core_get(), owner);
}

/* group.c - groups of tasks that are waited for, and canceled, together.
 *
 * A group knows its members through a list in their control blocks. It counts as drained when the
 * last has ended: then those that wait get its first error, and it is as new.
 */
#include "task.h"

struct group {
  struct attachment attachment;
  struct sf_task *members;
  uint32_t live;
  uint32_t running; /* of them: not in the line below */
  uint32_t running_max; /* 0: any number */
  struct sf_task *line_first; /* members that wait for their turn to start, linked through `next` */
  struct sf_task *line_last;
  struct sf_wait_queue waiters;
  struct sf_wait_queue spawners; /* wait for room */
  int32_t error;
  uint16_t flags;
  uint16_t canceling;
};

_Static_assert(sizeof(struct group) == 64, "group.h reserves 64 bytes");

#define GROUP_FAIL_FAST 1u

EXPORT(sf_group_init)
void sf_group_init(struct group *group, uint32_t running_max, uint32_t flags) {
  __builtin_memset(group, 0, sizeof(*group));
  group->running_max = running_max;
  group->flags = (uint16_t)flags;
}

INLINE uint32_t group_is_full(const struct group *group) {
  return group->running_max != 0 && group->running >= group->running_max;
}

/* Ties the group to the task on whose stack it lies, mostly the caller, so that it goes with it. */
COLD static void group_attach(struct core *core, struct group *group) {
  if (address_of(group) < address_of(core)) return; /* The guest's own memory. */
  struct sf_task *owner = current_get();
  if (owner == NULL || !in_stack_of(owner, group)) owner = core->shared.all;
  while (owner != NULL && !in_stack_of(owner, group)) owner = owner->all_next;
  if (owner != NULL) attach(&group->attachment, owner, ATTACHED_GROUP);
}

EXPORT(sf_group_spawn)
int32_t sf_group_spawn(struct group *group, uint32_t entry, uint32_t argument,
                       const struct sf_spawn_options *options, int32_t *result_out) {
  struct core *core = core_get();
  if (group->canceling) return -SF_ECANCELED;
  if (result_out != NULL) touch(result_out, sizeof(*result_out));
  if (group->members != NULL) touch(group->members, sizeof(struct sf_task));
  if (group->line_last != NULL) touch(group->line_last, sizeof(struct sf_task));
  struct sf_task *task;
  int32_t error = spawn(core, entry, argument, options, SF_TASK_DETACHED, &task);
  if (error < 0) return error;
  if (group->live++ == 0) group_attach(core, group);
  task->group = group;
  task->group_result = result_out;
  task->group_previous = NULL;
  task->group_next = group->members;
  if (task->group_next != NULL) task->group_next->group_previous = task;
  group->members = task;
  if (!group_is_full(group)) {
    group->running++;
    ready_push(core, task);
    return 0;
  }
  task->next = NULL;
  if (group->line_first == NULL)
    group->line_first = task;
  else
    group->line_last->next = task;
  group->line_last = task;
  return 0;
}

COLD static void group_cancel_members(struct core *core, void *object, struct sf_task **chain) {
  struct group *group = object;
  if (group->live == 0) return;
  group->canceling = 1;
  for (struct sf_task *task = group->members; task != NULL; task = task->group_next)
    cancel_one(core, task, chain);
}

COLD static void group_cancel_all(struct core *core, struct group *group) {
  struct sf_task *chain = NULL;
  group_cancel_members(core, group, &chain);
  requests_pass_on(core, chain);
}

/* Returns the first error and forgets it. */
INLINE int32_t group_take_error(struct group *group) {
  int32_t error = group->error;
  group->error = 0;
  return error;
}

static void group_drained(struct core *core, struct group *group) {
  detach(&group->attachment);
  group->canceling = 0;
  wait_queue_wake_all(core, &group->spawners, 0);
  if (group->waiters.first == NULL) return;
  int32_t error = group_take_error(group);
  while (group->waiters.first != NULL) {
    struct sf_waiter *waiter = wait_queue_pop(&group->waiters);
    if (waiter->result == 0) waiter->result = error;
    waiter_ready(core, waiter);
  }
}

static void group_member_ended(struct core *core, struct sf_task *task, int32_t result) {
  struct group *group = task->group;
  task->group = NULL;
  if (task->group_previous == NULL)
    group->members = task->group_next;
  else
    task->group_previous->group_next = task->group_next;
  if (task->group_next != NULL) task->group_next->group_previous = task->group_previous;
  if (task->group_result != NULL) *task->group_result = result;

  if (result < 0 && result != -SF_ECANCELED && group->error == 0) {
    group->error = result;
    if (group->flags & GROUP_FAIL_FAST) group_cancel_all(core, group);
  }
  group->running--;
  if (group->line_first != NULL) {
    struct sf_task *next = group->line_first;
    group->line_first = next->next;
    group->running++;
    ready_push(core, next);
  } else if (group->spawners.first != NULL) {
    waiter_wake(core, wait_queue_pop(&group->spawners), 0);
  }
  if (--group->live == 0) group_drained(core, group);
}

/* The group goes with the stack it lies on; its members are canceled and end on their own. */
COLD static void group_orphan(struct core *core, struct group *group) {
  group_cancel_all(core, group);
  detach(&group->attachment);
  while (group->members != NULL) {
    struct sf_task *task = group->members;
    group->members = task->group_next;
    task->group = NULL;
  }
  while (group->line_first != NULL) {
    struct sf_task *task = group->line_first;
    group->line_first = task->next;
    ready_push(core, task);
  }
  wait_queue_wake_all(core, &group->waiters, -SF_EOWNERDEAD);
  wait_queue_wake_all(core, &group->spawners, -SF_EOWNERDEAD);
}

EXPORT(sf_group_room) int32_t sf_group_room(struct group *group) {
  RETURN_IF_RESUMED();
  if (!group_is_full(group)) return 0;
  return park_in(&group->spawners, NULL, 0, 0, SF_WAIT_GROUP_ROOM, group);
}

/* `by`: whose request has been noticed already. */
INLINE int32_t group_park(struct sf_task *self, struct group *group, uint32_t wait, uint32_t by) {
  self->waiter.result = 0;
  if (by != NOBODY) request_noticed(self, by);
  self->wait_queue = &group->waiters;
  wait_queue_push(&group->waiters, &self->waiter);
  return park(self, wait, address_of(group));
}

EXPORT(sf_group_wait) int32_t sf_group_wait(struct group *group) {
  if (phase_get() == PHASE_REWINDING) return resumed();
  if (group->live == 0) return group_take_error(group);
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (self->group == group) return -SF_EDEADLK;
  uint32_t by = UNLIKELY(self->flags & SF_TASK_ATTENTION) ? attend(core, self) : NOBODY;
  if (by != NOBODY) group_cancel_all(core, group);
  return group_park(self, group, SF_WAIT_GROUP, by);
}

EXPORT(sf_group_cancel) int32_t sf_group_cancel(struct group *group) {
  if (phase_get() == PHASE_REWINDING) return resumed();
  if (group->live == 0) {
    group->error = 0;
    return 0;
  }
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (self->group == group) return -SF_EDEADLK;
  group->error = 0;
  group_cancel_all(core, group);
  return group_park(self, group, SF_WAIT_GROUP_CANCEL, NOBODY);
}

EXPORT(sf_group_cancel_request) void sf_group_cancel_request(struct group *group) {
  group_cancel_all(core_get(), group);
}

EXPORT(sf_group_count) uint32_t sf_group_count(const struct group *group) { return group->live; }

/* model.c - tasks that do what the harness's scripts say, and log it.
 *
 * Before every operation but its first a task yields, shielded: every boundary between operations is
 * a scheduling point, and no request is used up there.
 */
#include "model.h"

static struct model model;

static struct {
  struct sf_mutex mutex[2];
  struct sf_recursive_mutex recursive;
  struct sf_condition condition;
  struct sf_rwlock rwlock;
  struct sf_semaphore semaphore[2];
  struct sf_event event[2];
  struct sf_timer timer;
  struct sf_notify notify;
  struct sf_barrier barrier;
  struct sf_future future;
  int32_t future_value;
  struct sf_once once;
  struct sf_latch latch;
  struct sf_channel channel[2];
  int32_t buffer[2][8];
  struct sf_broadcast broadcast;
  int32_t ring[4];
  struct sf_consumer consumer[TASKS];
  struct sf_watch watch;
  int32_t watch_value;
  uint32_t seen[TASKS];
  struct sf_group group;
  struct sf_operation operation[2];
  int32_t read[TASKS];
  struct sf_signal signal[TASKS];
  struct sf_source source;
  int32_t tickets;
} objects;

/* Enough for two that share a bucket of the futex table: words[0] and *second. */
static uint32_t words[2048];
static uint32_t *second;

static uint32_t bucket(const uint32_t *word) { return (uint32_t)word * 2654435769u >> 24; }

static uint32_t *word(int32_t which) { return which == 0 ? words : second; }

/* The task that runs; 0 outside of any. */
static uint32_t current;

static uint32_t running(void) { return current; }

static void note(uint32_t kind, uint32_t task, uint32_t index, int32_t result, int32_t value) {
  if (model.events_count == EVENTS_MAX) __builtin_trap();
  model.events[model.events_count++] = (struct event){kind, task, index, result, value, model.step};
}

static int32_t run_script(void *argument);

static const struct sf_spawn_options small = {.stack_bytes = STACK_BYTES};

static int32_t spawn_script(int32_t script) {
  return sf_spawn(run_script, (void *)script, &small, &model.tasks[script]);
}

static int32_t group_spawn_script(int32_t script) {
  return sf_group_spawn(&objects.group, run_script, (void *)script, &small, NULL);
}

/* Sends op->b, op->b + 1, ... */
static int32_t send_many(const struct op *op) {
  int32_t items[4];
  for (int32_t i = 0; i < op->c; i++) items[i] = op->b + i;
  return sf_channel_send_many(&objects.channel[op->a], items, (uint32_t)op->c);
}

static int32_t receive_many(const struct op *op) {
  int32_t items[4];
  uint32_t task = running();
  int32_t count = sf_channel_receive_many(&objects.channel[op->a], items, (uint32_t)op->b);
  for (int32_t i = 0; i < count; i++) note(EVENT_ITEM, task, 0, 0, items[i]);
  return count;
}

static int32_t broadcast_receive(int32_t *value) {
  return sf_broadcast_receive(&objects.broadcast, &objects.consumer[running()], value);
}

static int32_t operation_start(const struct op *op) {
  struct sf_operation *operation = &objects.operation[op->a];
  return sf_operation_read(operation, op->a, &objects.read[op->a], 4);
}

static struct sf_timeout scopes[TASKS][SCOPES];
static int32_t before[TASKS]; /* what the task's operation before gave */

static int32_t scope_begin(const struct op *op) {
  sf_timeout_begin(&scopes[running()][op->a], sf_at((uint64_t)op->b));
  return before[running()];
}

static int32_t scope_set(const struct op *op) {
  sf_timeout_set(&scopes[running()][op->a], sf_at((uint64_t)op->b));
  return before[running()];
}

static int32_t scope_end(const struct op *op) {
  return sf_timeout_end(&scopes[running()][op->a], before[running()]);
}

static int32_t ticket_take(struct sf_source *source, void *item) {
  (void)source;
  if (objects.tickets == 0) return -SF_EAGAIN;
  *(int32_t *)item = objects.tickets--;
  return 0;
}

/* `word`: enum sf_arm_source, then 8 bits that say which object, then 16 with its number. */
static struct sf_arm arm_of(uint32_t word, int32_t *item) {
  uint32_t which = word >> 8 & 255;
  uint32_t number = word >> 16;
  switch (word & 255) {
    case SF_ARM_RECEIVE:
      return sf_on_receive(&objects.channel[which], item);
    case SF_ARM_SEND:
      *item = (int32_t)number;
      return sf_on_send(&objects.channel[which], item);
    case SF_ARM_TASK:
      return sf_on_task(model.tasks[which], item);
    case SF_ARM_GROUP:
      return sf_on_group(&objects.group);
    case SF_ARM_BROADCAST:
      return sf_on_broadcast(&objects.broadcast, &objects.consumer[running()], item);
    case SF_ARM_WATCH:
      return sf_on_watch(&objects.watch, &objects.seen[running()], item);
    case SF_ARM_EVENT:
      return sf_on_event(&objects.event[which]);
    case SF_ARM_NOTIFY:
      return sf_on_notify(&objects.notify);
    case SF_ARM_FUTURE:
      return sf_on_future(&objects.future, item);
    case SF_ARM_SEMAPHORE:
      return sf_on_semaphore(&objects.semaphore[which], number);
    case SF_ARM_LATCH:
      return sf_on_latch(&objects.latch);
    case SF_ARM_TIMEOUT:
      return sf_on_timeout(sf_at(number));
    case SF_ARM_SIGNAL:
      return sf_on_signal(&objects.signal[running()]);
    case SF_ARM_OPERATION:
      return sf_on_operation(&objects.operation[which]);
    default:
      return sf_on_source(&objects.source, item);
  }
}

/* The arms are a, b and c; 0 ends them. `value` gets the winner's result, and its item the log. */
static int32_t select_arms(const struct op *op, int32_t *value, uint32_t waits) {
  const int32_t *given = &op->a;
  struct sf_arm arms[3];
  int32_t items[3] = {0, 0, 0};
  uint32_t count = 0;
  uint32_t task = running();
  for (; count < 3 && given[count] != 0; count++)
    arms[count] = arm_of((uint32_t)given[count], &items[count]);
  int32_t which = waits ? sf_select(arms, count) : sf_select_try(arms, count);
  if (which < 0) return which;
  *value = arms[which].waiter.result;
  note(EVENT_ITEM, task, 0, 0, items[which]);
  return which;
}

typedef int32_t (*op_fn)(const struct op *op, int32_t *value);

#define OPERATION(name, ...) \
  static int32_t do_##name(const struct op *op, int32_t *value) { \
    (void)op; \
    (void)value; \
    return __VA_ARGS__; \
  }
#include "operations.def"
#undef OPERATION

static const op_fn operations[] = {
#define OPERATION(name, ...) do_##name,
#include "operations.def"
#undef OPERATION
};

static int32_t perform(uint32_t task, uint32_t index, const struct op *op) {
  int32_t value = 0;
  struct sf_timeout scope;
  note(EVENT_BEGIN, task, index, 0, 0);
  if (op->flags & OP_SHIELDED) sf_shield_begin();
  if (op->until != 0) sf_timeout_begin(&scope, sf_at(op->until));
  int32_t result = operations[op->code](op, &value);
  if (op->until != 0) result = sf_timeout_end(&scope, result);
  if (op->flags & OP_SHIELDED) sf_shield_end();
  note(EVENT_END, task, index, result, value);
  return result;
}

static int32_t run_script(void *argument) {
  uint32_t task = (uint32_t)argument;
  const struct script *script = &model.scripts[task];
  before[task] = 0;
  for (uint32_t i = 0; i < script->count && !model.stopping; i++) {
    const struct op *op = &script->ops[i];
    if (op->flags & OP_AFTER_0 && before[task] != 0) continue;
    if (op->flags & OP_AFTER_1 && before[task] != 1) continue;
    if (i != 0) {
      sf_shield_begin();
      sf_yield();
      sf_shield_end();
    }
    current = task;
    before[task] = perform(task, i, op);
  }
  note(EVENT_RETURN, task, 0, script->result, 0);
  return script->result;
}

#define EXPORT(name) __attribute__((export_name(#name))) name

struct model *EXPORT(model_address)(void) { return &model; }

/* An operation outside of any task. */
int32_t EXPORT(model_perform)(const struct op *op) {
  int32_t value = 0;
  return operations[op->code](op, &value);
}

/* New objects, an empty log, and the tasks of the first scripts. */
void EXPORT(model_start)(void) {
  memset(&objects, 0, sizeof(objects));
  objects.source.poll = ticket_take;
  if (second == NULL)
    for (second = words + 1; bucket(second) != bucket(words);) second++;
  memset(model.tasks, 0, sizeof(model.tasks));
  model.events_count = model.step = 0;
  model.stopping = 0;
  for (uint32_t i = 0; i < model.setup_count; i++) {
    current = (uint32_t)model.setup[i].c;
    model_perform(&model.setup[i]);
  }
  for (uint32_t i = 0; i < model.tasks_started; i++) spawn_script((int32_t)i);
}

/* Tasks return from now on. Who waits for a condition is not over before it has the mutex, which a task
 * that has ended may hold: it is taken away. A caller outside of any task counts as UINT32_MAX. */
void EXPORT(model_stop)(void) {
  model.stopping = 1;
  uint32_t *holder = (uint32_t *)&objects.mutex[0];
  if (*holder == 0) return;
  *holder = UINT32_MAX;
  sf_mutex_unlock(&objects.mutex[0]);
}

/* Where the core keeps the wait queues of its objects, which are opaque here. */
static const struct {
  void *object;
  uint32_t offset;
} queues[] = {
    {&objects.mutex[0], 4},     {&objects.mutex[1], 4},     {&objects.recursive, 4},
    {&objects.condition, 0},    {&objects.rwlock, 8},       {&objects.rwlock, 16},
    {&objects.semaphore[0], 4}, {&objects.semaphore[1], 4}, {&objects.event[0], 0},
    {&objects.event[1], 0},     {&objects.timer, 0},        {&objects.notify, 0},
    {&objects.barrier, 0},      {&objects.future, 0},       {&objects.once, 0},
    {&objects.latch, 0},        {&objects.channel[0], 24},  {&objects.channel[0], 32},
    {&objects.channel[1], 24},  {&objects.channel[1], 32},  {&objects.broadcast, 24},
    {&objects.watch, 12},       {&objects.group, 40},       {&objects.group, 48},
    {&objects.operation[0], 80}, {&objects.operation[1], 80}, {&objects.source, 8},
};

/* After the last task has ended: gives back what they left. Returns how many queues are not empty. */
uint32_t EXPORT(model_finish)(void) {
  uint32_t left = 0;
  for (uint32_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
    const struct sf_wait_queue *queue =
        (const struct sf_wait_queue *)((char *)queues[i].object + queues[i].offset);
    left += queue->first != NULL || queue->last != NULL;
  }
  for (uint32_t i = 0; i < TASKS; i++) {
    if (model.tasks[i] != 0) sf_detach(model.tasks[i]);
    sf_signal_unwatch(&objects.signal[i]);
  }
  for (uint32_t i = 0; i < 2; i++) {
    sf_channel_destroy(&objects.channel[i]);
    left += sf_futex_wake(word((int32_t)i), TASKS) != 0;
  }
  return left;
}

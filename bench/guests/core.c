/* core.c - the guest of the in-wasm benchmarks: everything here happens without the host. */
#include <stackful.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* ── ping-pong: two tasks, two 1-slot channels ── */

struct pair {
  struct sf_channel ping;
  struct sf_channel pong;
  int32_t ping_slot;
  int32_t pong_slot;
  int32_t rounds;
  int32_t last;
};

static int32_t pinger(void *argument) {
  struct pair *pair = argument;
  int32_t value = 0;
  for (int32_t round = 0; round < pair->rounds; round++) {
    if (sf_channel_send(&pair->ping, &value) < 0) return -1;
    if (sf_channel_receive(&pair->pong, &value) < 0) return -1;
    value++;
  }
  pair->last = value;
  return 0;
}

static int32_t ponger(void *argument) {
  struct pair *pair = argument;
  int32_t value;
  for (int32_t round = 0; round < pair->rounds; round++) {
    if (sf_channel_receive(&pair->ping, &value) < 0) return -1;
    value++;
    if (sf_channel_send(&pair->pong, &value) < 0) return -1;
  }
  return 0;
}

EXPORT(ping_pong) int32_t ping_pong(int32_t rounds) {
  struct pair pair = {.rounds = rounds};
  sf_channel_init(&pair.ping, &pair.ping_slot, 1, sizeof(int32_t));
  sf_channel_init(&pair.pong, &pair.pong_slot, 1, sizeof(int32_t));
  sf_task_t tasks[2];
  if (sf_spawn(pinger, &pair, NULL, &tasks[0]) < 0) return -1;
  if (sf_spawn(ponger, &pair, NULL, &tasks[1]) < 0) return -1;
  sf_join(tasks[0], NULL);
  sf_join(tasks[1], NULL);
  return pair.last;
}

/* ── switch: two tasks yielding, each with `depth` further frames below the yield ── */

static int32_t yields;

static inline __attribute__((always_inline)) int64_t yield_and_add(void) {
  int64_t sum = 0;
  for (int32_t round = 0; round < yields; round++) {
    if (sf_yield() < 0) return -1;
    sum += round;
  }
  return sum;
}

/* The empty statement keeps the compiler from turning the recursion into a loop. */
__attribute__((noinline)) static int64_t deep(int32_t depth) {
  if (depth == 0) return yield_and_add();
  int64_t sum = deep(depth - 1);
  __asm__ volatile("");
  return sum + 1;
}

static int64_t switch_sum;

static int32_t shallow_entry(void *argument) {
  (void)argument;
  switch_sum += yield_and_add();
  return 0;
}

static int32_t deep_entry(void *argument) {
  switch_sum += deep((int32_t)(intptr_t)argument);
  return 0;
}

/* `depth` counts the frames between the task's entry and the function that yields: at 0 the entry
 * yields itself. */
EXPORT(switches) int64_t switches(int32_t depth, int32_t rounds) {
  yields = rounds;
  switch_sum = 0;
  sf_task_t tasks[2];
  for (int32_t i = 0; i < 2; i++) {
    sf_entry_fn entry = depth == 0 ? shallow_entry : deep_entry;
    void *argument = (void *)(intptr_t)(depth - 1);
    if (sf_spawn(entry, argument, NULL, &tasks[i]) < 0) return -1;
  }
  for (int32_t i = 0; i < 2; i++)
    if (sf_join(tasks[i], NULL) < 0) return -1;
  return switch_sum + (depth == 0 ? 0 : 2); /* The entry is the outermost frame. */
}

/* ── spawn: spawn and join, in batches ── */

static int32_t identity(void *argument) { return (int32_t)(intptr_t)argument; }

EXPORT(spawn_join) int64_t spawn_join(int32_t count, int32_t batch) {
  static sf_task_t tasks[1024];
  int64_t sum = 0;
  for (int32_t from = 0; from < count; from += batch) {
    int32_t to = from + batch < count ? from + batch : count;
    for (int32_t i = from; i < to; i++)
      if (sf_spawn(identity, (void *)(intptr_t)i, NULL, &tasks[i - from]) < 0) return -1;
    for (int32_t i = from; i < to; i++) {
      int32_t result;
      if (sf_join(tasks[i - from], &result) < 0) return -1;
      sum += result;
    }
  }
  return sum;
}

/* ── parked: tasks that wait for a message of their own ── */

static struct sf_channel *mailboxes;
static int32_t waiting;
static int32_t answered;
static int64_t answers;

static int32_t parked_task(void *argument) {
  int32_t item = 0;
  waiting++;
  if (sf_channel_receive(&mailboxes[(intptr_t)argument], &item) == 0) answers += item;
  answered++;
  return 0;
}

EXPORT(park_many) int32_t park_many(int32_t count, int32_t stack_bytes) {
  waiting = answered = 0;
  answers = 0;
  mailboxes = malloc((size_t)count * sizeof(*mailboxes));
  if (mailboxes == NULL) return -1;
  struct sf_spawn_options options = {.stack_bytes = (uint32_t)stack_bytes};
  for (int32_t i = 0; i < count; i++) {
    sf_channel_init(&mailboxes[i], NULL, 0, sizeof(int32_t));
    if (sf_spawn(parked_task, (void *)(intptr_t)i, &options, NULL) < 0) return -1;
  }
  while (waiting < count)
    if (sf_yield() < 0) return -1;
  return waiting;
}

EXPORT(answer_all) int64_t answer_all(void) {
  for (int32_t i = 0; i < waiting; i++)
    if (sf_channel_send(&mailboxes[i], &i) < 0) return -1;
  while (answered < waiting)
    if (sf_yield() < 0) return -1;
  free(mailboxes);
  return answers;
}

/* core.c - the guest of the in-wasm benchmarks: everything here happens without the host. */
#include <stackful.h>

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

__attribute__((noinline)) static int32_t deep(int32_t depth, int32_t count) {
  if (depth != 0) {
    volatile int32_t live = depth;
    int32_t sum = deep(depth - 1, count);
    return sum + live - depth;
  }
  int32_t done = 0;
  for (int32_t i = 0; i < count; i++) done += sf_yield() == 0;
  return done;
}

static int32_t shallow(void *argument) {
  (void)argument;
  int32_t count = yields;
  int32_t done = 0;
  for (int32_t i = 0; i < count; i++) done += sf_yield() == 0;
  return done;
}

static int32_t deep_entry(void *argument) {
  return deep((int32_t)(intptr_t)argument - 1, yields);
}

EXPORT(switches) int32_t switches(int32_t depth, int32_t count) {
  yields = count;
  sf_task_t tasks[2];
  int32_t sum = 0;
  for (int32_t i = 0; i < 2; i++) {
    sf_entry_fn entry = depth == 0 ? shallow : deep_entry;
    if (sf_spawn(entry, (void *)(intptr_t)depth, NULL, &tasks[i]) < 0) return -1;
  }
  for (int32_t i = 0; i < 2; i++) {
    int32_t done = 0;
    if (sf_join(tasks[i], &done) < 0) return -1;
    sum += done;
  }
  return sum;
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

/* ── parked: tasks that wait for one channel to close ── */

static struct sf_channel gate;
static int32_t waiting;
static int32_t released;

static int32_t parked_task(void *argument) {
  (void)argument;
  int32_t item;
  waiting++;
  if (sf_channel_receive(&gate, &item) == -SF_EPIPE) released++;
  return 0;
}

EXPORT(park_many) int32_t park_many(int32_t count, int32_t stack_bytes) {
  waiting = released = 0;
  sf_channel_init(&gate, NULL, 0, sizeof(int32_t));
  struct sf_spawn_options options = {.stack_bytes = (uint32_t)stack_bytes};
  for (int32_t i = 0; i < count; i++)
    if (sf_spawn(parked_task, NULL, &options, NULL) < 0) return -1;
  while (waiting < count)
    if (sf_yield() < 0) return -1;
  return waiting;
}

EXPORT(release_all) int32_t release_all(void) {
  sf_channel_close(&gate, 0);
  while (released < waiting)
    if (sf_yield() < 0) return -1;
  return released;
}

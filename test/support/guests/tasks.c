/* tasks.c - laws of tasks, switching, join, detach, park. */
#include "law.h"

/* ── Switching ─────────────────────────────────────────────────────────────────────────────────── */

NOINLINE static int64_t mixed(int32_t a, int64_t b, float c, double d, int32_t rounds) {
  int32_t i32 = a;
  int64_t i64 = b;
  float f32 = c;
  double f64 = d;
  for (int32_t round = 0; round < rounds; round++) {
    if (sf_yield() < 0) return -1;
    i32 += round;
    i64 = i64 * 3 + i32;
    f32 += 0.5f;
    f64 = f64 * 1.5 + f32;
    if (sf_yield() < 0) return -1;
    i32 ^= (int32_t)i64;
  }
  return i32 + i64 + (int64_t)f32 + (int64_t)(f64 * 8);
}

static int64_t mixed_without_parking(int32_t a, int64_t b, float c, double d, int32_t rounds) {
  int32_t i32 = a;
  int64_t i64 = b;
  float f32 = c;
  double f64 = d;
  for (int32_t round = 0; round < rounds; round++) {
    i32 += round;
    i64 = i64 * 3 + i32;
    f32 += 0.5f;
    f64 = f64 * 1.5 + f32;
    i32 ^= (int32_t)i64;
  }
  return i32 + i64 + (int64_t)f32 + (int64_t)(f64 * 8);
}

static int32_t mixed_task(void *argument) {
  int32_t id = (int32_t)argument;
  int64_t want = mixed_without_parking(id, 0x123456789abcdLL * id, id * 1.25f, id * 3.75, 9 + id % 5);
  return mixed(id, 0x123456789abcdLL * id, id * 1.25f, id * 3.75, 9 + id % 5) == want ? 0 : __LINE__;
}

LAW(locals_survive)(void) {
  sf_task_t tasks[50];
  for (int32_t i = 0; i < 50; i++) CHECK(sf_spawn(mixed_task, (void *)i, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 50; i++) {
    int32_t line = -1;
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  return 0;
}

/* Arrays on the C stack at every level, of sizes that differ by level and task; parks at every
 * `park_every`th level on the way down and up. */
NOINLINE static int32_t descend(uint32_t depth, uint32_t tag, uint32_t park_every) {
  uint32_t bytes = 8 + (depth * 7 + tag) % 56;
  volatile uint8_t array[64];
  for (uint32_t i = 0; i < bytes; i++) array[i] = (uint8_t)(tag + depth + i);
  if (depth % park_every == 0 && sf_park() < 0) return __LINE__;
  int32_t line = depth == 0 ? 0 : descend(depth - 1, tag, park_every);
  if (line != 0) return line;
  if (depth % park_every == 1 && sf_park() < 0) return __LINE__;
  for (uint32_t i = 0; i < bytes; i++)
    if (array[i] != (uint8_t)(tag + depth + i)) return __LINE__;
  return 0;
}

struct descent {
  uint32_t depth;
  uint32_t tag;
  uint32_t park_every;
  uint32_t done;
  int32_t line;
};

static int32_t descent_task(void *argument) {
  struct descent *descent = argument;
  descent->line = descend(descent->depth, descent->tag, descent->park_every);
  descent->done = 1;
  return descent->line;
}

/* Tasks of unequal depths, always one more switched to, in random order. */
LAW(unequal_depths)(int32_t count, int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given;
  struct descent *descents = calloc((size_t)count, sizeof(*descents));
  sf_task_t *tasks = calloc((size_t)count, sizeof(*tasks));
  struct sf_spawn_options options = {.stack_bytes = 64 * 1024};
  for (int32_t i = 0; i < count; i++) {
    descents[i].depth = random_next(&seed) % 60;
    descents[i].tag = random_next(&seed);
    descents[i].park_every = 1 + random_next(&seed) % 5;
    CHECK(sf_spawn(descent_task, &descents[i], &options, &tasks[i]) == 0);
  }
  for (int32_t left = count; left > 0;) {
    int32_t at = (int32_t)(random_next(&seed) % (uint32_t)count);
    if (descents[at].done) {
      for (left = 0, at = 0; at < count; at++) left += !descents[at].done;
      if (left == 0) break;
      for (at = 0; descents[at].done; at++) {
      }
    }
    CHECK(sf_unpark(tasks[at]) == 0);
    CHECK(sf_yield() == 0);
  }
  for (int32_t i = 0; i < count; i++) {
    int32_t line;
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  free(descents);
  free(tasks);
  return 0;
}

static volatile uint32_t sink; /* keeps the compiler from making a loop of a recursion */
NOINLINE static uint32_t deep(uint32_t depth) {
  if (depth == 0) {
    sf_yield();
    return 0;
  }
  uint32_t result = deep(depth - 1) + 1;
  sink = result;
  return result;
}

static int32_t deep_task(void *depth) { return (int32_t)deep((uint32_t)depth); }
static int32_t forever_task(void *unused) {
  (void)unused;
  while (sf_yield() == 0) {
  }
  return 0;
}

LAW(deep_recursion)(int32_t depth) {
  sf_task_t task, other;
  struct sf_spawn_options options = {.stack_bytes = 1 << 20};
  CHECK(sf_spawn(forever_task, NULL, NULL, &other) == 0);
  CHECK(sf_spawn(deep_task, (void *)depth, &options, &task) == 0);
  int32_t result;
  CHECK(sf_join(task, &result) == 0);
  CHECK(result == depth);
  sf_cancel(other);
  CHECK(sf_join(other, NULL) == 0);
  return 0;
}

/* ── The ready queue ───────────────────────────────────────────────────────────────────────────── */

static int32_t order[1000];
static int32_t order_count;

static int32_t note_task(void *id) {
  for (int32_t round = 0; round < 5; round++) {
    order[order_count++] = (int32_t)id;
    sf_yield();
  }
  return 0;
}

LAW(ready_queue_is_fifo)(void) {
  sf_task_t tasks[10];
  order_count = 0;
  for (int32_t i = 0; i < 10; i++) CHECK(sf_spawn(note_task, (void *)i, NULL, &tasks[i]) == 0);
  CHECK(order_count == 0);
  for (int32_t i = 0; i < 10; i++) CHECK(sf_join(tasks[i], NULL) == 0);
  CHECK(order_count == 50);
  for (int32_t i = 0; i < 50; i++) CHECK(order[i] == i % 10);
  return 0;
}

LAW(yield_alone)(void) {
  for (int32_t i = 0; i < 100000; i++) CHECK(sf_yield() == 0);
  return 0;
}

static int32_t set_task(void *flag) {
  *(int32_t *)flag = 1;
  return 0;
}

LAW(spawn_runs_later)(void) {
  int32_t flag = 0;
  CHECK(spawn_small(set_task, &flag, NULL) == 0);
  CHECK(flag == 0);
  CHECK(sf_yield() == 0);
  CHECK(flag == 1);
  return 0;
}

static int32_t park_task(void *id) { return sf_park() < 0 ? -1 : (int32_t)id; }

LAW(many_tasks)(int32_t count) {
  sf_task_t *tasks = malloc((size_t)count * sizeof(*tasks));
  for (int32_t i = 0; i < count; i++) CHECK(spawn_small(park_task, (void *)i, &tasks[i]) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = count - 1; i >= 0; i--) CHECK(sf_unpark(tasks[i]) == 0);
  for (int32_t i = 0; i < count; i++) {
    int32_t result;
    CHECK(sf_join(tasks[i], &result) == 0);
    CHECK(result == i);
  }
  free(tasks);
  return 0;
}

/* ── Join and detach ───────────────────────────────────────────────────────────────────────────── */

static int32_t return_task(void *value) { return (int32_t)value; }
static int32_t yield_return_task(void *value) {
  for (int32_t i = 0; i < 3; i++) sf_yield();
  return (int32_t)value;
}

LAW(join_before_the_end)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(yield_return_task, (void *)-77, NULL, &task) == 0);
  CHECK(sf_join(task, &result) == 0);
  CHECK(result == -77);
  return 0;
}

LAW(join_after_the_end)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(return_task, (void *)41, NULL, &task) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_yield() == 0);
  CHECK(sf_join(task, &result) == 0);
  CHECK(result == 41);
  CHECK(sf_spawn(return_task, (void *)42, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_join(task, NULL) == 0);
  return 0;
}

static int32_t join_task(void *target) {
  int32_t result = -1;
  if (sf_join(*(sf_task_t *)target, &result) != 0) return -2;
  return result;
}

LAW(several_joiners)(void) {
  sf_task_t target, joiners[20];
  CHECK(sf_spawn(yield_return_task, (void *)99, NULL, &target) == 0);
  for (int32_t i = 0; i < 20; i++) CHECK(sf_spawn(join_task, &target, NULL, &joiners[i]) == 0);
  int32_t result;
  CHECK(sf_join(target, &result) == 0);
  CHECK(result == 99);
  for (int32_t i = 0; i < 20; i++) {
    CHECK(sf_join(joiners[i], &result) == 0);
    CHECK(result == 99);
  }
  return 0;
}

LAW(stale_handles)(void) {
  sf_task_t task, again;
  CHECK(sf_spawn(return_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  char name[4];
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  CHECK(sf_cancel(task) == -SF_ESRCH);
  CHECK(sf_detach(task) == -SF_ESRCH);
  CHECK(sf_unpark(task) == -SF_ESRCH);
  CHECK(sf_task_name(task, name, 4) == -SF_ESRCH);
  /* Its region is used again, its handle is not. */
  CHECK(sf_spawn(return_task, (void *)5, NULL, &again) == 0);
  CHECK(again != task && (uint32_t)again == (uint32_t)task);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  int32_t result;
  CHECK(sf_join(again, &result) == 0 && result == 5);
  CHECK(sf_join(0, NULL) == -SF_ESRCH);
  return 0;
}

LAW(join_oneself)(void) {
  CHECK(sf_join(sf_self(), NULL) == -SF_EDEADLK);
  return 0;
}

LAW(join_detached)(void) {
  sf_task_t task;
  CHECK(sf_spawn(yield_return_task, NULL, NULL, &task) == 0);
  CHECK(sf_detach(task) == 0);
  CHECK(sf_detach(task) == -SF_EINVAL);
  CHECK(sf_join(task, NULL) == -SF_EINVAL);
  for (int32_t i = 0; i < 6; i++) CHECK(sf_yield() == 0);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  return 0;
}

LAW(detach_ended)(void) {
  sf_task_t task;
  CHECK(sf_spawn(return_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_detach(task) == 0);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  return 0;
}

LAW(detach_while_joined)(void) {
  sf_task_t target, joiner;
  CHECK(sf_spawn(yield_return_task, (void *)7, NULL, &target) == 0);
  CHECK(sf_spawn(join_task, &target, NULL, &joiner) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_detach(target) == 0);
  int32_t result;
  CHECK(sf_join(joiner, &result) == 0);
  CHECK(result == 7);
  CHECK(sf_join(target, NULL) == -SF_ESRCH);
  return 0;
}

LAW(regions_are_used_again)(void) {
  sf_task_t first = 0, task;
  for (int32_t i = 0; i < 10000; i++) {
    CHECK(sf_spawn(return_task, (void *)i, NULL, &task) == 0);
    if (first == 0) first = task;
    CHECK((uint32_t)task == (uint32_t)first);
    CHECK(sf_join(task, NULL) == 0);
  }
  return 0;
}

/* ── Park and unpark ───────────────────────────────────────────────────────────────────────────── */

LAW(permit_is_remembered)(void) {
  CHECK(sf_unpark(sf_self()) == 0);
  CHECK(sf_park() == 0);
  return 0;
}

static int32_t park_twice_task(void *parks) {
  for (int32_t i = 0; i < 2; i++) {
    if (sf_park() != 0) return -1;
    ++*(int32_t *)parks;
  }
  return 0;
}

LAW(permits_do_not_add_up)(void) {
  int32_t parks = 0;
  sf_task_t task;
  CHECK(sf_spawn(park_twice_task, &parks, NULL, &task) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_unpark(task) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_yield() == 0);
  CHECK(parks == 1);
  CHECK(sf_unpark(task) == 0);
  CHECK(sf_unpark(task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(parks == 2);
  return 0;
}

/* ── Names, limits ─────────────────────────────────────────────────────────────────────────────── */

LAW(names)(void) {
  char long_name[100], out[100];
  memset(long_name, 'n', sizeof(long_name));
  long_name[99] = 0;
  sf_task_t task;
  struct sf_spawn_options options = {.name = "worker 7"};
  CHECK(sf_spawn(yield_return_task, NULL, &options, &task) == 0);
  CHECK(sf_task_name(task, out, 3) == 8 && memcmp(out, "wor", 3) == 0);
  CHECK(sf_task_name(task, out, 100) == 8 && memcmp(out, "worker 7", 8) == 0);
  CHECK(sf_join(task, NULL) == 0);
  options.name = long_name;
  CHECK(sf_spawn(yield_return_task, NULL, &options, &task) == 0);
  CHECK(sf_task_name(task, out, 100) == 64);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(sf_spawn(yield_return_task, NULL, NULL, &task) == 0);
  CHECK(sf_task_name(task, out, 100) == 0);
  CHECK(sf_join(task, NULL) == 0);
  return 0;
}

LAW(stack_sizes)(void) {
  static const uint32_t sizes[] = {1, 1023, 1024, 1025, 4096, 65536, 1 << 20, 8 << 20};
  for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
    sf_task_t task;
    struct sf_spawn_options options = {.stack_bytes = sizes[i]};
    CHECK(sf_spawn(yield_return_task, (void *)i, &options, &task) == 0);
    int32_t result;
    CHECK(sf_join(task, &result) == 0 && result == (int32_t)i);
  }
  struct sf_spawn_options options = {.stack_bytes = (8 << 20) + 1};
  sf_task_t task = 5;
  CHECK(sf_spawn(yield_return_task, NULL, &options, &task) == -SF_EINVAL);
  options.stack_bytes = 0xffffffff;
  CHECK(sf_spawn(yield_return_task, NULL, &options, &task) == -SF_EINVAL);
  CHECK(task == 5);
  return 0;
}

LAW(largest_stack_with_a_name)(void) {
  sf_task_t task;
  struct sf_spawn_options options = {.stack_bytes = 8 << 20, .name = "large"};
  CHECK(sf_spawn(yield_return_task, NULL, &options, &task) == 0);
  CHECK(sf_join(task, NULL) == 0);
  return 0;
}

LAW(spawn_until_the_limit)(int32_t limit) {
  sf_task_t *tasks = malloc((size_t)limit * sizeof(*tasks));
  sf_task_t extra = 5;
  /* The one that runs counts as well. */
  for (int32_t i = 0; i < limit - 1; i++) CHECK(spawn_small(park_task, NULL, &tasks[i]) == 0);
  CHECK(spawn_small(park_task, NULL, &extra) == -SF_EAGAIN);
  CHECK(extra == 5);
  CHECK(sf_cancel(tasks[0]) == 0);
  CHECK(sf_join(tasks[0], NULL) == 0);
  CHECK(spawn_small(park_task, NULL, &tasks[0]) == 0);
  for (int32_t i = 0; i < limit - 1; i++) {
    CHECK(sf_cancel(tasks[i]) == 0);
    CHECK(sf_join(tasks[i], NULL) == 0);
  }
  free(tasks);
  return 0;
}

/* ── Handles ───────────────────────────────────────────────────────────────────────────────────── */

static int32_t try_handle(sf_task_t handle) {
  char name[4];
  CHECK(sf_cancel(handle) == -SF_ESRCH);
  CHECK(sf_detach(handle) == -SF_ESRCH);
  CHECK(sf_unpark(handle) == -SF_ESRCH);
  CHECK(sf_join(handle, NULL) == -SF_ESRCH);
  CHECK(sf_task_name(handle, name, 4) == -SF_ESRCH);
  return 0;
}

LAW(forged_handles)(int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given;
  sf_task_t self = sf_self();
  for (int32_t i = 0; i < 20000; i++) {
    uint64_t high = (uint64_t)random_next(&seed) << 40 ^ (uint64_t)random_next(&seed) << 16;
    uint64_t handle = high ^ random_next(&seed);
    if (handle == self) continue;
    int32_t line = try_handle(handle);
    if (line != 0) return line;
  }
  for (uint32_t serial = 0; serial < 50; serial++) {
    uint64_t handle = (uint64_t)serial << 32 | (uint32_t)self;
    if (handle == self) continue;
    int32_t line = try_handle(handle);
    if (line != 0) return line;
  }
  return 0;
}

/* Serial 0 is no task's: memory of the runtime that happens to be zero is not one. */
LAW(handles_without_a_serial)(void) {
  uint32_t self = (uint32_t)sf_self();
  for (uint32_t address = self; address < self + 32768; address += 16) {
    sf_task_t handle = address;
    CHECK(sf_unpark(handle) == -SF_ESRCH);
  }
  return 0;
}

LAW(trapped_child)(void);
static int32_t trap_task(void *unused) {
  (void)unused;
  sf_yield();
  __builtin_trap();
}

LAW(trapped_child)(void) {
  sf_task_t task;
  int32_t result = 0;
  CHECK(sf_spawn(trap_task, NULL, NULL, &task) == 0);
  CHECK(sf_join(task, &result) == -SF_ENOTRECOVERABLE);
  CHECK(sf_spawn(trap_task, NULL, NULL, &task) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_yield() == 0);
  CHECK(sf_join(task, NULL) == -SF_ENOTRECOVERABLE);
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  return 0;
}

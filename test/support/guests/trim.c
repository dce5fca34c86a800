/* trim.c - tasks that come and go while the host gives their memory back. */
#include "law.h"

#define TASKS_MAX 40000u
#define STALE_MAX 100000u

static struct {
  sf_task_t task; /* 0: this place is empty */
  uint32_t id;
} live[TASKS_MAX];
static uint32_t live_count, next_id, stale_count;
static sf_task_t stale[STALE_MAX];

/* Most of a 1 KiB stack. What it writes must be there when it is woken. */
static int32_t holder_task(void *argument) {
  volatile uint32_t words[64];
  for (uint32_t i = 0; i < 64; i++) words[i] = (uint32_t)argument * 31 + i;
  if (sf_park() != 0) return -1;
  for (uint32_t i = 0; i < 64; i++)
    if (words[i] != (uint32_t)argument * 31 + i) return -2;
  return (int32_t)argument;
}

LAW(start)(uint32_t count, uint32_t stack_bytes) {
  struct sf_spawn_options options = {.stack_bytes = stack_bytes};
  for (uint32_t i = 0; i < TASKS_MAX && count > 0; i++) {
    if (live[i].task != 0) continue;
    live[i].id = ++next_id;
    CHECK(sf_spawn(holder_task, (void *)live[i].id, &options, &live[i].task) == 0);
    live_count++;
    count--;
  }
  /* All of them run until they park. */
  CHECK(sf_sleep(0) == 0);
  return 0;
}

/* Ends every task, or of every four the one that `quarter` names. */
LAW(end)(int32_t quarter) {
  for (uint32_t i = 0; i < TASKS_MAX; i++) {
    if (live[i].task == 0 || (quarter >= 0 && i % 4 != (uint32_t)quarter)) continue;
    CHECK(sf_unpark(live[i].task) == 0);
    int32_t result;
    CHECK(sf_join(live[i].task, &result) == 0);
    CHECK(result == (int32_t)live[i].id);
    stale[stale_count++ % STALE_MAX] = live[i].task;
    live[i].task = 0;
    live_count--;
  }
  return 0;
}

static int32_t check_stale(sf_task_t task) {
  char name[4];
  CHECK(sf_join(task, NULL) == -SF_ESRCH);
  CHECK(sf_cancel(task) == -SF_ESRCH);
  CHECK(sf_detach(task) == -SF_ESRCH);
  CHECK(sf_unpark(task) == -SF_ESRCH);
  CHECK(sf_task_name(task, name, 4) == -SF_ESRCH);
  return 0;
}

LAW(all_stale)(void) {
  uint32_t count = stale_count < STALE_MAX ? stale_count : STALE_MAX;
  CHECK(count > 0);
  for (uint32_t i = 0; i < count; i++) {
    int32_t line = check_stale(stale[i]);
    if (line != 0) return line;
  }
  return 0;
}

uint32_t EXPORT(region_of_a_stale_task)(void) { return (uint32_t)stale[0]; }

/* Runs where small tasks were: stale handles point into the middle of its stack. There it makes up
 * what their headers held. */
LAW(stale_within_a_stack)(void) {
  static uint8_t *volatile escaped;
  uint8_t stack[200000];
  escaped = stack;
  memset(stack, 0, sizeof(stack));
  uint32_t first = (uint32_t)stack, inside = 0;
  for (uint32_t i = 0; i < stale_count; i++) {
    uint32_t address = (uint32_t)stale[i];
    if (address < first || address + sizeof(struct sf_task) > first + sizeof(stack)) continue;
    struct sf_task *made_up = (struct sf_task *)address;
    made_up->serial = (uint32_t)(stale[i] >> 32);
    made_up->state = SF_STATE_PARKED;
    made_up->wait = SF_WAIT_UNPARK;
    inside++;
    int32_t line = check_stale(stale[i]);
    if (line != 0) return line;
  }
  CHECK(inside > 100);
  return 0;
}

__attribute__((import_module("env"), import_name("trim"))) void trim(void);

/* The host trims while this task is on its stack, with tasks ended and tasks that hold. */
LAW(trim_from_a_task)(uint32_t count) {
  int32_t line = start(count, 1024);
  if (line != 0) return line;
  line = end(1);
  if (line != 0) return line;
  trim();
  line = start(count, 2048);
  if (line != 0) return line;
  trim();
  return end(-1);
}

/* tasks.c - many tasks: trees and chains of them, sleepers, timers, a million at a gate. */
#include <stdlib.h>

#include "tasks.h"

static int64_t sum;

/* ── spawn-tree ── */

static int32_t node(void *argument) {
  intptr_t depth = (intptr_t)argument;
  if (depth == 0) return 1;
  sf_task_t children[2];
  int32_t leaves = 0;
  for (int32_t i = 0; i < 2; i++)
    if (sf_spawn(node, (void *)(depth - 1), NULL, &children[i]) < 0) return -1;
  for (int32_t i = 0; i < 2; i++) {
    int32_t result;
    if (sf_join(children[i], &result) < 0) return -1;
    leaves += result;
  }
  return leaves;
}

EXPORT(spawn_tree) int32_t spawn_tree(int32_t depth) {
  sf_task_t root;
  int32_t leaves;
  if (sf_spawn(node, (void *)(intptr_t)depth, NULL, &root) < 0) return -1;
  return sf_join(root, &leaves) < 0 ? -1 : leaves;
}

/* ── task-chain ── */

static int32_t chain_length;

/* Returns its index and what the next one returned; int32_t holds the sum for up to 65,536 tasks. */
static int32_t link(void *argument) {
  int32_t index = (int32_t)(intptr_t)argument;
  if (index + 1 == chain_length) return index;
  sf_task_t next;
  int32_t rest;
  if (sf_spawn(link, (void *)(intptr_t)(index + 1), NULL, &next) < 0) return -1;
  if (sf_join(next, &rest) < 0) return -1;
  return index + rest;
}

EXPORT(task_chain) int32_t task_chain(int32_t tasks) {
  chain_length = tasks;
  sf_task_t first;
  int32_t result;
  if (sf_spawn(link, NULL, NULL, &first) < 0) return -1;
  return sf_join(first, &result) < 0 ? -1 : result;
}

/* ── sleep ── */

static uint64_t sleep_ns;

static int32_t sleeper(void *argument) {
  if (sf_sleep(sleep_ns) < 0) return -1;
  sum += (intptr_t)argument;
  return 0;
}

EXPORT(sleepers) int64_t sleepers(int32_t tasks, int32_t ms) {
  sum = 0;
  sleep_ns = (uint64_t)ms * SF_MILLISECOND;
  return run_tasks(tasks, sleeper) < 0 ? -1 : sum;
}

/* ── timers ── */

EXPORT(timers) int64_t timers(int32_t count, int32_t lead_ms, int32_t spread_ms) {
  struct sf_timer *all = calloc((size_t)count, sizeof(*all));
  uint32_t random = 1;
  for (int32_t i = 0; i < count; i++) {
    random = random * 1664525 + 1013904223;
    uint64_t ms = (uint64_t)lead_ms + (random >> 16) % (uint32_t)spread_ms;
    sf_timer_start(&all[i], sf_after(ms * SF_MILLISECOND));
  }
  int64_t over = 0;
  for (int32_t i = 0; i < count; i += 2) over += sf_timer_stop(&all[i]);
  for (int32_t i = 1; i < count; i += 2) {
    if (sf_event_wait(&all[i].event) < 0) return -1;
    over++;
  }
  free(all);
  return over;
}

/* ── million ── */

static struct sf_event gate;
static int32_t waiting;
static int32_t ended;

static int32_t at_gate(void *argument) {
  waiting++;
  if (sf_event_wait(&gate) < 0) return -1;
  sum += (intptr_t)argument;
  ended++;
  return 0;
}

EXPORT(gather) int32_t gather(int32_t tasks, int32_t stack_bytes) {
  sf_event_init(&gate, 0);
  waiting = ended = 0;
  sum = 0;
  struct sf_spawn_options options = {.stack_bytes = (uint32_t)stack_bytes};
  for (int32_t i = 0; i < tasks; i++)
    if (sf_spawn(at_gate, (void *)(intptr_t)i, &options, NULL) < 0) return -1;
  while (waiting < tasks)
    if (sf_yield() < 0) return -1;
  return waiting;
}

EXPORT(open_gate) int64_t open_gate(void) {
  sf_event_set(&gate);
  while (ended < waiting)
    if (sf_yield() < 0) return -1;
  return sum;
}

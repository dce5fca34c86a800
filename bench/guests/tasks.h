/* tasks.h - what the benchmark guests share. */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include <stackful.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* Runs entry(0) to entry(count - 1) as tasks and waits for all. Returns 0 or the first error. */
static inline int32_t run_tasks(int32_t count, sf_entry_fn entry) {
  struct sf_group group;
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < count; i++) {
    int32_t error = sf_group_spawn(&group, entry, (void *)(intptr_t)i, NULL, NULL);
    if (error < 0) {
      sf_group_cancel(&group);
      return error;
    }
  }
  return sf_group_wait(&group);
}

#endif

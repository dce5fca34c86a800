/* law.h - what the test guests share. A law is an export that returns 0, or the line that broke. */
#ifndef LAW_H
#define LAW_H

#include <stackful.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define LAW(name) int32_t EXPORT(name)
#define CHECK(condition)             \
  do {                               \
    if (!(condition)) return __LINE__; \
  } while (0)

#define NOINLINE __attribute__((noinline))

static inline uint32_t random_next(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static inline int32_t spawn_small(sf_entry_fn entry, void *argument, sf_task_t *task) {
  struct sf_spawn_options options = {.stack_bytes = 1024};
  return sf_spawn(entry, argument, &options, task);
}

#endif

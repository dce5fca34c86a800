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

/* Passes on the line that broke in what is called. */
#define CHECK_LINE(call)          \
  do {                            \
    int32_t line_ = (call);       \
    if (line_ != 0) return line_; \
  } while (0)

/* Every result is looked at where the task is joined. */
#define CHECK_JOIN(task, want)             \
  do {                                     \
    int32_t joined_ = 0;                   \
    CHECK(sf_join((task), &joined_) == 0); \
    CHECK(joined_ == (want));              \
  } while (0)

/* Longer than any test; a law that needs it to pass fails by itself. */
#define LONG (1000 * SF_SECOND)

#define NOINLINE __attribute__((noinline))

static inline uint32_t random_next(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static inline int32_t spawn_small(sf_entry_fn entry, void *argument, sf_task_t *task) {
  struct sf_spawn_options options = {.stack_bytes = 1024};
  return sf_spawn(entry, argument, &options, task);
}

/* Nobody else writes to its stack while others run. */
static inline int32_t stack_stays_task(void *tag) {
  volatile uint8_t bytes[700];
  for (int32_t i = 0; i < 700; i++) bytes[i] = (uint8_t)(i * 7 + (int32_t)tag);
  for (int32_t i = 0; i < 10; i++) CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 700; i++) CHECK(bytes[i] == (uint8_t)(i * 7 + (int32_t)tag));
  return 0;
}

#endif

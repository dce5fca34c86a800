/* law-tasks.h - many small tasks that note when they got on: for laws of order. */
#ifndef LAW_TASKS_H
#define LAW_TASKS_H

#include "law.h"

__attribute__((import_module("test"), import_name("advance"))) void test_advance(uint64_t ns);

/* In the order in which they were noted. */
static int32_t notes[1024];
static int32_t notes_count;

static inline void note(int32_t what) {
  if (notes_count < 1024) notes[notes_count] = what;
  notes_count++;
}

/* Lets every other task run until it waits for something. */
static inline void settle(void) {
  for (int32_t i = 0; i < 20; i++)
    if (sf_yield() < 0) sf_recancel();
}

/* Lets a few others go first. */
static inline void stagger(uint32_t *seed) {
  for (uint32_t i = random_next(seed) % 4; i > 0; i--)
    if (sf_yield() < 0) sf_recancel();
}

/* The first word of a lock is its holder's serial: reports read it. */
static inline uint32_t first_word(const void *lock) { return *(const uint32_t *)lock; }
static inline uint32_t serial_of(sf_task_t task) { return (uint32_t)(task >> 32); }

/* A task that is one of several: `id` says which, `with` what of. */
struct actor {
  int32_t id;
  int32_t amount;
  uint64_t timeout;
  int32_t result;
  sf_task_t task;
};

static inline int32_t act(struct actor *actor, int32_t id, sf_entry_fn entry) {
  actor->id = id;
  return sf_spawn(entry, actor, NULL, &actor->task);
}

#endif

/* report.h - what the guests of the simulator tell their checker, and what lets it disturb them.
 *
 * A report is a record in guest memory: writing it costs no call of the host, and it can still be read
 * when the host has crashed. Kinds and fields are the scenario's.
 */
#ifndef SIMULATOR_REPORT_H
#define SIMULATOR_REPORT_H

#include <stackful.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

#define REPORTS_MAX 8192

struct report {
  uint64_t at_ns;
  uint32_t kind;
  uint32_t fields[5];
};

static struct {
  uint32_t count; /* those beyond REPORTS_MAX are counted only: the checker then gives up */
  uint32_t reserved;
  struct report list[REPORTS_MAX];
} reports;

const void *EXPORT(reports_address)(void) { return &reports; }

static void report(uint32_t kind, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e) {
  uint32_t index = reports.count++;
  if (index >= REPORTS_MAX) return;
  reports.list[index] = (struct report){sf_monotonic_ns(), kind, {a, b, c, d, e}};
}

/* ── Random numbers of the program's own: the same seed, the same load ─────────────────────────── */

struct random {
  uint64_t state;
};

static inline uint32_t random_next(struct random *random) {
  uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)((x ^ (x >> 31)) >> 32);
}

/* 0 to count - 1. */
static inline uint32_t random_below(struct random *random, uint32_t count) {
  return (uint32_t)(((uint64_t)random_next(random) * count) >> 32);
}

static inline uint32_t random_range(struct random *random, uint32_t min, uint32_t max) {
  return min + random_below(random, max - min + 1);
}

static inline bool random_chance(struct random *random, uint32_t permille) {
  return random_below(random, 1000) < permille;
}

/* In nanoseconds, but whole milliseconds: what happens at the same instant is where the bugs are. */
static inline uint64_t random_ms(struct random *random, uint32_t ms_max) {
  return random_below(random, ms_max + 1) * SF_MILLISECOND;
}

/* The random numbers of one among several: they do not depend on how many the others draw. */
static inline struct random random_fork(struct random *random) {
  uint64_t high = random_next(random);
  return (struct random){.state = high << 32 | random_next(random)};
}

/* ── Tasks that a fault may cancel ─────────────────────────────────────────────────────────────── */

#define VICTIMS_MAX 64

static sf_task_t victims[VICTIMS_MAX];

/* From here on the calling task may be canceled at any time. Returns its place. */
static uint32_t victim_begin(void) {
  for (uint32_t i = 0; i < VICTIMS_MAX; i++) {
    if (victims[i] != 0) continue;
    victims[i] = sf_self();
    return i;
  }
  return VICTIMS_MAX;
}

static void victim_end(uint32_t place) {
  if (place < VICTIMS_MAX) victims[place] = 0;
}

/* Cancels one of them. Returns its place, or -1 when there is none. */
int32_t EXPORT(cancel_one)(uint32_t pick) {
  for (uint32_t i = 0; i < VICTIMS_MAX; i++) {
    uint32_t place = (pick + i) % VICTIMS_MAX;
    if (victims[place] != 0 && sf_cancel(victims[place]) == 0) return (int32_t)place;
  }
  return -1;
}

#endif

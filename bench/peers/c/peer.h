/* peer.h - flags, and what scenarios measure. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* The number behind "--name=". */
static inline uint32_t flag(int argc, char **argv, const char *name) {
  const size_t length = strlen(name);
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], name, length) == 0) return (uint32_t)strtoul(argv[i] + length, NULL, 10);
  }
  fprintf(stderr, "c peer: %s is missing\n", name);
  exit(2);
}

/* Microseconds: an instant, or between two of them. */
struct meter {
  double us;
  double cpu_us;
};

static inline struct meter meter_start(void) {
  struct rusage usage;
  struct timespec now;
  getrusage(RUSAGE_SELF, &usage);
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (struct meter){
    .us = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3,
    .cpu_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
  };
}

static inline struct meter meter_end(const struct meter *start) {
  const struct meter now = meter_start();
  return (struct meter){ now.us - start->us, now.cpu_us - start->cpu_us };
}

static inline void meter_print(const struct meter *took, const char *unit, uint32_t count,
                               uint32_t sum, const char *version) {
  printf("{\"metrics\":{\"%ss/s\":%f,\"us-cpu/%s\":%f},\"checksum\":\"%u\",\"version\":\"%s\"}\n", unit,
         count / took->us * 1e6, unit, took->cpu_us / count, sum, version);
}

int file_read(int argc, char **argv);
int file_walk(int argc, char **argv);
int file_write(int argc, char **argv);
int tcp_echo_load(int argc, char **argv);

#endif

/* busy.c - a program whose result and number of switches follow from its parameter alone, whatever the
 * clock says: pairs over channels, sleepers, host imports, recursion that parks at every level. */
#include "law.h"

__attribute__((import_module("env"), import_name("wait"))) int32_t host_wait(int32_t value);
__attribute__((import_module("env"), import_name("look"))) int32_t host_look(int32_t value);
__attribute__((import_module("env"), import_name("report"))) void host_report(uint32_t sum);

struct pair {
  struct sf_channel there, back;
  int32_t buffer[4];
};
static struct pair pairs[3];
static uint32_t rounds;

static uint32_t mix(uint32_t sum, uint32_t value) { return (sum ^ value) * 16777619u + 1; }

static int32_t ping(void *argument) {
  struct pair *pair = argument;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t item = i;
    if (sf_channel_send(&pair->there, &item) < 0) return -1;
    if (sf_channel_receive(&pair->back, &item) < 0) return -1;
    sum = mix(sum, item);
  }
  sf_channel_close(&pair->there, 0);
  return (int32_t)(sum >> 1);
}
static int32_t pong(void *argument) {
  struct pair *pair = argument;
  uint32_t sum = 0, item;
  while (sf_channel_receive(&pair->there, &item) == 0) {
    sum = mix(sum, item);
    item = sum;
    if (sf_channel_send(&pair->back, &item) < 0) return -1;
  }
  return (int32_t)(sum >> 1);
}

static int32_t sleeper(void *unused) {
  (void)unused;
  for (uint32_t i = 0; i < rounds / 10; i++)
    if (sf_sleep(1000) < 0) return -1;
  return 3;
}

static int32_t caller(void *unused) {
  (void)unused;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) sum = mix(sum, (uint32_t)host_wait((int32_t)i));
  return (int32_t)(sum >> 1);
}
static int32_t looker(void *unused) {
  (void)unused;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    volatile uint32_t kept = sum + i;
    sum = mix(sum, (uint32_t)host_look((int32_t)i));
    sum = mix(sum, kept);
    if (i % 16 == 0 && sf_sleep(0) < 0) return -1;
  }
  return (int32_t)(sum >> 1);
}

NOINLINE static uint32_t descend(uint32_t depth) {
  volatile uint32_t array[8];
  for (uint32_t i = 0; i < 8; i++) array[i] = depth * i;
  if (sf_sleep(1) < 0) return 0;
  uint32_t sum = depth == 0 ? 1 : descend(depth - 1);
  if (sf_sleep(1) < 0) return 0;
  for (uint32_t i = 0; i < 8; i++) sum = mix(sum, array[i]);
  return sum;
}
static int32_t diver(void *unused) {
  (void)unused;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds / 100 + 1; i++) sum = mix(sum, descend(40));
  return (int32_t)(sum >> 1);
}

int main(int argc, char **argv) {
  sf_task_t tasks[10];
  uint32_t count = 0, sum = 0;
  rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 100;
  for (uint32_t i = 0; i < 3; i++) {
    sf_channel_init(&pairs[i].there, i == 0 ? NULL : pairs[i].buffer, i == 0 ? 0 : i * 2, 4);
    sf_channel_init(&pairs[i].back, NULL, 0, 4);
    sf_spawn(ping, &pairs[i], NULL, &tasks[count++]);
    sf_spawn(pong, &pairs[i], NULL, &tasks[count++]);
  }
  sf_spawn(sleeper, NULL, NULL, &tasks[count++]);
  sf_spawn(caller, NULL, NULL, &tasks[count++]);
  sf_spawn(looker, NULL, NULL, &tasks[count++]);
  sf_spawn(diver, NULL, NULL, &tasks[count++]);
  for (uint32_t i = 0; i < count; i++) {
    int32_t result = -1;
    if (sf_join(tasks[i], &result) < 0 || result < 0) return (int)i + 1;
    sum = mix(sum, (uint32_t)result);
  }
  host_report(sum);
  return 0;
}

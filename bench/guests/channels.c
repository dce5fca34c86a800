/* channels.c - channels between many tasks, and selects over several. */
#include <stdlib.h>

#include "tasks.h"

static struct sf_channel channel;
static int32_t items;
static int64_t sum;

/* ── fan-in ── */

static int32_t producers;

static int32_t producer(void *argument) {
  for (int32_t item = (int32_t)(intptr_t)argument; item < items; item += producers)
    if (sf_channel_send(&channel, &item) < 0) return -1;
  return 0;
}

EXPORT(fan_in) int64_t fan_in(int32_t producers_count, int32_t items_count, int32_t buffer) {
  int32_t *slots = malloc((size_t)buffer * sizeof(*slots));
  sf_channel_init(&channel, slots, (uint32_t)buffer, sizeof(*slots));
  producers = producers_count;
  items = items_count;
  int64_t total = 0;
  for (int32_t i = 0; i < producers; i++)
    if (sf_spawn(producer, (void *)(intptr_t)i, NULL, NULL) < 0) return -1;
  for (int32_t i = 0; i < items; i++) {
    int32_t item;
    if (sf_channel_receive(&channel, &item) < 0) return -1;
    total += item;
  }
  free(slots);
  return total;
}

/* ── fan-out ── */

static int32_t consumer(void *argument) {
  (void)argument;
  int32_t item;
  while (sf_channel_receive(&channel, &item) == 0) sum += item;
  return 0;
}

EXPORT(fan_out) int64_t fan_out(int32_t consumers, int32_t items_count, int32_t buffer) {
  int32_t *slots = malloc((size_t)buffer * sizeof(*slots));
  sf_channel_init(&channel, slots, (uint32_t)buffer, sizeof(*slots));
  sum = 0;
  struct sf_group group;
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < consumers; i++)
    if (sf_group_spawn(&group, consumer, NULL, NULL, NULL) < 0) return -1;
  for (int32_t item = 0; item < items_count; item++)
    if (sf_channel_send(&channel, &item) < 0) return -1;
  sf_channel_close(&channel, 0);
  if (sf_group_wait(&group) < 0) return -1;
  free(slots);
  return sum;
}

/* ── ping-pong ── */

struct pair {
  struct sf_channel ping;
  struct sf_channel pong;
  int32_t ping_slot;
  int32_t pong_slot;
};

static struct pair *pairs;
static int32_t rounds;

static int32_t pinger(struct pair *pair) {
  int32_t value = 0;
  for (int32_t round = 0; round < rounds; round++) {
    if (sf_channel_send(&pair->ping, &value) < 0) return -1;
    if (sf_channel_receive(&pair->pong, &value) < 0) return -1;
    value++;
  }
  sum += value;
  return 0;
}

static int32_t ponger(struct pair *pair) {
  int32_t value;
  for (int32_t round = 0; round < rounds; round++) {
    if (sf_channel_receive(&pair->ping, &value) < 0) return -1;
    value++;
    if (sf_channel_send(&pair->pong, &value) < 0) return -1;
  }
  return 0;
}

static int32_t pinger_or_ponger(void *argument) {
  uint32_t index = (uint32_t)(uintptr_t)argument;
  return index % 2 == 0 ? pinger(&pairs[index / 2]) : ponger(&pairs[index / 2]);
}

EXPORT(ping_pongs) int64_t ping_pongs(int32_t pairs_count, int32_t rounds_each) {
  rounds = rounds_each;
  sum = 0;
  pairs = malloc((size_t)pairs_count * sizeof(*pairs));
  for (int32_t i = 0; i < pairs_count; i++) {
    struct pair *pair = &pairs[i];
    sf_channel_init(&pair->ping, &pair->ping_slot, 1, sizeof(int32_t));
    sf_channel_init(&pair->pong, &pair->pong_slot, 1, sizeof(int32_t));
  }
  int32_t error = run_tasks(2 * pairs_count, pinger_or_ponger);
  free(pairs);
  return error < 0 ? -1 : sum;
}

/* ── select ── */

#define CHANNELS 8

static struct sf_channel channels[CHANNELS];

static int32_t channel_producer(void *argument) {
  int32_t index = (int32_t)(intptr_t)argument;
  for (int32_t item = index; item < items; item += CHANNELS)
    if (sf_channel_send(&channels[index], &item) < 0) return -1;
  return 0;
}

EXPORT(selects) int64_t selects(int32_t items_count, int32_t buffer) {
  int32_t *slots = malloc(CHANNELS * (size_t)buffer * sizeof(*slots));
  items = items_count;
  for (int32_t i = 0; i < CHANNELS; i++) {
    sf_channel_init(&channels[i], slots + i * buffer, (uint32_t)buffer, sizeof(*slots));
    if (sf_spawn(channel_producer, (void *)(intptr_t)i, NULL, NULL) < 0) return -1;
  }
  int64_t total = 0;
  int32_t item;
  struct sf_arm arms[CHANNELS];
  for (int32_t i = 0; i < CHANNELS; i++) arms[i] = sf_on_receive(&channels[i], &item);
  uint32_t turn = 0;
  for (int32_t i = 0; i < items; i++) {
    if (sf_select_fair(arms, CHANNELS, &turn) < 0) return -1;
    total += item;
  }
  free(slots);
  return total;
}

/* race.c - the race's guest: two tasks that hand a number to and fro, and as many as possible that wait. */
#include <stackful.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* ── Hand over ─────────────────────────────────────────────────────────────────────────────────── */

struct table {
  struct sf_channel ping, pong; /* one slot each */
  int32_t ping_slot, pong_slot;
  int32_t rounds;
};

static int32_t answer(void *argument) {
  struct table *table = argument;
  int32_t value;
  for (int32_t round = 0; round < table->rounds; round++) {
    if (sf_channel_receive(&table->ping, &value) < 0) return -1;
    value++;
    if (sf_channel_send(&table->pong, &value) < 0) return -1;
  }
  return 0;
}

/* Hands over 2 * rounds times; returns that. */
EXPORT(ping_pong) int32_t ping_pong(int32_t rounds) {
  struct table table = {.rounds = rounds};
  int32_t value = 0;
  sf_channel_init(&table.ping, &table.ping_slot, 1, sizeof value);
  sf_channel_init(&table.pong, &table.pong_slot, 1, sizeof value);
  sf_task_t other;
  if (sf_spawn(answer, &table, NULL, &other) < 0) return -1;
  for (int32_t round = 0; round < rounds; round++) {
    value++;
    if (sf_channel_send(&table.ping, &value) < 0) break;
    if (sf_channel_receive(&table.pong, &value) < 0) break;
  }
  sf_cancel_wait(other, NULL);
  return value;
}

/* ── Hold ──────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_event wake;
static struct sf_group group;
static int32_t woken;

static int32_t held(void *argument) {
  (void)argument;
  int32_t result = sf_event_wait(&wake);
  if (result == 0) woken++;
  return result;
}

/* Starts tasks that wait, until there are `count` or memory is used up; returns how many. */
EXPORT(hold) int32_t hold(int32_t count) {
  sf_event_init(&wake, 0);
  sf_group_init(&group, 0, 0);
  int32_t started = 0;
  while (started < count) {
    if (sf_group_spawn(&group, held, NULL, NULL, NULL) < 0) break;
    if (++started % 1024 == 0 && sf_yield() < 0) break;
  }
  return started;
}

/* Wakes them all, and returns how many have answered. */
EXPORT(wake_all) int32_t wake_all(void) {
  sf_event_set(&wake);
  sf_group_wait(&group);
  return woken;
}

/* conserve.c - laws of many selects on the same things: nothing is lost, nothing comes twice. */
#include "virtual.h"

static struct sf_semaphore semaphore;
static struct sf_event event;

/* ── Semaphores ────────────────────────────────────────────────────────────────────────────────── */

struct wish {
  struct sf_semaphore *first, *second;
  uint32_t permits;
  struct sf_event *event;
};
static int32_t wish_task(void *argument) {
  struct wish *wish = argument;
  struct sf_arm arms[3] = {sf_on_semaphore(wish->first, wish->permits)};
  uint32_t count = 1;
  if (wish->second != NULL) arms[count++] = sf_on_semaphore(wish->second, 2);
  if (wish->event != NULL) arms[count++] = sf_on_event(wish->event);
  return sf_select(arms, count);
}

/* A select that leaves lets those behind it in. `how`: 0 another arm wins, 1 cancel. */
LAW(who_leaves_a_semaphore_lets_others_in)(int32_t how) {
  sf_semaphore_init(&semaphore, 1);
  sf_event_init(&event, 0);
  struct wish large = {&semaphore, NULL, 5, &event}, small = {&semaphore, NULL, 1, NULL};
  sf_task_t tasks[2];
  int32_t result;
  CHECK(sf_spawn(wish_task, &large, NULL, &tasks[0]) == 0);
  CHECK(sf_spawn(wish_task, &small, NULL, &tasks[1]) == 0);
  CHECK(settle() == 0);
  CHECK(sf_semaphore_try_acquire(&semaphore, 1) == -SF_EAGAIN);
  if (how == 0) sf_event_set(&event);
  else CHECK(sf_cancel(tasks[0]) == 0);
  CHECK(sf_join(tasks[0], &result) == 0 && result == (how == 0 ? 1 : -SF_ECANCELED));
  CHECK(sf_join(tasks[1], &result) == 0 && result == 0);
  CHECK(sf_semaphore_permits(&semaphore) == 0);
  return 0;
}

/* Each select leaves a semaphore that lets the next one in: as long as the row may be. */
LAW(along_a_row_of_semaphores)(int32_t length) {
  struct sf_semaphore *row = calloc((size_t)length + 1, sizeof(*row));
  struct wish *wishes = calloc((size_t)length, sizeof(*wishes));
  sf_task_t *tasks = calloc((size_t)length, sizeof(*tasks));
  for (int32_t i = 0; i <= length; i++) sf_semaphore_init(&row[i], i == 0 ? 0 : 1);
  for (int32_t i = 0; i < length; i++) {
    wishes[i] = (struct wish){&row[i], &row[i + 1], 1, NULL};
    CHECK(sf_spawn(wish_task, &wishes[i], NULL, &tasks[i]) == 0);
  }
  CHECK(settle() == 0);
  CHECK(sf_semaphore_release(&row[0], 1) == 0);
  for (int32_t i = 0; i < length; i++) {
    int32_t result;
    CHECK(sf_join(tasks[i], &result) == 0 && result == 0);
  }
  for (int32_t i = 0; i < length; i++) CHECK(sf_semaphore_permits(&row[i]) == 0);
  free(row);
  free(wishes);
  free(tasks);
  return 0;
}

/* ── Channels ──────────────────────────────────────────────────────────────────────────────────── */

#define CHANNELS 4
#define WORKERS 24
#define ITEMS_MAX 100000

static struct sf_channel channels[CHANNELS];
static int32_t buffers[CHANNELS][3];
static uint8_t sent[ITEMS_MAX], received[ITEMS_MAX];
static int32_t items, wins, cancels, timeouts, tries, at_work;
static uint32_t seed;

static int32_t note_sent(int32_t item, int32_t result) {
  if (result == 0) sent[item]++;
  return result;
}
static int32_t note_received(int32_t item, int32_t result) {
  if (result == 0) received[item]++;
  return result;
}

/* One select with arms on channels chosen at random, some to send, some to receive, some both. */
static int32_t one_select(void) {
  struct sf_arm arms[6];
  int32_t values[6];
  uint32_t count = 1 + random_next(&seed) % 5, turn = random_next(&seed);
  for (uint32_t i = 0; i < count; i++) {
    struct sf_channel *channel = &channels[random_next(&seed) % CHANNELS];
    if (random_next(&seed) & 1) {
      values[i] = items++;
      arms[i] = sf_on_send(channel, &values[i]);
    } else {
      values[i] = -1;
      arms[i] = sf_on_receive(channel, &values[i]);
    }
  }
  int32_t which;
  switch (random_next(&seed) % 5) {
    case 0:
      which = sf_select_try(arms, count);
      break;
    case 1:
      which = sf_select_timeout(arms, count, sf_after(random_next(&seed) % 3 * MS));
      break;
    case 2:
      arms[count] = sf_on_timeout(sf_after(random_next(&seed) % 3 * MS));
      which = sf_select_fair(arms, count + 1, &turn);
      break;
    case 3:
      arms[count] = sf_on_semaphore(&semaphore, 1);
      which = sf_select(arms, count + 1);
      if (which == (int32_t)count) sf_semaphore_release(&semaphore, 1);
      break;
    default:
      which = sf_select(arms, count);
  }
  cancels += which == -SF_ECANCELED;
  timeouts += which == -SF_ETIMEDOUT || which == (int32_t)count;
  tries += which == -SF_EAGAIN;
  CHECK(which >= 0 || which == -SF_ECANCELED || which == -SF_ETIMEDOUT || which == -SF_EAGAIN);
  if (which < 0 || which == (int32_t)count) return 0;
  wins++;
  CHECK(arms[which].waiter.result == 0);
  if (arms[which].source == SF_ARM_SEND) note_sent(values[which], 0);
  else note_received(values[which], 0);
  /* What has lost has received nothing. */
  for (uint32_t i = 0; i < count; i++)
    CHECK(i == (uint32_t)which || arms[i].source == SF_ARM_SEND || values[i] == -1);
  return 0;
}

/* A plain call among the selects. */
static int32_t one_call(void) {
  struct sf_channel *channel = &channels[random_next(&seed) % CHANNELS];
  int32_t item = items++, result;
  sf_timeout_t timeout = sf_after(random_next(&seed) % 4 * MS);
  switch (random_next(&seed) % 4) {
    case 0: result = note_sent(item, sf_channel_send_timeout(channel, &item, timeout)); break;
    case 1: result = sf_channel_receive_timeout(channel, &item, timeout); note_received(item, result); break;
    case 2: result = note_sent(item, sf_channel_try_send(channel, &item)); break;
    default: result = sf_channel_try_receive(channel, &item); note_received(item, result);
  }
  CHECK(result == 0 || result == -SF_ECANCELED || result == -SF_ETIMEDOUT || result == -SF_EAGAIN);
  return 0;
}

static int32_t worker_task(void *rounds) {
  int32_t line = 0;
  for (int32_t i = 0; i < (int32_t)rounds && line == 0; i++)
    line = random_next(&seed) % 4 == 0 ? one_call() : one_select();
  at_work--;
  return line;
}

LAW(items_are_conserved)(int32_t rounds, int32_t seed_given) {
  sf_task_t workers[WORKERS];
  seed = (uint32_t)seed_given;
  items = wins = cancels = timeouts = tries = 0;
  at_work = WORKERS;
  memset(sent, 0, sizeof(sent));
  memset(received, 0, sizeof(received));
  sf_semaphore_init(&semaphore, 0);
  for (uint32_t i = 0; i < CHANNELS; i++)
    CHECK(sf_channel_init(&channels[i], i < 2 ? NULL : buffers[i], i < 2 ? 0 : i, 4) == 0);
  for (int32_t i = 0; i < WORKERS; i++)
    CHECK(sf_spawn(worker_task, (void *)(rounds / WORKERS), NULL, &workers[i]) == 0);
  while (at_work > 0) {
    CHECK((random_next(&seed) & 1 ? sf_yield() : sf_sleep(MS)) == 0);
    if (random_next(&seed) % 3 == 0) sf_cancel(workers[random_next(&seed) % WORKERS]);
    if (random_next(&seed) % 50 == 0) {
      CHECK(sf_semaphore_release(&semaphore, 1) == 0);
      CHECK(sf_yield() == 0);
      while (sf_semaphore_try_acquire(&semaphore, 1) == -SF_EAGAIN) CHECK(settle() == 0);
    }
  }
  for (int32_t i = 0; i < WORKERS; i++) {
    int32_t line;
    CHECK(sf_join(workers[i], &line) == 0);
    if (line != 0) return line;
  }
  for (uint32_t i = 0; i < CHANNELS; i++) {
    int32_t item;
    while (sf_channel_try_receive(&channels[i], &item) == 0) note_received(item, 0);
  }
  CHECK(items <= ITEMS_MAX);
  for (int32_t i = 0; i < items; i++) CHECK(sent[i] == received[i] && sent[i] <= 1);
  /* The law holds for something. */
  CHECK(rounds < 10000 || (wins > rounds / 10 && cancels > 0 && timeouts > 0 && tries > 0));
  return 0;
}

/* ── Permits ───────────────────────────────────────────────────────────────────────────────────── */

static struct sf_semaphore semaphores[3];

/* Takes and gives back, with arms on two semaphores; permits are never more nor fewer. */
static int32_t permit_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    uint32_t first = random_next(&seed) % 3, second = random_next(&seed) % 3;
    uint32_t wanted[2] = {1 + random_next(&seed) % 3, 1 + random_next(&seed) % 3};
    struct sf_arm arms[] = {sf_on_semaphore(&semaphores[first], wanted[0]),
                            sf_on_semaphore(&semaphores[second], wanted[1]),
                            sf_on_timeout(sf_after((1 + random_next(&seed) % 9) * MS))};
    int32_t which = sf_select(arms, 3);
    if (which != 0 && which != 1) continue;
    sf_sleep(random_next(&seed) % 3 * MS);
    CHECK(sf_semaphore_release(&semaphores[which == 0 ? first : second], wanted[which]) == 0);
  }
  at_work--;
  return 0;
}

LAW(permits_are_conserved)(int32_t rounds, int32_t seed_given) {
  sf_task_t workers[WORKERS];
  seed = (uint32_t)seed_given;
  at_work = WORKERS;
  for (uint32_t i = 0; i < 3; i++) sf_semaphore_init(&semaphores[i], 3 + i);
  for (int32_t i = 0; i < WORKERS; i++)
    CHECK(sf_spawn(permit_task, (void *)(rounds / WORKERS), NULL, &workers[i]) == 0);
  while (at_work > 0) {
    CHECK(sf_sleep(MS) == 0);
    sf_cancel(workers[random_next(&seed) % WORKERS]);
  }
  for (int32_t i = 0; i < WORKERS; i++) {
    int32_t line;
    CHECK(sf_join(workers[i], &line) == 0);
    if (line != 0) return line;
  }
  for (uint32_t i = 0; i < 3; i++) CHECK(sf_semaphore_permits(&semaphores[i]) == 3 + i);
  return 0;
}

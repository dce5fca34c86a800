/* channels.c - laws of channels. */
#include "law.h"

static struct sf_channel channel;

struct mover {
  struct sf_channel *channel;
  int32_t first;
  int32_t count;
  int32_t error; /* of the call that failed; 0: none */
  int32_t done;
  int32_t received[64];
};

static int32_t send_task(void *argument) {
  struct mover *mover = argument;
  for (int32_t i = 0; i < mover->count; i++) {
    int32_t item = mover->first + i;
    mover->error = sf_channel_send(mover->channel, &item);
    if (mover->error < 0) return mover->error;
    mover->done++;
  }
  return 0;
}

static int32_t receive_task(void *argument) {
  struct mover *mover = argument;
  for (int32_t i = 0; i < mover->count; i++) {
    int32_t item;
    mover->error = sf_channel_receive(mover->channel, &item);
    if (mover->error < 0) return mover->error;
    mover->received[mover->done++] = item;
  }
  return 0;
}

LAW(rendezvous)(void) {
  struct mover sender = {.channel = &channel, .first = 10, .count = 3};
  sf_task_t task;
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  CHECK(sf_spawn(send_task, &sender, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sender.done == 0);
  CHECK(sf_channel_count(&channel) == 0);
  for (int32_t i = 0; i < 3; i++) {
    int32_t item;
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 10 + i);
  }
  CHECK(sf_join(task, NULL) == 0);
  struct mover receiver = {.channel = &channel, .count = 3};
  CHECK(sf_spawn(receive_task, &receiver, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(receiver.done == 0);
  for (int32_t item = 0; item < 3; item++) CHECK(sf_channel_send(&channel, &item) == 0);
  CHECK(sf_join(task, NULL) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(receiver.received[i] == i);
  return 0;
}

/* A sender gets as far as the capacity, and one item further per receive. */
LAW(parks_when_full)(int32_t capacity) {
  struct mover sender = {.channel = &channel, .first = 0, .count = capacity + 5};
  sf_task_t task;
  CHECK(sf_channel_init(&channel, malloc((size_t)capacity * 4), (uint32_t)capacity, 4) == 0);
  CHECK(sf_spawn(send_task, &sender, NULL, &task) == 0);
  for (int32_t i = 0; i < 5; i++) {
    CHECK(sf_yield() == 0);
    CHECK(sender.done == capacity + i);
    CHECK(sf_channel_count(&channel) == (uint32_t)capacity);
    int32_t item;
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == i);
  }
  CHECK(sf_join(task, NULL) == 0);
  for (int32_t i = 5; i < capacity + 5; i++) {
    int32_t item;
    CHECK(sf_channel_try_receive(&channel, &item) == 0);
    CHECK(item == i);
  }
  CHECK(sf_channel_count(&channel) == 0);
  return 0;
}

LAW(receivers_are_served_in_order)(void) {
  struct mover receivers[8];
  sf_task_t tasks[8];
  int32_t buffer[2];
  CHECK(sf_channel_init(&channel, buffer, 2, 4) == 0);
  for (int32_t i = 0; i < 8; i++) {
    receivers[i] = (struct mover){.channel = &channel, .count = 2};
    CHECK(sf_spawn(receive_task, &receivers[i], NULL, &tasks[i]) == 0);
  }
  CHECK(sf_yield() == 0);
  for (int32_t item = 0; item < 16; item++) CHECK(sf_channel_send(&channel, &item) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK(sf_join(tasks[i], NULL) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK(receivers[i].received[0] == i);
  return 0;
}

LAW(senders_are_served_in_order)(void) {
  struct mover senders[8];
  sf_task_t tasks[8];
  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  for (int32_t i = 0; i < 8; i++) {
    senders[i] = (struct mover){.channel = &channel, .first = i, .count = 1};
    CHECK(sf_spawn(send_task, &senders[i], NULL, &tasks[i]) == 0);
  }
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 8; i++) {
    int32_t item;
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == i);
  }
  for (int32_t i = 0; i < 8; i++) CHECK(sf_join(tasks[i], NULL) == 0);
  return 0;
}

LAW(try_variants)(void) {
  int32_t buffer[2], item = 1;
  CHECK(sf_channel_init(&channel, buffer, 2, 4) == 0);
  CHECK(sf_channel_try_receive(&channel, &item) == -SF_EAGAIN);
  for (item = 1; item <= 2; item++) CHECK(sf_channel_try_send(&channel, &item) == 0);
  CHECK(sf_channel_try_send(&channel, &item) == -SF_EAGAIN);
  for (int32_t want = 1; want <= 2; want++) {
    CHECK(sf_channel_try_receive(&channel, &item) == 0);
    CHECK(item == want);
  }
  CHECK(sf_channel_try_receive(&channel, &item) == -SF_EAGAIN);

  CHECK(sf_channel_init(&channel, NULL, 0, 4) == 0);
  CHECK(sf_channel_try_send(&channel, &item) == -SF_EAGAIN);
  CHECK(sf_channel_try_receive(&channel, &item) == -SF_EAGAIN);
  struct mover receiver = {.channel = &channel, .count = 1};
  sf_task_t task;
  CHECK(sf_spawn(receive_task, &receiver, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  item = 77;
  CHECK(sf_channel_try_send(&channel, &item) == 0);
  CHECK(sf_channel_try_send(&channel, &item) == -SF_EAGAIN);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(receiver.received[0] == 77);
  struct mover sender = {.channel = &channel, .first = 78, .count = 1};
  CHECK(sf_spawn(send_task, &sender, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_channel_try_receive(&channel, &item) == 0);
  CHECK(item == 78);
  CHECK(sf_join(task, NULL) == 0);
  return 0;
}

LAW(close_keeps_what_is_buffered)(void) {
  int32_t buffer[4], item;
  CHECK(sf_channel_init(&channel, buffer, 4, 4) == 0);
  for (item = 0; item < 3; item++) CHECK(sf_channel_send(&channel, &item) == 0);
  sf_channel_close(&channel, 0);
  sf_channel_close(&channel, 0);
  CHECK(sf_channel_send(&channel, &item) == -SF_EPIPE);
  CHECK(sf_channel_try_send(&channel, &item) == -SF_EPIPE);
  CHECK(sf_channel_count(&channel) == 3);
  for (int32_t want = 0; want < 3; want++) {
    CHECK((want & 1 ? sf_channel_receive(&channel, &item)
                    : sf_channel_try_receive(&channel, &item)) == 0);
    CHECK(item == want);
  }
  CHECK(sf_channel_receive(&channel, &item) == -SF_EPIPE);
  CHECK(sf_channel_try_receive(&channel, &item) == -SF_EPIPE);
  return 0;
}

LAW(immediate_close_drops_what_is_buffered)(void) {
  int32_t buffer[4], item;
  CHECK(sf_channel_init(&channel, buffer, 4, 4) == 0);
  for (item = 0; item < 3; item++) CHECK(sf_channel_send(&channel, &item) == 0);
  sf_channel_close(&channel, 0);
  sf_channel_close(&channel, 1);
  CHECK(sf_channel_count(&channel) == 0);
  CHECK(sf_channel_receive(&channel, &item) == -SF_EPIPE);
  return 0;
}

LAW(close_wakes_parked_senders)(int32_t capacity, int32_t immediate) {
  struct mover senders[4];
  sf_task_t tasks[4];
  int32_t buffer[8], item;
  CHECK(sf_channel_init(&channel, buffer, (uint32_t)capacity, 4) == 0);
  for (item = 0; item < capacity; item++) CHECK(sf_channel_send(&channel, &item) == 0);
  for (int32_t i = 0; i < 4; i++) {
    senders[i] = (struct mover){.channel = &channel, .first = 100 + i, .count = 1};
    CHECK(sf_spawn(send_task, &senders[i], NULL, &tasks[i]) == 0);
  }
  CHECK(sf_yield() == 0);
  sf_channel_close(&channel, (uint32_t)immediate);
  for (int32_t i = 0; i < 4; i++) {
    int32_t result;
    CHECK(sf_join(tasks[i], &result) == 0);
    CHECK(result == -SF_EPIPE);
  }
  /* None of theirs was taken. */
  for (int32_t want = 0; !immediate && want < capacity; want++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == want);
  }
  CHECK(sf_channel_receive(&channel, &item) == -SF_EPIPE);
  return 0;
}

LAW(close_wakes_parked_receivers)(int32_t capacity, int32_t immediate) {
  struct mover receivers[4];
  sf_task_t tasks[4];
  int32_t buffer[8];
  CHECK(sf_channel_init(&channel, buffer, (uint32_t)capacity, 4) == 0);
  for (int32_t i = 0; i < 4; i++) {
    receivers[i] = (struct mover){.channel = &channel, .count = 1};
    CHECK(sf_spawn(receive_task, &receivers[i], NULL, &tasks[i]) == 0);
  }
  CHECK(sf_yield() == 0);
  sf_channel_close(&channel, (uint32_t)immediate);
  for (int32_t i = 0; i < 4; i++) {
    int32_t result;
    CHECK(sf_join(tasks[i], &result) == 0);
    CHECK(result == -SF_EPIPE);
  }
  return 0;
}

LAW(init_refuses)(void) {
  uint8_t buffer[16];
  CHECK(sf_channel_init(&channel, buffer, 4, 0) == -SF_EINVAL);
  CHECK(sf_channel_init(&channel, NULL, 4, 4) == -SF_EINVAL);
  CHECK(sf_channel_init(&channel, buffer, 0x80000000u, 1) == -SF_EINVAL);
  CHECK(sf_channel_init(&channel, buffer, 0x10000, 0x10000) == -SF_EINVAL);
  return 0;
}

/* ── Item sizes ────────────────────────────────────────────────────────────────────────────────── */

static uint32_t size_now;

static int32_t send_sized_task(void *unused) {
  (void)unused;
  uint8_t item[100];
  for (uint32_t round = 0; round < 7; round++) {
    for (uint32_t i = 0; i < size_now; i++) item[i] = (uint8_t)(round * 31 + i + size_now);
    if (sf_channel_send(&channel, item) != 0) return -1;
  }
  return 0;
}

LAW(item_sizes)(int32_t capacity) {
  for (size_now = 1; size_now <= 100; size_now++) {
    uint32_t bytes = (uint32_t)capacity * size_now;
    uint8_t *buffer = malloc(bytes + 2);
    buffer[0] = buffer[bytes + 1] = 0xcc;
    CHECK(sf_channel_init(&channel, buffer + 1, (uint32_t)capacity, size_now) == 0);
    sf_task_t task;
    CHECK(sf_spawn(send_sized_task, NULL, NULL, &task) == 0);
    for (uint32_t round = 0; round < 7; round++) {
      uint8_t item[102];
      memset(item, 0xcc, sizeof(item));
      CHECK(sf_channel_receive(&channel, item + 1) == 0);
      for (uint32_t i = 0; i < size_now; i++)
        CHECK(item[1 + i] == (uint8_t)(round * 31 + i + size_now));
      CHECK(item[0] == 0xcc && item[1 + size_now] == 0xcc);
    }
    CHECK(sf_join(task, NULL) == 0);
    CHECK(buffer[0] == 0xcc && buffer[bytes + 1] == 0xcc);
    free(buffer);
  }
  return 0;
}

/* ── Many senders and receivers ────────────────────────────────────────────────────────────────── */

struct storm {
  struct sf_channel channel;
  uint32_t seed;
  int32_t senders, per_sender, senders_left, line;
  uint8_t *seen;
};

struct storm_item {
  int32_t sender;
  int32_t index;
};

static struct storm storm;
static int32_t storm_ids;

/* A request that arrives meanwhile stays pending. */
static void stagger(void) {
  for (uint32_t i = random_next(&storm.seed) % 4; i > 0; i--)
    if (sf_yield() == -SF_ECANCELED) sf_cancel(sf_self());
}

static int32_t storm_send_task(void *unused) {
  (void)unused;
  struct storm_item item = {.sender = storm_ids++};
  for (item.index = 0; item.index < storm.per_sender; item.index++) {
    stagger();
    int32_t result = random_next(&storm.seed) % 3 ? -SF_EAGAIN
                                                  : sf_channel_try_send(&storm.channel, &item);
    if (result == -SF_EAGAIN) result = sf_channel_send(&storm.channel, &item);
    CHECK(result == 0);
  }
  if (--storm.senders_left == 0) sf_channel_close(&storm.channel, 0);
  return 0;
}

static int32_t storm_receive_task(void *unused) {
  (void)unused;
  int32_t next[64] = {0};
  for (;;) {
    struct storm_item item;
    stagger();
    int32_t result = random_next(&storm.seed) % 3 ? -SF_EAGAIN
                                                  : sf_channel_try_receive(&storm.channel, &item);
    if (result == -SF_EAGAIN) result = sf_channel_receive(&storm.channel, &item);
    if (result == -SF_EPIPE) return 0;
    CHECK(result == 0);
    CHECK(item.sender >= 0 && item.sender < storm.senders);
    CHECK(item.index >= next[item.sender]);
    next[item.sender] = item.index + 1;
    uint8_t *seen = &storm.seen[item.sender * storm.per_sender + item.index];
    CHECK(*seen == 0);
    *seen = 1;
  }
}

LAW(many_senders_and_receivers)(int32_t capacity, int32_t senders, int32_t receivers, int32_t per_sender, int32_t seed) {
  struct storm_item *buffer = malloc((size_t)capacity * sizeof(*buffer) + 1);
  sf_task_t tasks[128];
  int32_t total = senders * per_sender;
  storm = (struct storm){.seed = (uint32_t)seed,
                         .senders = senders,
                         .senders_left = senders,
                         .per_sender = per_sender,
                         .seen = calloc((size_t)total + 1, 1)};
  storm_ids = 0;
  CHECK(sf_channel_init(&storm.channel, buffer, (uint32_t)capacity, sizeof(*buffer)) == 0);
  for (int32_t i = 0; i < senders + receivers; i++)
    CHECK(sf_spawn(i < senders ? storm_send_task : storm_receive_task, NULL, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < senders + receivers; i++) {
    int32_t line;
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  for (int32_t i = 0; i < total; i++) CHECK(storm.seen[i] == 1);
  free(storm.seen);
  free(buffer);
  return 0;
}

/* ── With cancels: an item is either sent or the send was canceled, never both or neither ──────── */

static int32_t tally_sent, tally_received, tally_canceled;

static int32_t tally_send_task(void *unused) {
  (void)unused;
  int32_t item = 1;
  stagger();
  int32_t result = sf_channel_send(&channel, &item);
  if (result == 0) tally_sent++;
  else if (result == -SF_ECANCELED) tally_canceled++;
  else return __LINE__;
  return 0;
}

static int32_t tally_receive_task(void *unused) {
  (void)unused;
  int32_t item = 0;
  stagger();
  int32_t result = sf_channel_receive(&channel, &item);
  if (result == 0) tally_received += item;
  else if (result == -SF_ECANCELED) tally_canceled++;
  else return __LINE__;
  return 0;
}

LAW(cancels_lose_nothing)(int32_t capacity, int32_t count, int32_t seed) {
  int32_t buffer[8];
  sf_task_t tasks[64];
  storm.seed = (uint32_t)seed;
  tally_sent = tally_received = tally_canceled = 0;
  CHECK(sf_channel_init(&channel, buffer, (uint32_t)capacity, 4) == 0);
  for (int32_t i = 0; i < count; i++) {
    int32_t send = random_next(&storm.seed) & 1;
    CHECK(sf_spawn(send ? tally_send_task : tally_receive_task, NULL, NULL, &tasks[i]) == 0);
  }
  for (int32_t i = 0; i < count; i++) {
    stagger();
    CHECK(sf_cancel(tasks[random_next(&storm.seed) % (uint32_t)count]) == 0);
  }
  for (int32_t i = 0; i < count; i++) CHECK(sf_cancel(tasks[i]) == 0);
  for (int32_t i = 0; i < count; i++) {
    int32_t line;
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  CHECK(tally_sent == tally_received + (int32_t)sf_channel_count(&channel));
  return 0;
}

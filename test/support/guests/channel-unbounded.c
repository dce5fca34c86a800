/* channel-unbounded.c - laws of channels that grow. */
#include "law-tasks.h"

static struct sf_channel channel;

static int32_t send_one_task(void *number) {
  int32_t item = (int32_t)number;
  return sf_channel_send(&channel, &item);
}

LAW(unbounded_refuses)(void) {
  CHECK(sf_channel_init_unbounded(&channel, 0, 4) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 4, 0) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, (8 << 20) + 1, 1) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 0x10000, 0x10000) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 0x80000000u, 2) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 8 << 20, 1) == 0);
  CHECK(sf_channel_init_unbounded(&channel, 1, 8 << 20) == 0);
  sf_channel_destroy(&channel);
  return 0;
}

/* Grows while its oldest item is in the middle of the buffer, again and again, up to its limit. */
LAW(unbounded_grows_through_wrap_around)(int32_t limit) {
  int32_t next_in = 0, next_out = 0, item;
  CHECK(sf_channel_init_unbounded(&channel, (uint32_t)limit, 4) == 0);
  CHECK(sf_channel_count(&channel) == 0);
  while ((int32_t)sf_channel_count(&channel) < limit) {
    for (int32_t i = 0; i < 5 && (int32_t)sf_channel_count(&channel) < limit; i++, next_in++)
      CHECK(sf_channel_send(&channel, &next_in) == 0);
    for (int32_t i = 0; i < 2 && next_in % 3 == 0; i++, next_out++) {
      CHECK(sf_channel_receive(&channel, &item) == 0);
      CHECK(item == next_out);
    }
  }
  CHECK(sf_channel_try_send(&channel, &next_in) == -SF_EAGAIN);
  CHECK(sf_channel_send_timeout(&channel, &next_in, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  sf_task_t task;
  CHECK(sf_spawn(send_one_task, (void *)next_in, NULL, &task) == 0);
  settle();
  CHECK(sf_task_poll(task, NULL) == -SF_EAGAIN);
  for (; next_out <= next_in; next_out++) {
    CHECK(sf_channel_try_receive(&channel, &item) == 0);
    CHECK(item == next_out);
  }
  CHECK(sf_channel_count(&channel) == 0);
  CHECK_JOIN(task, 0);
  sf_channel_destroy(&channel);
  return 0;
}

/* One item may be larger than what a channel starts with. */
LAW(unbounded_large_items)(int32_t bytes) {
  uint8_t *item = malloc((size_t)bytes);
  sf_task_t task;
  static struct actor actor;
  CHECK(sf_channel_init_unbounded(&channel, 5, (uint32_t)bytes) == 0);
  /* Whoever has the region behind the buffer must not notice. */
  for (int32_t i = 0; i < 5; i++) {
    memset(item, 0x11 * (i + 1), (size_t)bytes);
    CHECK(sf_channel_send(&channel, item) == 0);
    CHECK(sf_spawn(send_one_task, &actor, NULL, &task) == 0);
    CHECK(sf_cancel(task) == 0);
    CHECK(sf_detach(task) == 0);
  }
  CHECK(sf_channel_try_send(&channel, item) == -SF_EAGAIN);
  for (int32_t i = 0; i < 5; i++) {
    CHECK(sf_channel_receive(&channel, item) == 0);
    for (int32_t at = 0; at < bytes; at++) CHECK(item[at] == 0x11 * (i + 1));
  }
  sf_channel_destroy(&channel);
  settle();
  return 0;
}

/* Would use the whole memory up if it were not given back. */
LAW(unbounded_destroy_gives_back)(void) {
  static uint8_t item[1 << 16];
  for (int32_t round = 0; round < 400; round++) {
    CHECK(sf_channel_init_unbounded(&channel, 128, sizeof(item)) == 0);
    for (int32_t i = 0; i < 65; i++) CHECK(sf_channel_send(&channel, item) == 0);
    sf_channel_destroy(&channel);
    sf_channel_destroy(&channel);
  }
  CHECK(sf_channel_send(&channel, item) == -SF_EPIPE);
  CHECK(sf_channel_receive(&channel, item) == -SF_EPIPE);
  CHECK(sf_channel_count(&channel) == 0);
  return 0;
}

static int32_t hold_task(void *unused) {
  (void)unused;
  return sf_park();
}

static int32_t fillers_count;
static sf_task_t fillers[8192];

/* Tasks of every size, from the largest down, until there is no memory left. */
static int32_t use_up_memory(void) {
  for (uint32_t bytes = 8 << 20; bytes >= 1024; bytes /= 2) {
    struct sf_spawn_options options = {.stack_bytes = bytes};
    int32_t error = 0;
    while (error == 0 && fillers_count < 8192) {
      error = sf_spawn(hold_task, NULL, &options, &fillers[fillers_count]);
      if (error == 0) fillers_count++;
    }
    CHECK(error == -SF_ENOMEM);
  }
  return 0;
}

static int32_t free_fillers(void) {
  while (fillers_count > 0) {
    CHECK(sf_cancel(fillers[--fillers_count]) == 0);
    CHECK_JOIN(fillers[fillers_count], -SF_ECANCELED);
  }
  return 0;
}

static int32_t room_task(void *bytes) { return sf_spawn_room(hold_task, (uint32_t)bytes); }

LAW(unbounded_without_memory)(void) {
  static struct sf_channel other;
  static uint64_t items[1024];
  int32_t line;
  uint64_t item = 0;
  CHECK(sf_channel_init_unbounded(&channel, 1000, 8) == 0);
  CHECK(sf_channel_init_unbounded(&other, 1000, 8) == 0);
  for (uint64_t i = 0; i < 100; i++) CHECK(sf_channel_send(&channel, &i) == 0);
  if ((line = use_up_memory()) != 0) return line;
  CHECK(sf_channel_send(&other, &item) == -SF_ENOMEM);
  CHECK(sf_channel_try_send(&other, &item) == -SF_ENOMEM);
  CHECK(sf_channel_send_many(&other, items, 3) == -SF_ENOMEM);
  CHECK(sf_channel_try_receive(&other, &item) == -SF_EAGAIN);
  /* What fits goes in, and nothing of what is there is lost. */
  for (uint64_t i = 0; i < 1000; i++) items[i] = 100 + i;
  CHECK(sf_channel_send_many(&channel, items, 1000) == 28);
  CHECK(sf_channel_send(&channel, &item) == -SF_ENOMEM);
  CHECK(sf_channel_receive(&channel, &item) == 0 && item == 0);
  item = 128;
  CHECK(sf_channel_send(&channel, &item) == 0);
  CHECK(sf_channel_send(&channel, &item) == -SF_ENOMEM);
  for (uint64_t i = 1; i <= 128; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == i);
  }
  /* Its memory is room for a task, and whoever waits for that learns of it. */
  CHECK(sf_cancel(fillers[fillers_count - 1]) == 0);
  CHECK_JOIN(fillers[--fillers_count], -SF_ECANCELED);
  sf_task_t task;
  struct sf_spawn_options options = {.stack_bytes = 1024};
  CHECK(sf_spawn(room_task, (void *)1024, &options, &task) == 0);
  settle();
  CHECK(sf_task_poll(task, NULL) == -SF_EAGAIN);
  sf_channel_destroy(&channel);
  CHECK_JOIN(task, 0);
  sf_channel_destroy(&other);
  return free_fillers();
}

/* shared-channels.c - channels between executors, by id or name. */
#include "law.h"

__attribute__((import_module("env"), import_name("act"))) int32_t host_act(int32_t what);

static struct sf_shared_channel attached(uint32_t id) {
  struct sf_shared_channel channel;
  if (sf_shared_channel_attach(&channel, id) < 0) __builtin_trap();
  return channel;
}

int32_t EXPORT(current)(void) { return (int32_t)sf_executor_current(); }
int32_t EXPORT(count)(void) { return (int32_t)sf_executor_count(); }

/* Sends first, first + 1, ...; returns how many went. */
int32_t EXPORT(send_range)(uint32_t id, int32_t first, int32_t count) {
  struct sf_shared_channel channel = attached(id);
  for (int32_t i = 0; i < count; i++) {
    int32_t item = first + i;
    if (sf_shared_channel_send(&channel, &item) < 0) return i;
  }
  return count;
}

/* As sf_shared_channel_send. */
int32_t EXPORT(send)(uint32_t id, int32_t item) {
  struct sf_shared_channel channel = attached(id);
  return sf_shared_channel_send(&channel, &item);
}

/* An item, or the error. */
int32_t EXPORT(receive)(uint32_t id) {
  struct sf_shared_channel channel = attached(id);
  int32_t item, error = sf_shared_channel_receive(&channel, &item);
  return error < 0 ? error : item;
}
int32_t EXPORT(receive_timeout)(uint32_t id, int64_t ns) {
  struct sf_shared_channel channel = attached(id);
  int32_t item, error = sf_shared_channel_receive_timeout(&channel, &item, sf_after((uint64_t)ns));
  return error < 0 ? error : item;
}

/* Passes on what it receives, with its number, until it is canceled or the channel has ended: that error.
 * What it has received it passes on in spite of a cancel. */
int32_t EXPORT(pass_on)(uint32_t from, uint32_t to, int32_t number) {
  struct sf_shared_channel in = attached(from), out = attached(to);
  for (;;) {
    int32_t passed[2] = {number, 0};
    int32_t error = sf_shared_channel_receive(&in, &passed[1]);
    if (error < 0) return error;
    sf_shield_begin();
    error = sf_shared_channel_send(&out, passed);
    sf_shield_end();
    if (error < 0) return error;
  }
}

/* Answers each item of `in` with itself in `out`; returns how many. */
int32_t EXPORT(echo)(uint32_t in_id, uint32_t out_id) {
  struct sf_shared_channel in = attached(in_id), out = attached(out_id);
  int32_t item, count = 0;
  while (sf_shared_channel_receive(&in, &item) == 0) {
    if (sf_shared_channel_send(&out, &item) < 0) return count;
    count++;
  }
  return count;
}

/* Of two channels and a local event, whichever is ready: 10 * the arm + the item, or the error. */
int32_t EXPORT(select_one)(uint32_t receive_id, uint32_t send_id, int32_t item, int32_t event_set) {
  struct sf_shared_channel in = attached(receive_id), out = attached(send_id);
  struct sf_event event;
  sf_event_init(&event, 0);
  if (event_set) sf_event_set(&event);
  int32_t received = 0;
  struct sf_arm arms[] = {sf_on_shared_receive(&in, &received), sf_on_shared_send(&out, &item),
                          sf_on_event(&event)};
  int32_t which = sf_select(arms, 3);
  if (which < 0) return which;
  if (arms[which].waiter.result < 0) return arms[which].waiter.result;
  return 10 * which + received;
}

/* Receives once, if it is its turn, then does in the host what `what` says. */
int32_t EXPORT(receive_then_act)(uint32_t id, int32_t what) {
  struct sf_shared_channel channel = attached(id);
  int32_t item, error = sf_shared_channel_receive(&channel, &item);
  if (error < 0) return error;
  host_act(what);
  return sf_park();
}
int32_t EXPORT(send_then_act)(uint32_t id, int32_t item, int32_t what) {
  struct sf_shared_channel channel = attached(id);
  int32_t error = sf_shared_channel_send(&channel, &item);
  if (error < 0) return error;
  host_act(what);
  return sf_park();
}

/* By name, on whichever executor comes first: `role` 0 sends `item`, 1 receives one. */
int32_t EXPORT(by_name)(int32_t role, int32_t item) {
  struct sf_shared_channel channel;
  int32_t error = sf_shared_channel_open(&channel, "by name", 1, sizeof item);
  if (error < 0) return error;
  error = role == 0 ? sf_shared_channel_send(&channel, &item)
                    : sf_shared_channel_receive(&channel, &item);
  return error < 0 ? error : item;
}

/* Says on which executor it runs, and what it was given. */
struct told {
  uint32_t to;
  int32_t executor;
  int32_t numbers[3];
};
static int32_t tell(void *argument) {
  struct told told = *(struct told *)argument;
  struct sf_shared_channel channel = attached(told.to);
  sf_yield();
  told.executor = (int32_t)sf_executor_current();
  return sf_shared_channel_send(&channel, &told);
}
static int32_t trap(void *argument) {
  (void)argument;
  __builtin_trap();
}
/* Returns the first error. */
int32_t EXPORT(spawn_tellers)(uint32_t to, int32_t placement, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    struct told told = {.to = to, .numbers = {i, 2 * i, 3 * i}};
    int32_t error = sf_executor_spawn(placement, tell, &told, sizeof told);
    if (error < 0) return error;
  }
  return 0;
}
int32_t EXPORT(spawn_trap)(int32_t placement) {
  return sf_executor_spawn(placement, trap, NULL, 0);
}

LAW(refusals)(void) {
  struct sf_shared_channel channel, same;
  int32_t item = 1;
  CHECK(sf_executor_spawn(-3, trap, NULL, 0) == -SF_EINVAL);
  CHECK(sf_executor_spawn((int32_t)sf_executor_count(), trap, NULL, 0) == -SF_EINVAL);
  CHECK(sf_executor_spawn(SF_EXECUTOR_LOCAL, trap, &item, 1025) == -SF_EINVAL);
  CHECK(sf_executor_spawn(SF_EXECUTOR_LOCAL, trap, (void *)0xfffffff0, 64) == -SF_EFAULT);
  CHECK(sf_shared_channel_open(&channel, NULL, 0, 4) == -SF_EINVAL);
  CHECK(sf_shared_channel_open(&channel, NULL, 4, 0) == -SF_EINVAL);
  CHECK(sf_shared_channel_open(&channel, NULL, 1u << 30, 1u << 30) == -SF_ENOMEM);
  CHECK(sf_shared_channel_open(&channel, NULL, UINT32_MAX, UINT32_MAX) == -SF_ENOMEM);
  CHECK(sf_shared_channel_open(&channel, "refusals", 2, 4) == 0);
  CHECK(sf_shared_channel_open(&same, "refusals", 2, 4) == 0);
  CHECK(same.id == channel.id && same.readable == channel.readable);
  CHECK(sf_shared_channel_open(&same, "refusals", 3, 4) == -SF_EINVAL);
  CHECK(sf_shared_channel_open(&same, "refusals", 2, 8) == -SF_EINVAL);
  char name[66];
  memset(name, 'n', 65);
  name[65] = 0;
  CHECK(sf_shared_channel_open(&same, name, 2, 4) == -SF_EINVAL);
  CHECK(sf_shared_channel_attach(&same, channel.id + 8) == -SF_EBADF);
  CHECK(sf_shared_channel_attach(&same, 0) == -SF_EBADF);
  CHECK(sf_shared_send_now(channel.id + 1, &item, 0) == -SF_EBADF);
  CHECK(sf_shared_send_now(channel.id, (void *)0xfffffffc, 0) == -SF_EFAULT);
  CHECK(sf_shared_receive_now(channel.id, (void *)0xfffffff0, 0) == -SF_EAGAIN ||
        sf_shared_receive_now(channel.id, (void *)0xfffffff0, 0) == -SF_EFAULT);
  CHECK(sf_shared_attach_with((void *)0xfffffff0, channel.id, NULL, NULL) == -SF_EFAULT);
  CHECK(sf_shared_open_with(&same, (void *)0xfffffff0, 64, 1, 1, NULL, NULL) == -SF_EFAULT);
  return 0;
}

LAW(alone)(void) {
  struct sf_shared_channel channel;
  int32_t item = 5;
  CHECK(sf_shared_channel_open(&channel, NULL, 2, sizeof item) == 0);
  CHECK(sf_shared_channel_try_receive(&channel, &item) == -SF_EAGAIN);
  CHECK(sf_shared_channel_receive_timeout(&channel, &item, sf_after(1000)) == -SF_ETIMEDOUT);
  CHECK(sf_shared_channel_send(&channel, &item) == 0);
  CHECK(sf_shared_channel_try_send(&channel, &item) == 0);
  CHECK(sf_shared_channel_try_send(&channel, &item) == -SF_EAGAIN);
  CHECK(sf_shared_channel_count(&channel) == 2);
  sf_shared_channel_close(&channel);
  CHECK(sf_shared_channel_send(&channel, &item) == -SF_EPIPE);
  CHECK(sf_shared_channel_receive(&channel, &item) == 0 && item == 5);
  CHECK(sf_shared_channel_receive(&channel, &item) == 0);
  CHECK(sf_shared_channel_receive(&channel, &item) == -SF_EPIPE);
  return 0;
}

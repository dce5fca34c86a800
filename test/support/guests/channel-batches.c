/* channel-batches.c - laws of sending and receiving many items in one call. */
#include "law-tasks.h"

static struct sf_channel channel;

static int32_t batch_task(void *argument) {
  struct actor *actor = argument;
  int32_t items[8];
  for (int32_t i = 0; i < 8; i++) items[i] = actor->id + i;
  actor->result = actor->timeout == 0
                      ? sf_channel_send_many(&channel, items, 8)
                      : sf_channel_send_many_timeout(&channel, items, 8, actor->timeout);
  actor->amount = sf_checkpoint();
  return actor->result;
}

/* How a batch ends that has sent 3 of 8: 0 closed, 1 closed at once, 2 canceled, 3 timed out. */
LAW(batch_partial)(int32_t capacity, int32_t how) {
  static struct actor batch, other;
  int32_t *buffer = malloc((size_t)capacity * 4 + 1), item;
  CHECK(sf_channel_init(&channel, buffer, (uint32_t)capacity, 4) == 0);
  batch.timeout = how == 3 ? sf_after(SF_SECOND) : 0;
  CHECK(act(&batch, 100, batch_task) == 0);
  CHECK(act(&other, 200, batch_task) == 0);
  settle();
  for (int32_t i = 0; i < 3 - capacity; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 100 + i);
  }
  settle();
  CHECK(sf_task_poll(batch.task, NULL) == -SF_EAGAIN);
  if (how < 2) sf_channel_close(&channel, (uint32_t)how);
  if (how == 2) CHECK(sf_cancel(batch.task) == 0);
  if (how == 3) CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK_JOIN(batch.task, 3);
  /* A request stays pending; a time that was up does not. */
  CHECK(batch.amount == (how == 2 ? -SF_ECANCELED : 0));
  for (int32_t i = 0; how != 1 && i < capacity; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 100 + 3 - capacity + i);
  }
  if (how < 2) {
    CHECK(sf_channel_receive(&channel, &item) == -SF_EPIPE);
    CHECK_JOIN(other.task, -SF_EPIPE);
    return 0;
  }
  /* The next in line goes on. */
  for (int32_t i = 0; i < 8; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 200 + i);
  }
  CHECK_JOIN(other.task, 8);
  return 0;
}

/* None was sent: then the error is returned, and the request is used up. */
LAW(batch_none)(int32_t how) {
  static struct actor batch;
  int32_t buffer[1] = {0}, item;
  CHECK(sf_channel_init(&channel, buffer, 1, 4) == 0);
  CHECK(sf_channel_send(&channel, buffer) == 0);
  batch.timeout = how == 3 ? sf_after(SF_SECOND) : 0;
  CHECK(act(&batch, 100, batch_task) == 0);
  settle();
  if (how < 2) sf_channel_close(&channel, (uint32_t)how);
  if (how == 2) CHECK(sf_cancel(batch.task) == 0);
  if (how == 3) CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK_JOIN(batch.task, how < 2 ? -SF_EPIPE : how == 2 ? -SF_ECANCELED : -SF_ETIMEDOUT);
  CHECK(batch.amount == 0);
  if (how != 1) CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_channel_count(&channel) == 0);
  return 0;
}

LAW(batch_edges)(void) {
  int32_t buffer[4], items[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(sf_channel_init(&channel, buffer, 4, 4) == 0);
  CHECK(sf_channel_send_many(&channel, items, 0) == 0);
  CHECK(sf_channel_send_many(&channel, NULL, 0) == 0);
  CHECK(sf_channel_receive_many(&channel, NULL, 0) == 0);
  CHECK(sf_channel_send_many(&channel, items, 0x40000001u) == -SF_EINVAL);
  CHECK(sf_channel_send_many(&channel, items, UINT32_MAX) == -SF_EINVAL);
  CHECK(sf_channel_receive_many(&channel, items, 0x40000001u) == -SF_EINVAL);
  CHECK(sf_channel_count(&channel) == 0);
  CHECK(sf_channel_send_many(&channel, items, 4) == 4);
  /* What fits is sent before the request counts, and then it stays. */
  int32_t item;
  CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_channel_send_many(&channel, items, 2) == 1);
  CHECK(sf_channel_send_many(&channel, items, 2) == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  CHECK(sf_channel_send_many_timeout(&channel, items, 2, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_channel_send_many_timeout(&channel, items, 2, sf_after(0)) == 1);
  CHECK(sf_checkpoint() == 0);
  CHECK(sf_channel_receive_many(&channel, items, 8) == 4);
  CHECK(sf_channel_receive_many_timeout(&channel, items, 8, sf_after(0)) == -SF_ETIMEDOUT);
  sf_channel_close(&channel, 0);
  CHECK(sf_channel_send_many(&channel, items, 0) == 0);
  CHECK(sf_channel_send_many(&channel, items, 1) == -SF_EPIPE);
  CHECK(sf_channel_receive_many(&channel, items, 1) == -SF_EPIPE);
  return 0;
}

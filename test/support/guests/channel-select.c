/* channel-select.c - laws of selects that send and receive. */
#include "law-tasks.h"

static struct sf_channel left, right;

/* Sends to the left or receives from the right, whichever comes first. */
static int32_t select_task(void *argument) {
  struct actor *actor = argument;
  int32_t out = actor->id, in = 0;
  struct sf_arm arms[] = {sf_on_send(&left, &out), sf_on_receive(&right, &in)};
  int32_t which = sf_select(arms, 2);
  if (which < 0) return which;
  actor->result = arms[which].waiter.result;
  actor->amount = in;
  return which;
}

/* Arms stand in line with plain calls, the winner alone has an effect, in either direction. */
LAW(select_channels)(int32_t capacity) {
  static struct actor actors[6];
  int32_t buffers[2][2], item;
  CHECK(sf_channel_init(&left, buffers[0], (uint32_t)capacity, 4) == 0);
  CHECK(sf_channel_init(&right, buffers[1], (uint32_t)capacity, 4) == 0);
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_send(&left, &(int32_t){50 + i}) == 0);
  for (int32_t i = 0; i < 6; i++) CHECK(act(&actors[i], i, select_task) == 0);
  settle();
  CHECK(sf_channel_try_send(&right, &(int32_t){100}) == 0); /* Received by 0. */
  CHECK(sf_cancel(actors[1].task) == 0);
  for (int32_t i = 0; i < capacity; i++) {
    CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 50 + i);
  }
  for (int32_t i = 0; i < capacity; i++) {
    CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 2 + i); /* Sent by 2 and so on. */
  }
  if (capacity == 0) CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 2);
  CHECK_JOIN(actors[0].task, 1);
  CHECK(actors[0].result == 0 && actors[0].amount == 100);
  CHECK_JOIN(actors[1].task, -SF_ECANCELED);
  settle();
  /* Served so far: those up to `next`. Some stand in the buffer of the left channel. */
  int32_t next = 3;
  while (next < 6 && sf_task_poll(actors[next].task, NULL) == 0) next++;
  CHECK(capacity == 0 ? next == 3 : next == 2 + 2 * capacity);
  for (; next < 5; next++) {
    CHECK(sf_channel_try_send(&right, &(int32_t){200 + next}) == 0);
    settle();
    int32_t which;
    CHECK(sf_task_poll(actors[next].task, &which) == 0 && which == 1);
    CHECK(actors[next].amount == 200 + next);
  }
  /* Two selects meet. */
  if (next == 5) {
    struct sf_arm arms[] = {sf_on_send(&right, &(int32_t){7}), sf_on_receive(&left, &item)};
    CHECK(sf_select_try(arms, 2) == 0);
    settle();
    CHECK(sf_task_poll(actors[5].task, NULL) == 0 && actors[5].amount == 7);
  }
  for (int32_t i = 2; i < 6; i++) CHECK(sf_join(actors[i].task, NULL) == 0);
  /* Closed: an arm is ready with EPIPE, at once and while it waits. */
  struct sf_arm arms[] = {sf_on_receive(&right, &item)};
  CHECK(sf_select_try(arms, 1) == -SF_EAGAIN);
  while (sf_channel_try_receive(&left, &item) == 0) {
  }
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_send(&left, &i) == 0);
  for (int32_t i = 0; i < 2; i++) CHECK(act(&actors[i], i, select_task) == 0);
  settle();
  sf_channel_close(&left, 0);
  for (int32_t i = 0; i < 2; i++) {
    CHECK_JOIN(actors[i].task, 0);
    CHECK(actors[i].result == -SF_EPIPE);
  }
  sf_channel_close(&right, 0);
  CHECK(sf_select(arms, 1) == 0 && arms[0].waiter.result == -SF_EPIPE);
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_receive(&left, &item) == 0 && item == i);
  return 0;
}

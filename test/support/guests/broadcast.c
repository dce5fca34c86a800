/* broadcast.c - laws of broadcasts. */
#include "law-tasks.h"

static struct sf_broadcast broadcast;
static int32_t broadcast_buffer[16];
static uint32_t seed;

/* Near the wrap of its 32-bit position, or at its start. */
static int32_t broadcast_begin(uint32_t capacity, uint32_t position) {
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, capacity, 4) == 0);
  ((uint32_t *)&broadcast)[3] = position;
  return 0;
}

static int32_t broadcast_numbers(int32_t first, int32_t last) {
  for (; first <= last; first++) CHECK(sf_broadcast_send(&broadcast, &first) == 0);
  return 0;
}

static int32_t consumer_reads(struct sf_consumer *consumer, int32_t first, int32_t last) {
  for (; first <= last; first++) {
    int32_t item = 0;
    CHECK((first & 1 ? sf_broadcast_receive(&broadcast, consumer, &item)
                     : sf_broadcast_try_receive(&broadcast, consumer, &item)) == 0);
    CHECK(item == first);
  }
  return 0;
}

LAW(broadcast_lag)(int32_t position) {
  struct sf_consumer early, late, idle;
  int32_t item;
  CHECK(broadcast_begin(4, (uint32_t)position) == 0);
  sf_broadcast_subscribe(&broadcast, &early);
  sf_broadcast_subscribe(&broadcast, &idle);
  CHECK(sf_broadcast_try_receive(&broadcast, &early, &item) == -SF_EAGAIN);
  CHECK(broadcast_numbers(1, 3) == 0);
  sf_broadcast_subscribe(&broadcast, &late); /* Sees only what comes. */
  CHECK(sf_broadcast_try_receive(&broadcast, &late, &item) == -SF_EAGAIN);
  CHECK(consumer_reads(&early, 1, 2) == 0);
  CHECK(broadcast_numbers(4, 6) == 0);
  CHECK(consumer_reads(&early, 3, 6) == 0 && early.missed == 0);
  CHECK(broadcast_numbers(7, 10) == 0);
  CHECK(sf_broadcast_receive(&broadcast, &late, &item) == -SF_EOVERFLOW);
  CHECK(late.missed == 3);
  CHECK(consumer_reads(&late, 7, 10) == 0);
  CHECK(consumer_reads(&early, 7, 10) == 0 && early.missed == 0);
  /* Told again when it falls behind again, while it is told: one report, all of the loss. */
  CHECK(broadcast_numbers(11, 20) == 0);
  CHECK(sf_broadcast_try_receive(&broadcast, &late, &item) == -SF_EOVERFLOW);
  CHECK(late.missed == 9);
  CHECK(broadcast_numbers(21, 22) == 0);
  CHECK(sf_broadcast_receive(&broadcast, &late, &item) == -SF_EOVERFLOW);
  CHECK(late.missed == 11);
  CHECK(consumer_reads(&late, 19, 22) == 0);
  /* After the close all that is there can be read. */
  sf_broadcast_close(&broadcast);
  sf_broadcast_close(&broadcast);
  CHECK(sf_broadcast_send(&broadcast, &item) == -SF_EPIPE);
  CHECK(sf_broadcast_receive(&broadcast, &late, &item) == -SF_EPIPE);
  CHECK(sf_broadcast_try_receive(&broadcast, &late, &item) == -SF_EPIPE);
  CHECK(sf_broadcast_receive(&broadcast, &idle, &item) == -SF_EOVERFLOW);
  CHECK(idle.missed == 18);
  CHECK(consumer_reads(&idle, 19, 22) == 0);
  CHECK(sf_broadcast_receive(&broadcast, &idle, &item) == -SF_EPIPE);
  sf_broadcast_subscribe(&broadcast, &late);
  CHECK(sf_broadcast_receive(&broadcast, &late, &item) == -SF_EPIPE);
  return 0;
}

static int32_t consumer_task(void *argument) {
  struct actor *actor = argument;
  struct sf_consumer consumer;
  sf_broadcast_subscribe(&broadcast, &consumer);
  for (int32_t want = 1;; want++) {
    int32_t item = 0;
    int32_t result =
        actor->timeout == 0
            ? sf_broadcast_receive(&broadcast, &consumer, &item)
            : sf_broadcast_receive_timeout(&broadcast, &consumer, &item, actor->timeout);
    note(actor->id);
    if (result < 0) {
      CHECK(consumer.missed == 0 && want == actor->amount + 1);
      return result;
    }
    CHECK(item == want);
  }
}

LAW(broadcast_parked_consumers)(int32_t position) {
  static struct actor actors[5];
  CHECK(broadcast_begin(2, (uint32_t)position) == 0);
  for (int32_t i = 0; i < 5; i++) {
    actors[i].timeout = i == 3 ? sf_after(SF_SECOND) : 0;
    actors[i].amount = i == 1 ? 0 : i == 3 ? 2 : 4;
    CHECK(act(&actors[i], i, consumer_task) == 0);
  }
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_cancel(actors[1].task) == 0);
  settle();
  CHECK(broadcast_numbers(1, 1) == 0);
  CHECK(broadcast_numbers(2, 2) == 0); /* Before any of them runs. */
  settle();
  static const int32_t order[9] = {1, 0, 0, 2, 2, 3, 3, 4, 4};
  for (int32_t i = 0; i < 9; i++) CHECK(notes[i] == order[i]);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(broadcast_numbers(3, 4) == 0);
  sf_broadcast_close(&broadcast); /* They have not read the last yet. */
  for (int32_t i = 0; i < 5; i++)
    CHECK_JOIN(actors[i].task, i == 1 ? -SF_ECANCELED : i == 3 ? -SF_ETIMEDOUT : -SF_EPIPE);
  return 0;
}

/* Against a log of everything: consumers, sends and subscriptions at random. */
LAW(broadcast_agrees_with_a_log)(int32_t capacity, int32_t position, int32_t seed_given) {
  static int32_t read[6];
  static struct sf_consumer consumers[6];
  static uint32_t missed[6];
  seed = (uint32_t)seed_given;
  int32_t sent = 0;
  CHECK(broadcast_begin((uint32_t)capacity, (uint32_t)position) == 0);
  for (int32_t i = 0; i < 6; i++) sf_broadcast_subscribe(&broadcast, &consumers[i]);
  for (int32_t step = 0; step < 2000; step++) {
    uint32_t who = random_next(&seed) % 6;
    switch (random_next(&seed) % 4) {
      case 0:
        CHECK(sf_broadcast_send(&broadcast, &sent) == 0);
        sent++;
        break;
      case 1:
        if (random_next(&seed) % 20 != 0) break;
        sf_broadcast_subscribe(&broadcast, &consumers[who]);
        read[who] = sent;
        missed[who] = 0;
        break;
      default: {
        int32_t item = -1;
        int32_t oldest = sent > capacity ? sent - capacity : 0;
        int32_t result = sf_broadcast_try_receive(&broadcast, &consumers[who], &item);
        if (read[who] == sent) {
          CHECK(result == -SF_EAGAIN);
        } else if (read[who] < oldest) {
          CHECK(result == -SF_EOVERFLOW);
          missed[who] += (uint32_t)(oldest - read[who]);
          read[who] = oldest;
        } else {
          CHECK(result == 0 && item == read[who]++);
        }
        CHECK(consumers[who].missed == missed[who]);
      }
    }
  }
  return 0;
}

static struct sf_broadcast other_broadcast;

static int32_t select_broadcast_task(void *argument) {
  struct actor *actor = argument;
  struct sf_consumer here, there;
  int32_t item = 0;
  sf_broadcast_subscribe(&broadcast, &here);
  sf_broadcast_subscribe(&other_broadcast, &there);
  struct sf_arm arms[] = {sf_on_broadcast(&broadcast, &here, &item),
                          sf_on_broadcast(&other_broadcast, &there, &item)};
  int32_t which = sf_select(arms, 2);
  actor->result = arms[which].waiter.result;
  CHECK(arms[which].waiter.result != 0 || item == 42);
  /* The other was not read. */
  CHECK(sf_broadcast_try_receive(which ? &broadcast : &other_broadcast, which ? &here : &there,
                                 &item) == (actor->id ? 0 : -SF_EAGAIN));
  return which;
}

LAW(broadcast_select)(void) {
  static struct actor actors[3];
  static int32_t other_buffer[2];
  struct sf_consumer consumer;
  int32_t item = 42;
  CHECK(broadcast_begin(2, (uint32_t)-1) == 0);
  CHECK(sf_broadcast_init(&other_broadcast, other_buffer, 2, 4) == 0);
  CHECK(act(&actors[0], 0, select_broadcast_task) == 0);
  settle();
  CHECK(sf_broadcast_send(&other_broadcast, &item) == 0);
  CHECK_JOIN(actors[0].task, 1);
  CHECK(act(&actors[1], 1, select_broadcast_task) == 0);
  settle();
  CHECK(sf_broadcast_send(&broadcast, &item) == 0);
  CHECK(sf_broadcast_send(&other_broadcast, &item) == 0);
  CHECK_JOIN(actors[1].task, 0);
  /* There already; lagging; closed. */
  sf_broadcast_subscribe(&broadcast, &consumer);
  for (item = 1; item <= 5; item++) CHECK(sf_broadcast_send(&broadcast, &item) == 0);
  for (int32_t i = 0; i < 4; i++) {
    struct sf_arm arm = sf_on_broadcast(&broadcast, &consumer, &item);
    if (i == 3) sf_broadcast_close(&broadcast);
    CHECK(sf_select(&arm, 1) == 0);
    CHECK(arm.waiter.result == (i == 0 ? -SF_EOVERFLOW : i == 3 ? -SF_EPIPE : 0));
    CHECK(i == 0 || i == 3 || item == 3 + i);
  }
  CHECK(consumer.missed == 3);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 2, 4) == 0);
  CHECK(act(&actors[2], 0, select_broadcast_task) == 0);
  settle();
  sf_broadcast_close(&broadcast); /* While it waits. */
  CHECK_JOIN(actors[2].task, 0);
  CHECK(actors[2].result == -SF_EPIPE);
  return 0;
}

LAW(broadcast_refuses)(void) {
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 0, 4) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 4, 0) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, NULL, 4, 4) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 0x10000, 0x10000) == -SF_EINVAL);
  return 0;
}

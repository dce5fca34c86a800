/* values.c - laws of futures, once, futexes, tickers, rate limiters, broadcast, watch and signals. */
#include "law-tasks.h"

__attribute__((import_module("test"), import_name("raise"))) uint32_t test_raise(uint32_t kind);

static uint32_t seed;

/* ── Future ────────────────────────────────────────────────────────────────────────────────────── */

struct pair {
  int32_t a, b;
};

static struct sf_future future;
static struct pair future_storage;

static int32_t future_task(void *argument) {
  struct actor *actor = argument;
  struct pair value = {0, 0};
  void *out = actor->amount ? NULL : &value;
  int32_t result = actor->timeout == 0 ? sf_future_wait(&future, out)
                                       : sf_future_wait_timeout(&future, out, actor->timeout);
  note(actor->id);
  if (result == 0 && out != NULL) CHECK(value.a == 3 && value.b == 4);
  if (result != 0) CHECK(value.a == 0);
  return result;
}

LAW(future_is_set_once)(void) {
  static struct actor actors[6];
  struct pair value = {3, 4}, got = {0, 0};
  sf_future_init(&future, &future_storage, sizeof(future_storage));
  CHECK(sf_future_try(&future, &got) == -SF_EAGAIN);
  CHECK(sf_future_wait_timeout(&future, &got, sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 6; i++) {
    actors[i].amount = i == 3;
    actors[i].timeout = i == 2 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, future_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2);
  CHECK(sf_future_set(&future, &value) == 0);
  value.a = 99;
  CHECK(sf_future_set(&future, &value) == -SF_EALREADY);
  sf_future_close(&future); /* No effect. */
  settle();
  CHECK(notes_count == 6 && notes[2] == 1 && notes[3] == 3 && notes[4] == 4 && notes[5] == 5);
  for (int32_t i = 0; i < 6; i++)
    CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : i == 2 ? -SF_ETIMEDOUT : 0);
  for (int32_t i = 0; i < 3; i++) {
    memset(&got, 0, sizeof(got));
    CHECK((i ? sf_future_wait(&future, &got) : sf_future_try(&future, &got)) == 0);
    CHECK(got.a == 3 && got.b == 4);
  }
  CHECK(sf_future_wait_timeout(&future, NULL, sf_after(0)) == 0);
  return 0;
}

LAW(future_closed)(void) {
  static struct actor actors[3];
  struct pair value = {3, 4};
  sf_future_init(&future, &future_storage, sizeof(future_storage));
  for (int32_t i = 0; i < 3; i++) CHECK(act(&actors[i], i, future_task) == 0);
  settle();
  sf_future_close(&future);
  sf_future_close(&future);
  CHECK(sf_future_set(&future, &value) == -SF_EALREADY);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EPIPE);
  CHECK(sf_future_try(&future, &value) == -SF_EPIPE);
  CHECK(sf_future_wait(&future, &value) == -SF_EPIPE);
  /* A value of no bytes is still set once. */
  sf_future_init(&future, NULL, 0);
  CHECK(sf_future_try(&future, NULL) == -SF_EAGAIN);
  CHECK(sf_future_set(&future, NULL) == 0);
  CHECK(sf_future_set(&future, NULL) == -SF_EALREADY);
  CHECK(sf_future_wait(&future, NULL) == 0);
  CHECK(sf_future_wait(&future, &value) == 0);
  CHECK(value.a == 3);
  return 0;
}

/* ── Once ──────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_once once;
static int32_t once_runs, once_inside;

/* Fails as often as *argument says, then succeeds. */
static int32_t once_function(void *failures) {
  if (++once_inside != 1) return -SF_EPROTO;
  once_runs++;
  CHECK(sf_once_begin(&once) == -SF_EDEADLK);
  int32_t error = sf_sleep(SF_SECOND);
  once_inside--;
  if (error < 0) return error;
  return (*(int32_t *)failures)-- > 0 ? -SF_EIO : 5;
}

static int32_t once_failures;

static int32_t once_task(void *argument) {
  struct actor *actor = argument;
  actor->result = sf_once(&once, once_function, &once_failures);
  note(actor->id);
  return actor->result;
}

/* Each failure is its caller's own, and the next in line tries; after a success all have it. */
LAW(once_failure_passes_on)(int32_t failures) {
  static struct actor actors[5];
  once_failures = failures;
  for (int32_t i = 0; i < 5; i++) CHECK(act(&actors[i], i, once_task) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK_JOIN(actors[i].task, i < failures ? -SF_EIO : 0);
  CHECK(once_runs == (failures < 5 ? failures + 1 : 5));
  for (int32_t i = 0; i < 5; i++) CHECK(notes[i] == i);
  int32_t runs = once_runs;
  CHECK(sf_once(&once, once_function, &once_failures) == 0);
  CHECK(once_runs == runs + (failures >= 5));
  CHECK(sf_once_begin(&once) == 0);
  CHECK(sf_once_end(&once, 1) == -SF_EPERM);
  return 0;
}

/* A canceled waiter leaves the line; a canceled runner fails, and the next one runs. */
LAW(once_cancel)(void) {
  static struct actor actors[4];
  for (int32_t i = 0; i < 4; i++) CHECK(act(&actors[i], i, once_task) == 0);
  settle();
  CHECK(sf_once_end(&once, 1) == -SF_EPERM); /* Not the caller's. */
  CHECK(sf_cancel(actors[1].task) == 0);
  settle();
  CHECK(notes_count == 1 && notes[0] == 1);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, -SF_ECANCELED);
  CHECK(once_runs == 2 && notes_count == 2);
  CHECK_JOIN(actors[2].task, 0);
  CHECK_JOIN(actors[3].task, 0);
  CHECK(once_runs == 2);
  return 0;
}

/* ── Futex ─────────────────────────────────────────────────────────────────────────────────────── */

static uint32_t words[4096];
static uint32_t *futex_words[8];

static int32_t futex_task(void *argument) {
  struct actor *actor = argument;
  uint32_t *word = futex_words[actor->amount];
  int32_t result = actor->timeout == 0 ? sf_futex_wait(word, 7)
                                       : sf_futex_wait_timeout(word, 7, actor->timeout);
  note(actor->id);
  return result;
}

/* Words that share a queue in the core, as its hash is now, and whatever it is. */
static int32_t colliding_words(int32_t count) {
  int32_t found = 0;
  for (int32_t i = 0; i < 4096 && found < count; i++) {
    uint32_t bucket = (uint32_t)(uintptr_t)&words[i] * 2654435769u >> 24;
    if (bucket == (uint32_t)(uintptr_t)&words[0] * 2654435769u >> 24) futex_words[found++] = &words[i];
  }
  for (int32_t i = 0; i < found; i++) *futex_words[i] = 7;
  return found;
}

LAW(futex_by_address)(int32_t collide) {
  static struct actor actors[12];
  if (collide) {
    CHECK(colliding_words(3) == 3);
  } else {
    for (int32_t i = 0; i < 3; i++) *(futex_words[i] = &words[i]) = 7;
  }
  for (int32_t i = 0; i < 12; i++) {
    actors[i].amount = i % 3;
    CHECK(act(&actors[i], i, futex_task) == 0);
  }
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_futex_wake(futex_words[1], 0) == 0);
  CHECK(sf_futex_wake(futex_words[1], 2) == 2);
  settle();
  CHECK(notes_count == 2 && notes[0] == 1 && notes[1] == 4);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_futex_wake(futex_words[0], 1) == 1);
  settle();
  CHECK(notes_count == 4 && notes[2] == 0 && notes[3] == 3);
  CHECK(sf_futex_wake(futex_words[2], UINT32_MAX) == 4);
  CHECK(sf_futex_wake(futex_words[2], UINT32_MAX) == 0);
  CHECK(sf_futex_wake(futex_words[0], 100) == 2);
  CHECK(sf_futex_wake(futex_words[1], 100) == 2);
  for (int32_t i = 0; i < 12; i++) CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : 0);
  return 0;
}

LAW(futex_edges)(void) {
  static struct actor actors[2];
  *(futex_words[0] = &words[0]) = 7;
  CHECK(sf_futex_wait(&words[0], 8) == -SF_EAGAIN);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_futex_wait(&words[0], 8) == -SF_EAGAIN); /* No cancel point. */
  CHECK(sf_futex_wait(&words[0], 7) == -SF_ECANCELED);
  CHECK(sf_futex_wait_timeout(&words[0], 7, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_futex_wait_timeout(&words[0], 7, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_futex_wake(&words[0], 1) == 0);
  CHECK(sf_futex_wake((uint32_t *)0xfffffffc, 1) == 0); /* Only a name. */
  /* A change of the word alone wakes nobody; woken in time is no timeout. */
  actors[0].timeout = sf_after(2 * SF_SECOND);
  for (int32_t i = 0; i < 2; i++) CHECK(act(&actors[i], i, futex_task) == 0);
  settle();
  words[0] = 8;
  CHECK(sf_sleep(SF_SECOND) == 0);
  CHECK(notes_count == 0);
  CHECK(sf_futex_wake(&words[0], 1) == 1);
  CHECK(sf_sleep(5 * SF_SECOND) == 0);
  CHECK(notes_count == 1);
  CHECK(sf_futex_wake(&words[0], 1) == 1);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(actors[i].task, 0);
  return 0;
}

/* ── Ticker ────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_ticker ticker;

LAW(ticker_does_not_drift)(void) {
  uint64_t start = sf_monotonic_ns();
  sf_ticker_start(&ticker, SF_SECOND);
  CHECK(sf_ticker_take(&ticker) == 0);
  for (uint64_t tick = 1; tick <= 50; tick++) {
    CHECK(sf_ticker_wait(&ticker) == 1);
    CHECK(sf_monotonic_ns() == start + tick * SF_SECOND);
    if (tick % 2) test_advance(SF_SECOND / 3); /* Work. */
  }
  /* Missed ticks are told and not made up for. */
  CHECK(sf_ticker_wait(&ticker) == 1);
  CHECK(sf_sleep(7 * SF_SECOND / 2) == 0);
  CHECK(sf_ticker_wait(&ticker) == 3);
  CHECK(sf_ticker_take(&ticker) == 0);
  CHECK(sf_ticker_wait(&ticker) == 1);
  CHECK(sf_monotonic_ns() == start + 55 * SF_SECOND);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_ticker_wait(&ticker) == -SF_ECANCELED);
  CHECK(sf_ticker_wait(&ticker) == 1);
  CHECK(sf_monotonic_ns() == start + 56 * SF_SECOND);
  return 0;
}

static int32_t shared_ticker_task(void *unused) {
  (void)unused;
  for (int32_t i = 0; i < 3; i++) CHECK(sf_ticker_wait(&ticker) >= 1);
  return 0;
}

LAW(ticker_edges)(void) {
  sf_task_t tasks[3];
  sf_ticker_start(&ticker, 0);
  CHECK(sf_ticker_wait(&ticker) >= 1);
  CHECK(sf_sleep(100 * SF_SECOND) == 0);
  CHECK(sf_ticker_wait(&ticker) == INT32_MAX);
  CHECK(sf_ticker_take(&ticker) == 0);
  /* So long a period that the next tick is never. */
  sf_ticker_start(&ticker, UINT64_MAX);
  CHECK(sf_ticker_take(&ticker) == 0);
  CHECK(ticker.next_ns > sf_monotonic_ns());
  CHECK(sf_sleep(1000 * SF_SECOND) == 0);
  CHECK(sf_ticker_take(&ticker) == 0);
  /* Each tick is one task's. */
  sf_ticker_start(&ticker, SF_SECOND);
  uint64_t start = sf_monotonic_ns();
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_spawn(shared_ticker_task, NULL, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(sf_monotonic_ns() == start + 9 * SF_SECOND);
  return 0;
}

/* ── Rate limiter ──────────────────────────────────────────────────────────────────────────────── */

static struct sf_limiter limiter;

LAW(limiter_burst_and_rate)(void) {
  sf_limiter_init(&limiter, SF_SECOND, 3);
  CHECK(sf_yield() == 0);
  uint64_t start = sf_monotonic_ns();
  for (int32_t i = 0; i < 3; i++) CHECK(sf_limiter_try_acquire(&limiter, 1) == 0);
  CHECK(sf_limiter_try_acquire(&limiter, 1) == -SF_EAGAIN);
  CHECK(sf_limiter_try_acquire(&limiter, 4) == -SF_EINVAL);
  CHECK(sf_limiter_acquire(&limiter, 4) == -SF_EINVAL);
  CHECK(sf_limiter_try_acquire(&limiter, 0) == 0);
  CHECK(sf_limiter_acquire(&limiter, 1) == 0);
  CHECK(sf_monotonic_ns() == start + SF_SECOND);
  CHECK(sf_limiter_acquire(&limiter, 3) == 0);
  CHECK(sf_monotonic_ns() == start + 4 * SF_SECOND);
  CHECK(sf_limiter_acquire_timeout(&limiter, 1, sf_after(SF_SECOND / 2)) == -SF_ETIMEDOUT);
  CHECK(sf_limiter_acquire_timeout(&limiter, 1, sf_after(SF_SECOND)) == 0);
  CHECK(sf_monotonic_ns() == start + 5 * SF_SECOND);
  /* It fills up to the burst and no further. */
  CHECK(sf_sleep(100 * SF_SECOND) == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_limiter_try_acquire(&limiter, 1) == 0);
  CHECK(sf_limiter_try_acquire(&limiter, 1) == -SF_EAGAIN);
  return 0;
}

static int32_t limiter_task(void *argument) {
  struct actor *actor = argument;
  int32_t result = sf_limiter_acquire(&limiter, (uint32_t)actor->amount);
  note(actor->id);
  return result;
}

/* First come, first served, the large before the small; a canceled call takes no token and no turn. */
LAW(limiter_in_order)(void) {
  static struct actor actors[4];
  static const int32_t amounts[4] = {3, 1, 2, 1};
  sf_limiter_init(&limiter, SF_SECOND, 3);
  CHECK(sf_limiter_try_acquire(&limiter, 3) == 0);
  uint64_t start = sf_monotonic_ns();
  for (int32_t i = 0; i < 4; i++) {
    actors[i].amount = amounts[i];
    CHECK(act(&actors[i], i, limiter_task) == 0);
  }
  CHECK(sf_sleep_until(start + 2 * SF_SECOND) == 0);
  CHECK(notes_count == 0);
  /* There is a token, but it is waited for. */
  CHECK(sf_limiter_try_acquire(&limiter, 1) == -SF_EAGAIN);
  CHECK(sf_cancel(actors[0].task) == 0);
  settle();
  CHECK(notes_count == 2 && notes[0] == 0 && notes[1] == 1);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, 0);
  CHECK(sf_cancel(actors[2].task) == 0);
  CHECK_JOIN(actors[2].task, -SF_ECANCELED);
  CHECK_JOIN(actors[3].task, 0);
  CHECK(sf_monotonic_ns() == start + 2 * SF_SECOND);
  return 0;
}

LAW(limiter_extremes)(void) {
  /* More than 64 bits of nanoseconds. */
  sf_limiter_init(&limiter, UINT64_MAX / 2, 5);
  CHECK(sf_limiter_try_acquire(&limiter, UINT32_MAX) == -SF_EINVAL);
  CHECK(sf_limiter_try_acquire(&limiter, 6) == -SF_EINVAL);
  sf_limiter_init(&limiter, SF_SECOND << 33, 2); /* 2 ** 33 s * 2 ** 31 wraps to 0. */
  CHECK(sf_limiter_try_acquire(&limiter, 0x80000000u) == -SF_EINVAL);
  CHECK(sf_limiter_acquire(&limiter, 0x80000000u) == -SF_EINVAL);
  sf_limiter_init(&limiter, SF_SECOND, 0); /* A burst of at least 1. */
  CHECK(sf_limiter_try_acquire(&limiter, 2) == -SF_EINVAL);
  CHECK(sf_limiter_try_acquire(&limiter, 1) == 0);
  CHECK(sf_limiter_try_acquire(&limiter, 1) == -SF_EAGAIN);
  sf_limiter_init(&limiter, SF_MICROSECOND, UINT32_MAX);
  CHECK(sf_limiter_try_acquire(&limiter, UINT32_MAX) == 0);
  CHECK(sf_limiter_try_acquire(&limiter, 1) == -SF_EAGAIN);
  sf_limiter_init(&limiter, 0, 1); /* No limit. */
  for (int32_t i = 0; i < 10; i++) CHECK(sf_limiter_acquire(&limiter, 1) == 0);
  return 0;
}

/* ── Broadcast ─────────────────────────────────────────────────────────────────────────────────── */

static struct sf_broadcast broadcast;
static int32_t broadcast_buffer[16];

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

LAW(broadcast_refuses)(void) {
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 0, 4) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 4, 0) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, NULL, 4, 4) == -SF_EINVAL);
  CHECK(sf_broadcast_init(&broadcast, broadcast_buffer, 0x10000, 0x10000) == -SF_EINVAL);
  return 0;
}

/* ── Watch ─────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_watch watch;
static struct pair watch_storage;

static int32_t watch_task(void *argument) {
  struct actor *actor = argument;
  struct pair value = {0, 0};
  uint32_t seen = 1;
  int32_t result = actor->timeout == 0 ? sf_watch_wait(&watch, &seen, &value)
                                       : sf_watch_wait_timeout(&watch, &seen, &value, actor->timeout);
  note(actor->id);
  CHECK(result == 0 ? seen == 2 && value.a == 5 : seen == 1 && value.a == 0);
  return result;
}

LAW(watch_latest)(void) {
  static struct actor actors[4];
  struct pair value = {0, 0};
  uint32_t seen = 0;
  watch_storage = (struct pair){3, 4};
  sf_watch_init(&watch, &watch_storage, sizeof(watch_storage));
  CHECK(sf_watch_get(&watch, &value) == 1 && value.a == 3);
  CHECK(sf_watch_get(&watch, NULL) == 1);
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0 && seen == 1); /* Never seen one. */
  CHECK(sf_watch_wait_timeout(&watch, &seen, &value, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 4; i++) {
    actors[i].timeout = i == 1 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, watch_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  value.a = 5;
  CHECK(sf_watch_set(&watch, &value) == 0);
  settle();
  CHECK(notes_count == 4 && notes[2] == 2 && notes[3] == 3);
  for (int32_t i = 0; i < 4; i++)
    CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : i == 1 ? -SF_ETIMEDOUT : 0);
  /* Versions in between are skipped. */
  for (value.a = 10; value.a <= 20; value.a++) CHECK(sf_watch_set(&watch, &value) == 0);
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0);
  CHECK(seen == 13 && value.a == 20);
  CHECK(sf_watch_wait_timeout(&watch, &seen, NULL, sf_after(0)) == -SF_ETIMEDOUT);
  /* Reading one's own writes: any version but the one seen will do, an older number too. */
  seen = 500;
  CHECK(sf_watch_wait(&watch, &seen, NULL) == 0 && seen == 13);
  return 0;
}

static int32_t watch_close_task(void *unused) {
  (void)unused;
  uint32_t seen = sf_watch_get(&watch, NULL);
  return sf_watch_wait(&watch, &seen, NULL);
}

LAW(watch_wrap_and_close)(void) {
  uint32_t seen = UINT32_MAX;
  int32_t storage = 1, value = 0;
  sf_task_t task;
  sf_watch_init(&watch, &storage, 4);
  ((uint32_t *)&watch)[2] = UINT32_MAX; /* Its version. */
  CHECK(sf_watch_wait_timeout(&watch, &seen, &value, sf_after(0)) == -SF_ETIMEDOUT);
  value = 2;
  CHECK(sf_watch_set(&watch, &value) == 0);
  value = 0;
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0);
  CHECK(seen == 1 && value == 2); /* Never 0, which is "never seen one". */
  CHECK(sf_spawn(watch_close_task, NULL, NULL, &task) == 0);
  settle();
  sf_watch_close(&watch);
  sf_watch_close(&watch);
  CHECK_JOIN(task, -SF_EPIPE);
  CHECK(sf_watch_set(&watch, &value) == -SF_EPIPE);
  CHECK(sf_watch_wait(&watch, &seen, &value) == -SF_EPIPE);
  seen = 0; /* Who has not seen the last still gets it. */
  value = 0;
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0 && value == 2);
  CHECK(sf_watch_wait(&watch, &seen, &value) == -SF_EPIPE);
  CHECK(sf_watch_get(&watch, &value) == 1);
  return 0;
}

/* ── Signals ───────────────────────────────────────────────────────────────────────────────────── */

static struct sf_signal signals[8];

static int32_t signal_task(void *argument) {
  struct actor *actor = argument;
  int32_t result = actor->timeout == 0
                       ? sf_signal_wait(&signals[actor->amount])
                       : sf_signal_wait_timeout(&signals[actor->amount], actor->timeout);
  note(actor->id);
  return result;
}

LAW(signal_wakes_every_watcher)(void) {
  static struct actor actors[6];
  CHECK(sf_signal_wait(&signals[0]) == -SF_EINVAL); /* It watches nothing. */
  CHECK(sf_signal_watch(&signals[0], 0) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], 8) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], UINT32_MAX) == -SF_EINVAL);
  CHECK(test_raise(SF_SIGNAL_INTERRUPT) == 0); /* Before anybody watches: nobody's. */
  for (int32_t i = 0; i < 4; i++)
    CHECK(sf_signal_watch(&signals[i], i < 3 ? SF_SIGNAL_INTERRUPT : SF_SIGNAL_TERMINATE) == 0);
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(0)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 6; i++) {
    actors[i].amount = i < 4 ? i : 0;
    actors[i].timeout = i == 4 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, signal_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[5].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 2);
  CHECK(test_raise(SF_SIGNAL_INTERRUPT) == 3);
  settle();
  CHECK(notes_count == 5 && notes[2] == 0 && notes[3] == 1 && notes[4] == 2);
  CHECK(test_raise(SF_SIGNAL_TERMINATE) == 1);
  for (int32_t i = 0; i < 6; i++)
    CHECK_JOIN(actors[i].task, i == 4 ? -SF_ETIMEDOUT : i == 5 ? -SF_ECANCELED : 1);
  CHECK(test_raise(0) == 0 && test_raise(8) == 0 && test_raise(UINT32_MAX) == 0);
  return 0;
}

LAW(signal_coalesces)(void) {
  for (int32_t i = 0; i < 2; i++) CHECK(sf_signal_watch(&signals[i], SF_SIGNAL_USER1) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 5); /* There already: no cancel point. */
  CHECK(sf_signal_wait(&signals[0]) == -SF_ECANCELED);
  CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  CHECK(sf_signal_wait(&signals[1]) == 6);
  /* Raised again before the woken task runs: seen at its next wait. */
  static struct actor actor;
  CHECK(act(&actor, 0, signal_task) == 0);
  settle();
  CHECK(test_raise(SF_SIGNAL_USER1) == 1);
  CHECK(test_raise(SF_SIGNAL_USER1) == 0);
  CHECK_JOIN(actor.task, 1);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(1)) == -SF_ETIMEDOUT);
  return 0;
}

/* Leaves what it watches to the test, which looks at sf_shared.signals_watched. */
int32_t EXPORT(signal_watch)(int32_t index, int32_t kind) {
  return sf_signal_watch(&signals[index], (uint32_t)kind);
}
int32_t EXPORT(signal_unwatch)(int32_t index) {
  sf_signal_unwatch(&signals[index]);
  return 0;
}

static int32_t select_signal_task(void *argument) {
  struct actor *actor = argument;
  struct sf_arm arms[] = {sf_on_timeout(SF_NEVER), sf_on_signal(&signals[actor->amount]),
                          sf_on_signal(&signals[actor->amount])};
  int32_t which = sf_select(arms, 3);
  note(actor->id);
  return which < 1 ? -1000 : arms[which].waiter.result;
}

/* Whoever waits for a signal that is no longer watched does not wait for ever, and is in no queue that
 * a later signal walks. */
LAW(signal_unwatch_ends_waits)(void) {
  static struct actor actors[4];
  for (int32_t i = 0; i < 2; i++) CHECK(sf_signal_watch(&signals[i], SF_SIGNAL_HANGUP) == 0);
  for (int32_t i = 0; i < 4; i++) {
    actors[i].amount = i == 3;
    CHECK(act(&actors[i], i, i == 1 ? select_signal_task : signal_task) == 0);
  }
  settle();
  sf_signal_unwatch(&signals[0]);
  sf_signal_unwatch(&signals[0]);
  settle();
  CHECK(notes_count == 3);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EINVAL);
  CHECK(test_raise(SF_SIGNAL_HANGUP) == 1);
  CHECK_JOIN(actors[3].task, 1);
  CHECK(sf_signal_wait(&signals[0]) == -SF_EINVAL);
  CHECK(sf_signal_watch(&signals[0], SF_SIGNAL_QUIT) == 0);
  CHECK(test_raise(SF_SIGNAL_QUIT) == 0);
  CHECK(sf_signal_wait(&signals[0]) == 1);
  return 0;
}

LAW(signal_select)(void) {
  static struct actor actors[2];
  CHECK(sf_signal_watch(&signals[0], SF_SIGNAL_WINDOW) == 0);
  CHECK(sf_signal_watch(&signals[1], SF_SIGNAL_USER2) == 0);
  CHECK(test_raise(SF_SIGNAL_USER2) == 0);
  struct sf_arm arms[] = {sf_on_signal(&signals[0]), sf_on_signal(&signals[1])};
  CHECK(sf_select(arms, 2) == 1); /* Received already. */
  CHECK(arms[1].waiter.result == 1);
  CHECK(sf_select_try(arms, 2) == -SF_EAGAIN);
  for (int32_t i = 0; i < 2; i++) {
    actors[i].amount = i;
    CHECK(act(&actors[i], i, select_signal_task) == 0);
  }
  settle();
  CHECK(test_raise(SF_SIGNAL_WINDOW) == 1);
  CHECK(test_raise(SF_SIGNAL_USER2) == 1);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(actors[i].task, 1);
  /* The arm that won has seen it. */
  CHECK(sf_signal_wait_timeout(&signals[0], sf_after(1)) == -SF_ETIMEDOUT);
  return 0;
}

/* pacing.c - laws of tickers and rate limiters. */
#include "law-tasks.h"

/* ── Ticker ──────────────────────────────────────────────────────────────────────────────────────── */

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

/* ── Rate limiter ────────────────────────────────────────────────────────────────────────────────── */

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

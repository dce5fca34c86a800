/* attempts.c - laws of transfers that need not wait: large ones, and those of a task that is alone. */
#include "law.h"

#define BYTES 32768
#define ROUNDS 1000

static sf_handle_t ends[2];
static char out[BYTES], in[BYTES];

/* Always there: what one end is given the other has. */
static int32_t pump(uint32_t rounds) {
  for (uint32_t round = 0; round < rounds; round++) {
    int32_t result = sf_write_all(ends[0], out, BYTES);
    if (result < 0) return result;
    result = sf_read_full(ends[1], in, BYTES);
    if (result < 0) return result;
  }
  return 0;
}

static int32_t pump_task(void *unused) {
  (void)unused;
  return pump(UINT32_MAX);
}

static uint32_t turns;

static int32_t turn_task(void *stop) {
  while (!*(volatile int32_t *)stop) {
    turns++;
    sf_yield();
  }
  return 0;
}

static int32_t begin(void) {
  CHECK(sf_socket_pair(SF_SOCKET_STREAM, ends) == 0);
  for (uint32_t i = 0; i < BYTES; i++) out[i] = (char)(i * 7 + i / 256);
  return 0;
}

static int32_t end(void) {
  CHECK(sf_close(ends[0]) == 0);
  CHECK(sf_close(ends[1]) == 0);
  return 0;
}

LAW(what_is_there_is_moved)(void) {
  CHECK_LINE(begin());
  CHECK(pump(ROUNDS) == 0);
  CHECK(memcmp(in, out, BYTES) == 0);
  return end();
}

LAW(others_run_meanwhile)(void) {
  sf_task_t other;
  static int32_t stop;
  CHECK_LINE(begin());
  CHECK(sf_spawn(turn_task, &stop, NULL, &other) == 0);
  CHECK(pump(ROUNDS) == 0);
  /* Two transfers a round, and no more than 128 of them between two switches. */
  CHECK(turns >= 2 * ROUNDS / 128);
  stop = 1;
  CHECK_JOIN(other, 0);
  return end();
}

LAW(a_cancel_is_noticed)(void) {
  sf_task_t pumping;
  CHECK_LINE(begin());
  CHECK(sf_spawn(pump_task, NULL, NULL, &pumping) == 0);
  for (int32_t i = 0; i < 10; i++) CHECK(sf_yield() == 0);
  CHECK(sf_cancel(pumping) == 0);
  CHECK_JOIN(pumping, -SF_ECANCELED);
  return end();
}

LAW(a_timeout_is_noticed)(void) {
  struct sf_timeout scope;
  CHECK_LINE(begin());
  sf_timeout_begin(&scope, sf_after(SF_MILLISECOND));
  CHECK(sf_timeout_end(&scope, pump(UINT32_MAX)) == -SF_ETIMEDOUT);
  return end();
}

/* echo-client.c - a crowd of clients: each asks, waits, checks the
 * answer and pauses. */
#include "crowd.h"

#define PATIENCE (800 * SF_MILLISECOND)
#define ROUNDS 8 /* then it connects anew, to the next server */

static int32_t ask(sf_handle_t server, uint32_t number) {
  uint64_t question[2] = {number, sf_monotonic_ns()}, answer[2];
  int32_t result = sf_write_all(server, question, sizeof question);
  if (result < 0) return result;
  result = sf_read_full_timeout(server, answer, sizeof answer,
                                sf_after(PATIENCE));
  if (result < 0) return result;
  if (result < (int32_t)sizeof answer) return -SF_EPIPE; /* closed */
  if (memcmp(question, answer, sizeof answer) != 0) return -SF_EBADMSG;
  counters.messages++;
  return 0;
}

static int32_t client(void *argument) {
  uint32_t number = (uint32_t)(uintptr_t)argument, turn = number;
  sf_handle_t server = -1;
  int32_t result = 0;
  for (uint32_t round = 1; result != -SF_ECANCELED; round++) {
    result = sf_sleep(random_below(SF_SECOND));
    if (result == 0 && server < 0)
      result = server = sf_tcp_connect_timeout(
          &servers[turn++ % servers_count], sf_after(PATIENCE));
    if (result >= 0) result = ask(server, number);
    count_error(result);
    if (result == 0 && round % ROUNDS != 0) continue;
    if (server >= 0) sf_close(server);
    server = -1;
  }
  return result;
}

EXPORT(echo_clients) int32_t echo_clients(struct sf_channel *wanted) {
  return crowd(wanted, client);
}

/* chat-client.c - a crowd of people who chat: one task speaks, another
 * one listens. */
#include "crowd.h"

#define PATIENCE (800 * SF_MILLISECOND)
#define SILENCE (4 * SF_SECOND) /* nobody at all: the network is gone */
#define ROOM_PEOPLE 2 /* of each host */

static int32_t hear(void *argument) {
  sf_handle_t server = (sf_handle_t)(intptr_t)argument;
  struct line line;
  int32_t result;
  for (;;) {
    result = sf_read_full_timeout(server, &line, sizeof line,
                                  sf_after(SILENCE));
    if (result < (int32_t)sizeof line) break;
    counters.messages++;
  }
  return result < 0 ? result : -SF_EPIPE;
}

/* Speaks now and then, for as long as `hear` hears something. */
static int32_t chat(sf_handle_t server, uint32_t number) {
  struct line line = {.room = number / ROOM_PEOPLE,
                      .from = number,
                      .text = "Anybody there?"};
  sf_task_t hearer;
  int32_t ended = 0;
  int32_t result = sf_spawn(hear, (void *)(intptr_t)server, NULL, &hearer);
  if (result < 0) return result;
  do {
    result = sf_write_all_timeout(server, &line, sizeof line,
                                  sf_after(PATIENCE));
    if (result < 0) break;
    uint64_t pause = random_below(3 * SF_SECOND);
    result = sf_task_wait_timeout(hearer, &ended, sf_after(pause));
  } while (result == -SF_ETIMEDOUT);
  sf_cancel_wait(hearer, NULL);
  return result < 0 ? result : ended;
}

static int32_t person(void *argument) {
  uint32_t number = (uint32_t)(uintptr_t)argument;
  uint32_t room = number / ROOM_PEOPLE;
  int32_t result = 0;
  while (result != -SF_ECANCELED) {
    result = sf_sleep(random_below(SF_SECOND));
    sf_handle_t server = -1;
    if (result == 0)
      result = server = sf_tcp_connect_timeout(
          &servers[room % servers_count], sf_after(PATIENCE));
    if (server >= 0) {
      result = chat(server, number);
      sf_close(server);
    }
    count_error(result);
  }
  return result;
}

EXPORT(chat_clients) int32_t chat_clients(struct sf_channel *wanted) {
  return crowd(wanted, person);
}

/* chat-server.c - what one says in a room, all in it hear. Two tasks for
 * each connection. */
#include "demo.h"

#define IDLE (5 * SF_SECOND) /* a silent peer is a lost one */
#define PATIENCE (2 * SF_SECOND)
#define ROOMS 4096

static struct room {
  struct sf_broadcast said;
  struct line recent[16]; /* who falls further behind misses something */
} rooms[ROOMS];

struct member {
  sf_handle_t connection;
  struct room *room;
};

/* From the room to the member. */
static int32_t tell(void *argument) {
  struct member *member = argument;
  struct sf_broadcast *said = &member->room->said;
  struct sf_consumer consumer;
  struct line line;
  int32_t result;
  sf_broadcast_subscribe(said, &consumer);
  do {
    result = sf_broadcast_receive(said, &consumer, &line);
    if (result == 0)
      result = sf_write_all_timeout(member->connection, &line,
                                    sizeof line, sf_after(PATIENCE));
  } while (result == 0 || result == -SF_EOVERFLOW);
  return count_error(result);
}

/* From the member to the room. */
static int32_t serve(void *argument) {
  struct member member = {.connection = (sf_handle_t)(intptr_t)argument};
  struct line line;
  sf_task_t teller = 0;
  int32_t result;
  for (;;) {
    result = sf_read_full_timeout(member.connection, &line, sizeof line,
                                  sf_after(IDLE));
    if (result < (int32_t)sizeof line) break;
    member.room = &rooms[line.room % ROOMS];
    if (teller == 0) result = sf_spawn(tell, &member, NULL, &teller);
    if (result < 0) break;
    sf_broadcast_send(&member.room->said, &line);
  }
  count_error(result);
  if (teller != 0) sf_cancel_wait(teller, NULL);
  return sf_close(member.connection);
}

int main(void) {
  sf_handle_t listener = listen_on(CHAT_PORT), connection;
  for (int i = 0; i < ROOMS; i++)
    sf_broadcast_init(&rooms[i].said, rooms[i].recent, 16,
                      sizeof(struct line));
  while ((connection = sf_tcp_accept(listener, NULL)) >= 0)
    if (sf_spawn(serve, (void *)(intptr_t)connection, NULL, NULL) < 0)
      sf_close(connection);
  return sf_close(listener);
}

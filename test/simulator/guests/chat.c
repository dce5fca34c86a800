/* chat.c - a chat room: what one client says goes to all that are there, in one order.
 *
 * The server numbers the messages. A client whose connection is too slow for the room is told how many
 * it missed; one that leaves says so; the others stay until the room closes.
 */
#include "frames.h"
#include "server.h"
#include "together.h"

enum kind {
  POSTED = 1,   /* index, session of the sender, number of the message */
  JOINED = 2,   /* client, session, first index, server's incarnation */
  SEEN = 3,     /* client, session, index, sender, number */
  LAGGED = 4,   /* client, session, messages missed */
  FINISHED = 5, /* client, session, result, enum finish, index at the end */
  BROKEN = 6,   /* client, session, index: the text is not the sender's */
  SERVED = 7,   /* session, result */
};

enum finish { LEFT = 1, CLOSED = 2, CUT_OFF = 3 };

enum frame_kind { WELCOME = 1, MESSAGE = 2, LAG = 3, END = 4 };

#define TEXT_BYTES_MAX 600
#define ROOM_CAPACITY 6
#define TIMEOUT (20 * SF_SECOND)

/* What a client says; `bytes` of text follow. Number 0: it leaves. */
struct say {
  uint32_t number;
  uint32_t bytes;
};

/* What the server says; `bytes` of text follow. */
struct frame {
  uint32_t kind;   /* enum frame_kind */
  uint32_t index;  /* WELCOME: of the next message; END: how many there were; LAG: how many missed */
  uint32_t sender; /* WELCOME: the client's own session */
  uint32_t number; /* WELCOME: the server's incarnation */
  uint32_t bytes;
};

struct message {
  struct frame frame;
  uint8_t text[TEXT_BYTES_MAX];
};

/* The first byte of a text; the others count up from it. */
static uint32_t text_start(uint32_t sender, uint32_t number) { return sender * 31 + number * 7; }

/* ── Server ────────────────────────────────────────────────────────────────────────────────────── */

static struct {
  uint32_t incarnation;
  uint32_t sessions;
  uint32_t messages;
  struct sf_broadcast room;
  struct message buffer[ROOM_CAPACITY];
} server;

struct session {
  sf_handle_t handle;
  uint32_t id;
  struct sf_consumer consumer;
  struct message post, next;
};

static int32_t hear(void *argument) {
  struct session *session = argument;
  struct message *post = &session->post;
  struct say say;
  int32_t result;
  while ((result = frame_read(session->handle, &say, sizeof(say))) == 1) {
    if (say.number == 0) return -SF_ENOTCONN;
    if (say.bytes > TEXT_BYTES_MAX) return -SF_EMSGSIZE;
    if (say.bytes != 0) {
      result = frame_read_timeout(session->handle, post->text, say.bytes, sf_after(TIMEOUT));
      if (result <= 0) return result < 0 ? result : -SF_EPROTO;
    }
    post->frame = (struct frame){.kind = MESSAGE,
                                 .index = server.messages,
                                 .sender = session->id,
                                 .number = say.number,
                                 .bytes = say.bytes};
    result = sf_broadcast_send(&server.room, post);
    if (result < 0) return result == -SF_EPIPE ? 0 : result; /* The room has closed. */
    server.messages++;
    report(POSTED, post->frame.index, session->id, say.number, 0, 0);
  }
  return result;
}

SF_PARKS static int32_t say_to(const struct session *session, const struct message *message) {
  return sf_write_all_timeout(session->handle, message,
                              sizeof(struct frame) + message->frame.bytes, sf_after(TIMEOUT));
}

static int32_t tell(void *argument) {
  struct session *session = argument;
  struct message *next = &session->next;
  uint32_t missed = 0;
  for (;;) {
    int32_t result = sf_broadcast_receive(&server.room, &session->consumer, next);
    if (result == -SF_EPIPE) break;
    if (result == -SF_EOVERFLOW) {
      next->frame = (struct frame){.kind = LAG, .index = session->consumer.missed - missed};
      missed = session->consumer.missed;
    } else if (result < 0) {
      return result;
    }
    result = say_to(session, next);
    if (result < 0) return result;
  }
  next->frame = (struct frame){.kind = END, .index = server.messages};
  int32_t result = say_to(session, next);
  return result < 0 ? result : sf_shutdown(session->handle, SF_SHUTDOWN_WRITE);
}

static int32_t converse(struct session *session) {
  struct message welcome = {.frame = {.kind = WELCOME,
                                      .index = server.messages,
                                      .sender = session->id,
                                      .number = server.incarnation}};
  sf_broadcast_subscribe(&server.room, &session->consumer);
  int32_t result = say_to(session, &welcome);
  return result < 0 ? result : run_together((sf_entry_fn[]){hear, tell}, 2, session);
}

static int32_t serve_session(struct connection *connection) {
  struct session *session = calloc(1, sizeof(*session));
  if (session == NULL) return -SF_ENOMEM;
  session->handle = connection->handle;
  session->id = server.incarnation * 1000 + server.sessions++;
  int32_t result = converse(session);
  report(SERVED, session->id, (uint32_t)result, 0, 0, 0);
  free(session);
  return result;
}

int32_t EXPORT(serve)(uint32_t port, uint32_t incarnation) {
  server.incarnation = incarnation;
  sf_broadcast_init(&server.room, server.buffer, ROOM_CAPACITY, sizeof(struct message));
  return server_run(port, serve_session);
}

/* Nothing more is said; who is there hears the rest. */
int32_t EXPORT(close_room)(void) {
  sf_broadcast_close(&server.room);
  return 0;
}

/* ── Clients ───────────────────────────────────────────────────────────────────────────────────── */

struct client {
  uint32_t number;
  struct random random;
  struct sf_address server;
  sf_handle_t handle;
  uint32_t session;
  uint32_t messages; /* to be said in a session */
  uint32_t pause_ms_max;
  uint32_t slow_ms_max; /* between two reads */
  bool leaves;
  struct sf_event joined;
  struct message heard;
};

static int32_t talk(void *argument) {
  struct client *client = argument;
  struct {
    struct say say;
    uint8_t text[TEXT_BYTES_MAX];
  } post;
  int32_t result = sf_event_wait(&client->joined);
  for (uint32_t number = 1; number <= client->messages && result == 0; number++) {
    post.say.number = number;
    post.say.bytes = random_below(&client->random, TEXT_BYTES_MAX + 1);
    pattern_fill(post.text, post.say.bytes, text_start(client->session, number), 1);
    result = sf_write_all_timeout(client->handle, &post, sizeof(post.say) + post.say.bytes,
                                  sf_after(TIMEOUT));
    if (result == 0) result = sf_sleep(random_ms(&client->random, client->pause_ms_max));
  }
  if (result < 0) return result;
  if (!client->leaves) return sf_shutdown(client->handle, SF_SHUTDOWN_WRITE);
  post.say = (struct say){0};
  return sf_write_all_timeout(client->handle, &post.say, sizeof(post.say), sf_after(TIMEOUT));
}

/* Reads a frame with its text. 1; 0 at the end of the stream. */
SF_PARKS static int32_t listen_once(struct client *client) {
  struct frame *frame = &client->heard.frame;
  int32_t result = frame_read_timeout(client->handle, frame, sizeof(*frame), sf_after(90 * SF_SECOND));
  if (result <= 0 || frame->bytes == 0) return result;
  if (frame->bytes > TEXT_BYTES_MAX) return -SF_EMSGSIZE;
  result = frame_read_timeout(client->handle, client->heard.text, frame->bytes, sf_after(TIMEOUT));
  return result == 0 ? -SF_EPROTO : result;
}

/* Hears until the stream ends. `end_out` gets the index that END names. */
SF_PARKS static int32_t listen_all(struct client *client, uint32_t *finish_out, uint32_t *end_out) {
  const struct frame *frame = &client->heard.frame;
  int32_t result;
  *finish_out = CUT_OFF;
  while ((result = listen_once(client)) == 1) {
    switch (frame->kind) {
      case WELCOME:
        client->session = frame->sender;
        report(JOINED, client->number, frame->sender, frame->index, frame->number, 0);
        sf_event_set(&client->joined);
        break;
      case MESSAGE:
        report(SEEN, client->number, client->session, frame->index, frame->sender, frame->number);
        if (!pattern_is(client->heard.text, frame->bytes, text_start(frame->sender, frame->number), 1))
          report(BROKEN, client->number, client->session, frame->index, 0, 0);
        break;
      case LAG:
        report(LAGGED, client->number, client->session, frame->index, 0, 0);
        break;
      case END:
        *finish_out = CLOSED;
        *end_out = frame->index;
        break;
      default:
        report(BROKEN, client->number, client->session, frame->index, frame->kind, 0);
        return -SF_EPROTO;
    }
    if (client->slow_ms_max != 0) {
      result = sf_sleep(random_ms(&client->random, client->slow_ms_max));
      if (result < 0) return result;
    }
  }
  return result;
}

/* One session. Returns 0 when it was there to the end that it wanted. */
SF_PARKS static int32_t visit(struct client *client) {
  uint32_t finish = CUT_OFF, end = 0;
  client->session = 0;
  int32_t result = client->handle = sf_tcp_connect_timeout(&client->server, sf_after(TIMEOUT));
  if (result < 0) return result;
  sf_event_init(&client->joined, 0);
  sf_task_t talker;
  const struct sf_spawn_options options = {.name = "talk"};
  result = sf_spawn(talk, client, &options, &talker);
  if (result == 0) {
    int32_t said = 0;
    result = listen_all(client, &finish, &end);
    sf_cancel_wait(talker, &said);
    if (finish == CUT_OFF && client->leaves && said == 0 && (result == 0 || result == -SF_EPROTO)) {
      finish = LEFT; /* It may be within a message. */
      result = 0;
    }
  }
  sf_close(client->handle);
  report(FINISHED, client->number, client->session, (uint32_t)result, finish, end);
  return finish == CUT_OFF && result == 0 ? -SF_ECONNRESET : result;
}

static int32_t client_run(void *argument) {
  struct client *client = argument;
  uint32_t place = victim_begin();
  for (uint32_t visits = 0; visits < 4; visits++) {
    int32_t result = visit(client);
    if (result == 0 || result == -SF_ECANCELED) break;
    if (sf_sleep(random_ms(&client->random, 3000)) < 0) break;
  }
  victim_end(place);
  return 0;
}

int32_t EXPORT(run_clients)(uint32_t ipv4, uint32_t port, uint32_t number, uint32_t count,
                            uint32_t seed) {
  struct random random = {.state = seed};
  struct client *clients = calloc(count, sizeof(*clients));
  if (clients == NULL) return -SF_ENOMEM;
  for (uint32_t i = 0; i < count; i++) {
    clients[i] = (struct client){
        .number = number + i,
        .random = random_fork(&random),
        .server = endpoint(ipv4, port),
        .messages = random_below(&random, 25),
        .pause_ms_max = random_chance(&random, 500) ? 300 : 0,
        .slow_ms_max = random_chance(&random, 300) ? 200 : 0,
        .leaves = random_chance(&random, 400),
    };
  }
  return run_each(clients, count, sizeof(*clients), client_run);
}

/* chat-server.c - what one says, all others hear. One speaks lines: `nc 127.0.0.1 7000`.
 *
 *   stackful run --allow-listen '127.0.0.1:*' chat-server.wasm --port 7000
 *
 * The first line of a client is its name, which nobody else may have; "/who" lists the names, "/quit" leaves.
 *
 * Shows:
 *   - a broadcast channel between all clients: who reads slowly misses the oldest lines, and is told how many;
 *     nobody else waits for it, and it costs no more memory than the others;
 *   - two tasks for each client, for what it says and for what it hears; whichever ends ends the other;
 *   - patience: a client that takes nothing for so long is let go.
 *
 * The first line of output is {"port":N}, the last one, once it is canceled, the totals.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"
#include "shared/server.h"

#define NAME_BYTES_MAX 20
#define LINE_BYTES_MAX 400
#define RECENT 64

struct line {
  uint64_t from; /* who does not hear it */
  uint32_t bytes;
  char text[NAME_BYTES_MAX + LINE_BYTES_MAX + 16];
};

struct member {
  sf_handle_t connection;
  uint64_t id;
  sf_task_t speaker;
  struct member *next;
  struct sf_mutex writing; /* a line that is under way is sent to its end before another */
  char name[NAME_BYTES_MAX + 1];
  uint32_t unread; /* of `input`: where a line that is not whole ends */
  char input[LINE_BYTES_MAX + 1];
};

static struct room {
  struct sf_broadcast said;
  struct line recent[RECENT];
  struct member *members; /* each lies on its task's stack */
  uint64_t patience_ns;
  uint64_t ids;
  uint64_t lines;
  uint64_t missed;
} room;

/* ── Lines ───────────────────────────────────────────────────────────────────────────────────────── */

/* Puts "first second third\n" together. */
static void compose(struct line *line, const char *first, const char *second, const char *third) {
  const char *const parts[] = { first, second, third, "\n" };
  line->bytes = 0;
  for (uint32_t i = 0; i < 4; i++) {
    const uint32_t bytes = (uint32_t)strlen(parts[i]);
    memcpy(line->text + line->bytes, parts[i], bytes);
    line->bytes += bytes;
  }
}

static int32_t send_line(struct member *member, const struct line *line) {
  int32_t error = sf_mutex_lock(&member->writing);
  if (error < 0) return error;
  error = sf_write_all_timeout(member->connection, line->text, line->bytes,
                               sf_after(room.patience_ns));
  sf_mutex_unlock(&member->writing);
  return error;
}

static int32_t tell(struct member *member, const char *text) {
  struct line line;
  compose(&line, "* ", text, "");
  return send_line(member, &line);
}

/* Reads a line, without its end, and with a zero in its place. Returns its bytes, -SF_EPIPE at the end of the
 * stream, or an error; -SF_EMSGSIZE for a line that is too long, of which the rest is skipped. Terminals obey
 * control characters: they become question marks. */
static int32_t read_line(struct member *member, char text[LINE_BYTES_MAX + 1]) {
  bool too_long = false;
  for (;;) {
    const char *end = memchr(member->input, '\n', member->unread);
    if (end != NULL) {
      const uint32_t used = (uint32_t)(end - member->input) + 1;
      uint32_t bytes = used - 1;
      if (bytes > 0 && member->input[bytes - 1] == '\r') bytes--;
      for (uint32_t i = 0; i < bytes; i++) {
        const unsigned char c = (unsigned char)member->input[i];
        text[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
      }
      text[bytes] = '\0';
      member->unread -= used;
      memmove(member->input, member->input + used, member->unread);
      return too_long ? -SF_EMSGSIZE : (int32_t)bytes;
    }
    if (member->unread == sizeof(member->input)) {
      too_long = true;
      member->unread = 0;
    }
    const int32_t count = sf_read(member->connection, member->input + member->unread,
                                  (uint32_t)sizeof(member->input) - member->unread);
    if (count <= 0) return count == 0 ? -SF_EPIPE : count;
    member->unread += (uint32_t)count;
  }
}

/* ── Members ─────────────────────────────────────────────────────────────────────────────────────── */

static void say(const struct member *member, const char *first, const char *second,
                const char *third) {
  struct line line = { .from = member->id };
  compose(&line, first, second, third);
  sf_broadcast_send(&room.said, &line);
}

static bool is_name(const char *text) {
  const size_t bytes = strlen(text);
  if (bytes == 0 || bytes > NAME_BYTES_MAX) return false;
  for (size_t i = 0; i < bytes; i++) {
    const char c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  }
  return true;
}

static bool is_taken(const char *name) {
  for (const struct member *member = room.members; member != NULL; member = member->next)
    if (strcmp(member->name, name) == 0) return true;
  return false;
}

static void leave(struct member *member) {
  struct member **link = &room.members;
  while (*link != member) link = &(*link)->next;
  *link = member->next;
  say(member, "* ", member->name, " has left");
}

/* Asks until it gets a name that is free. */
static int32_t ask_name(struct member *member) {
  char text[LINE_BYTES_MAX + 1];
  int32_t result = tell(member, "your name?");
  while (result >= 0) {
    result = read_line(member, text);
    if (result < 0 && result != -SF_EMSGSIZE) return result;
    if (result >= 0 && is_name(text)) {
      if (!is_taken(text)) break;
      result = tell(member, "somebody has that name; another one?");
    } else {
      result = tell(member, "a name is 1 to 20 letters and digits; which one?");
    }
  }
  if (result >= 0) strcpy(member->name, text);
  return result;
}

/* The names may change while one is sent: each is looked for anew, by the one before it. */
static int32_t list_members(struct member *member) {
  int32_t result = 0;
  for (uint64_t below = UINT64_MAX; result == 0;) {
    const struct member *other = room.members; /* the newest first */
    while (other != NULL && other->id >= below) other = other->next;
    if (other == NULL) break;
    below = other->id;
    result = tell(member, other->name);
  }
  return result;
}

/* From the member to the others. */
static int32_t listen_to(struct member *member) {
  char text[LINE_BYTES_MAX + 1];
  int32_t result = 0;
  while (result >= 0) {
    result = read_line(member, text);
    if (result == -SF_EMSGSIZE) {
      result = tell(member, "that line was too long");
    } else if (result > 0 && strcmp(text, "/quit") == 0) {
      return 0;
    } else if (result > 0 && strcmp(text, "/who") == 0) {
      result = list_members(member);
    } else if (result > 0) {
      room.lines++;
      say(member, member->name, ": ", text);
    }
  }
  return result;
}

static int32_t hear_all(struct member *member, struct sf_consumer *consumer) {
  struct line line;
  for (;;) {
    const uint32_t missed = consumer->missed;
    int32_t result = sf_broadcast_receive(&room.said, consumer, &line);
    if (result == -SF_EOVERFLOW) {
      char text[48];
      room.missed += consumer->missed - missed;
      snprintf(text, sizeof(text), "you missed %u lines", (unsigned)(consumer->missed - missed));
      result = tell(member, text);
    } else if (result == 0 && line.from != member->id) {
      result = send_line(member, &line);
    }
    if (result < 0) return result;
  }
}

/* From the others to the member. */
static int32_t hear(void *argument) {
  struct member *member = argument;
  struct sf_consumer consumer;
  sf_broadcast_subscribe(&room.said, &consumer);
  const int32_t result = hear_all(member, &consumer);
  sf_cancel(member->speaker);
  return result;
}

static int32_t serve_member(void *argument) {
  struct member member = { .connection = (sf_handle_t)(intptr_t)argument,
                           .speaker = sf_self() };
  struct sf_timeout scope;
  sf_task_t hearer;
  sf_mutex_init(&member.writing);
  sf_timeout_begin(&scope, sf_after(room.patience_ns));
  const int32_t named = sf_timeout_end(&scope, ask_name(&member));
  if (named >= 0 && sf_spawn(hear, &member, NULL, &hearer) == 0) {
    member.id = ++room.ids;
    member.next = room.members;
    room.members = &member;
    say(&member, "* ", member.name, " is here");
    if (tell(&member, "welcome") >= 0) listen_to(&member);
    leave(&member);
    sf_cancel_wait(hearer, NULL);
  }
  return sf_close(member.connection);
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  uint64_t port = 0, patience_ms = 30000;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_max = 65535 },
    { .name = "--patience-ms", .number = &patience_ms, .number_min = 1, .number_max = 86400000 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;
  room.patience_ns = patience_ms * SF_MILLISECOND;
  sf_broadcast_init(&room.said, room.recent, RECENT, sizeof(struct line));
  const sf_handle_t listener = listen_on(host, port);
  if (listener < 0) return fail("chat-server", "listen", listener);

  const int32_t result = serve_each(listener, serve_member, NULL);
  if (result != -SF_ECANCELED) return fail("chat-server", "accept", result);
  printf("{\"members\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"missed\":%" PRIu64 "}\n", room.ids,
         room.lines, room.missed);
  return 0;
}

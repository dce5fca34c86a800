/* http-server.c - an HTTP/1.1 server as one writes it with blocking calls, one task per connection.
 *
 *   stackful run --allow-listen '127.0.0.1:*' --dir ./public::/public http-server.wasm --port 8080 --root /public
 *
 *   GET  /hello          a greeting
 *   GET  /files/PATH     a file below --root, sent inside the host
 *   POST /digest         how many bytes the body has, and their CRC-32; bodies have a length or are chunked
 *
 * Shows:
 *   - a connection's whole state on its task's stack; a request costs no allocation, one park and, with
 *     others that came together, one write (connection.h);
 *   - how long a peer may take, by one timeout scope per connection: for a head, for silence within a body
 *     or an answer, and for idling between requests;
 *   - what peers must not send, refused before anything is done (request.h, body.h).
 *
 * The first line of output is {"port":N}, the last one, once it is canceled, the totals.
 */
#include <stackful.h>
#include <stackful/fs.h>
#include <stdio.h>
#include <string.h>

#include "http-server/body.h"
#include "http-server/files.h"
#include "http-server/response.h"
#include "shared/arguments.h"
#include "shared/error-name.h"
#include "shared/server.h"

/* Tasks never run at the same time, and none of these is touched across a park: plain fields do. */
static struct server {
  sf_handle_t root; /* -1: none */
  uint64_t head_ns;
  uint64_t idle_ns;
  uint64_t silence_ns;
  uint64_t connections;
  uint64_t requests;
  uint64_t refused;
} server = { .root = -1 };

/* ── Routes ──────────────────────────────────────────────────────────────────────────────────────── */

static uint32_t crc32_table[256];

static void crc32_prepare(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (uint32_t bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    crc32_table[i] = value;
  }
}

static uint32_t crc32(uint32_t crc, struct slice piece) {
  crc = ~crc;
  for (uint32_t i = 0; i < piece.bytes; i++)
    crc = crc >> 8 ^ crc32_table[(crc ^ (uint8_t)piece.at[i]) & 255];
  return ~crc;
}

static int32_t answer_digest(struct connection *connection, const struct request *request,
                             struct body *body) {
  static const char digits[] = "0123456789abcdef";
  struct slice piece;
  uint64_t bytes = 0;
  uint32_t crc = 0;
  int32_t count;
  while ((count = body_read(body, connection, &piece)) > 0) {
    crc = crc32(crc, piece);
    bytes += (uint32_t)count;
  }
  if (count < 0) return count;
  char text[40];
  uint32_t length = format_decimal(text, bytes);
  text[length++] = ' ';
  for (uint32_t shift = 32; shift > 0; shift -= 4) text[length++] = digits[crc >> (shift - 4) & 15];
  text[length++] = '\n';
  const struct response response = { .status = 200, .type = SLICE("text/plain") };
  return respond(connection, request, response, (struct slice){ text, length });
}

static int32_t answer(struct connection *connection, const struct request *request,
                      struct body *body) {
  const struct slice path = request->path;
  const struct slice files = SLICE("/files/");
  const bool reads = request->method == METHOD_GET || request->method == METHOD_HEAD;
  const bool is_digest = equals(path, SLICE("/digest"));
  const bool is_file = server.root >= 0 && path.bytes >= files.bytes &&
                       memcmp(path.at, files.at, files.bytes) == 0;
  if (is_digest && request->method == METHOD_POST) return answer_digest(connection, request, body);

  /* The peer may or may not send a body that nobody asked it for: where the next request begins is unknown. */
  if (connection->awaits_body) connection->closing = true;
  if (request->method == METHOD_OTHER) return respond_status(connection, request, 501, SLICE(""));
  if (is_digest) return respond_status(connection, request, 405, SLICE("Allow: POST\r\n"));
  if (!is_file && !equals(path, SLICE("/hello")))
    return respond_status(connection, request, 404, SLICE(""));
  if (!reads) return respond_status(connection, request, 405, SLICE("Allow: GET, HEAD\r\n"));
  if (is_file) {
    const struct slice name = { path.at + files.bytes, path.bytes - files.bytes };
    return answer_file(connection, request, server.root, name, server.silence_ns);
  }
  const struct response response = { .status = 200, .type = SLICE("text/plain") };
  return respond(connection, request, response, SLICE("Hello, world!\n"));
}

/* ── Connections ─────────────────────────────────────────────────────────────────────────────────── */

/* Waits for a whole head. Returns its bytes, 0 when the peer has gone, or an error. */
static int32_t read_head(struct connection *connection) {
  uint32_t looked = 0;
  bool timed = false;
  connection->unanswered = false;
  allow(connection, server.idle_ns);
  for (;;) {
    const char *head = connection->input + connection->start;
    const uint32_t bytes = connection->end - connection->start;
    if (bytes >= 2 && looked == 0 && head[0] == '\r' && head[1] == '\n') {
      connection->start += 2; /* Some send an empty line behind a body. */
      continue;
    }
    const int32_t found = head_bytes(head, bytes, &looked);
    connection->unanswered = bytes > 0;
    if (found < 0) return refuse(connection, 400);
    if (found > 0) return found;
    if (bytes > 0 && !timed) {
      allow(connection, server.head_ns);
      timed = true;
    }
    const int32_t count = fill(connection);
    if (count == -SF_ENOBUFS) {
      const bool has_line = memchr(connection->input, '\n', INPUT_BYTES) != NULL;
      return refuse(connection, has_line ? 431 : 414);
    }
    if (count == 0 && bytes > 0) return refuse(connection, 400);
    if (count <= 0) return count;
  }
}

/* Answers one request. Returns 0 when the peer has gone, 1 when there may be another, or an error. */
static int32_t serve_request(struct connection *connection) {
  struct request request;
  struct body body;
  struct slice rest;
  const int32_t head = read_head(connection);
  if (head <= 0) return head;
  server.requests++;
  const uint32_t refused =
    parse_request(&request, connection->input + connection->start, (uint32_t)head);
  if (refused != 0) return refuse(connection, refused);
  connection->closing = request.wants_close;
  /* The head stays where it is until the body is read: nothing moves before. */
  connection->start += (uint32_t)head;
  int32_t result = body_begin(&body, connection, &request, server.silence_ns);
  if (result < 0) return result;
  allow(connection, server.silence_ns);
  result = answer(connection, &request, &body);
  while (result >= 0 && !connection->closing) {
    result = body_read(&body, connection, &rest);
    if (result == 0) return 1;
  }
  return result < 0 ? result : 0;
}

/* What is still to be said to a peer that broke the rules, or took too long. */
static void refuse_peer(struct connection *connection, int32_t result) {
  const uint32_t status = result == -SF_ETIMEDOUT ? 408 : connection->refusal;
  if (result != -SF_ETIMEDOUT && result != -SF_EPROTO) return;
  if (!connection->unanswered || connection->cut) return;
  server.refused++;
  connection->closing = true;
  respond_status(connection, NULL, status, SLICE(""));
}

static int32_t serve_connection(void *argument) {
  struct connection connection;
  memset(&connection, 0, offsetof(struct connection, input));
  connection.handle = (sf_handle_t)(intptr_t)argument;
  int32_t result;

  sf_timeout_begin(&connection.time, SF_NEVER);
  do {
    result = serve_request(&connection);
  } while (result > 0);
  result = sf_timeout_end(&connection.time, result);
  refuse_peer(&connection, result);
  if (result != -SF_ECANCELED && !connection.cut) linger(&connection);
  return sf_close(connection.handle);
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  const char *root = NULL;
  uint64_t port = 0;
  uint64_t head_ms = 10000, idle_ms = 60000, silence_ms = 30000;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_max = 65535 },
    { .name = "--root", .text = &root },
    { .name = "--head-ms", .number = &head_ms, .number_min = 1, .number_max = 86400000 },
    { .name = "--idle-ms", .number = &idle_ms, .number_min = 1, .number_max = 86400000 },
    { .name = "--silence-ms", .number = &silence_ms, .number_min = 1, .number_max = 86400000 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;
  server.head_ns = head_ms * SF_MILLISECOND;
  server.idle_ns = idle_ms * SF_MILLISECOND;
  server.silence_ns = silence_ms * SF_MILLISECOND;
  crc32_prepare();
  if (root != NULL) {
    server.root = sf_open(root, (uint32_t)strlen(root), SF_OPEN_READ | SF_OPEN_DIRECTORY, 0);
    if (server.root < 0) return fail("http-server", root, server.root);
  }
  sf_handle_t listener = listen_on(host, port);
  if (listener < 0) return fail("http-server", "listen", listener);

  const int32_t result = serve_each(listener, serve_connection, &server.connections);
  if (result != -SF_ECANCELED) return fail("http-server", "accept", result);
  printf("{\"connections\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"refused\":%" PRIu64 "}\n",
         server.connections, server.requests, server.refused);
  return 0;
}

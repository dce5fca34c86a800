/* body.h - the body of a request, in pieces that lie in the connection's input: of a given length, or chunked
 * (RFC 9112, 7.1). */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http-server/connection.h"
#include "http-server/request.h"

#define BODY_BYTES_MAX (UINT64_C(16) << 20)
#define CHUNK_LINE_BYTES_MAX 1024
#define CHUNK_DIGITS_MAX 15

enum body_state { BODY_LENGTH, BODY_CHUNK_SIZE, BODY_CHUNK, BODY_CHUNK_END, BODY_TRAILERS, BODY_ENDED };

struct body {
  enum body_state state;
  uint64_t left;     /* of the body, or of this chunk */
  uint64_t total;    /* of all chunks so far */
  uint32_t trailers; /* lines */
  uint64_t silence_ns; /* how long to wait for more of it */
};

static int32_t body_begin(struct body *body, struct connection *connection,
                          const struct request *request, uint64_t silence_ns) {
  const bool is_empty = !request->chunked && request->content_bytes == 0;
  *body = (struct body){ .state = request->chunked ? BODY_CHUNK_SIZE : BODY_LENGTH,
                         .left = request->content_bytes,
                         .silence_ns = silence_ns };
  if (is_empty) body->state = BODY_ENDED;
  connection->awaits_body = request->expects_continue && !is_empty;
  return body->left > BODY_BYTES_MAX ? refuse(connection, 413) : 0;
}

static int32_t body_fill(struct body *body, struct connection *connection) {
  if (connection->awaits_body) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection->awaits_body = false;
    const int32_t error = append(connection, go_on, sizeof(go_on) - 1);
    if (error < 0) return error;
  }
  allow(connection, body->silence_ns);
  const int32_t count = fill(connection);
  return count == 0 ? refuse(connection, 400) : count;
}

/* Takes a line off the input, without its end. */
static int32_t body_line(struct body *body, struct connection *connection, struct slice *line_out) {
  for (uint32_t looked = 0;;) {
    const char *at = connection->input + connection->start;
    const uint32_t bytes = connection->end - connection->start;
    const char *newline = memchr(at + looked, '\n', bytes - looked);
    if (newline != NULL) {
      const uint32_t line_bytes = (uint32_t)(newline - at);
      if (line_bytes == 0 || at[line_bytes - 1] != '\r') return refuse(connection, 400);
      *line_out = (struct slice){ at, line_bytes - 1 };
      connection->start += line_bytes + 1;
      return 0;
    }
    if (bytes > CHUNK_LINE_BYTES_MAX) return refuse(connection, 400);
    looked = bytes;
    const int32_t count = body_fill(body, connection);
    if (count < 0) return count;
  }
}

/* "1a2b", then nothing, or extensions that nobody here knows. */
static int32_t body_chunk_size(struct body *body, struct connection *connection,
                               struct slice line) {
  uint32_t digits = 0;
  for (body->left = 0; digits < line.bytes && hex_value(line.at[digits]) >= 0; digits++) {
    if (digits == CHUNK_DIGITS_MAX) return refuse(connection, 413);
    body->left = body->left * 16 + (uint64_t)hex_value(line.at[digits]);
  }
  const struct slice rest = trim((struct slice){ line.at + digits, line.bytes - digits });
  if (digits == 0 || (rest.bytes > 0 && rest.at[0] != ';')) return refuse(connection, 400);
  body->total += body->left;
  if (body->total > BODY_BYTES_MAX) return refuse(connection, 413);
  body->state = body->left == 0 ? BODY_TRAILERS : BODY_CHUNK;
  return 0;
}

/* A line between the chunks, or behind the last one. */
static int32_t body_framing(struct body *body, struct connection *connection) {
  struct slice line;
  const int32_t error = body_line(body, connection, &line);
  if (error < 0) return error;
  if (body->state == BODY_CHUNK_SIZE) return body_chunk_size(body, connection, line);
  if (body->state == BODY_CHUNK_END) {
    body->state = BODY_CHUNK_SIZE;
    return line.bytes == 0 ? 0 : refuse(connection, 400);
  }
  if (line.bytes == 0) {
    body->state = BODY_ENDED;
    return 0;
  }
  struct request ignored = { 0 };
  if (++body->trailers > FIELDS_MAX) return refuse(connection, 431);
  const uint32_t status = parse_field(&ignored, line);
  return status == 0 ? 0 : refuse(connection, status);
}

/* The next piece, which stays until the next call. Returns its bytes, 0 at the end, or an error. */
static int32_t body_read(struct body *body, struct connection *connection, struct slice *piece_out) {
  for (;;) {
    int32_t error = 0;
    if (body->state == BODY_ENDED) return 0;
    if (body->state != BODY_LENGTH && body->state != BODY_CHUNK) {
      error = body_framing(body, connection);
    } else if (connection->start == connection->end) {
      error = body_fill(body, connection);
    } else {
      const uint32_t there = connection->end - connection->start;
      const uint32_t bytes = there < body->left ? there : (uint32_t)body->left;
      *piece_out = (struct slice){ connection->input + connection->start, bytes };
      connection->start += bytes;
      body->left -= bytes;
      if (body->left == 0) body->state = body->state == BODY_CHUNK ? BODY_CHUNK_END : BODY_ENDED;
      return (int32_t)bytes;
    }
    if (error < 0) return error;
  }
}

#endif

/* request.h - the head of a request: its line and its fields, read where they lie (RFC 9112).
 *
 * Strict where to be lenient lets two programs read one message as two different ones: lines end in CR LF; no
 * space stands before a colon; a body has one length, and nothing guesses it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http-server/text.h"

#define FIELDS_MAX 100

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

struct request {
  enum method method;
  struct slice path;  /* as sent: not decoded; without the query */
  struct slice query; /* behind the question mark */
  uint64_t content_bytes; /* of the body, unless it is chunked */
  bool has_length;
  bool chunked;
  bool is_1_0;
  bool wants_close;      /* no further request follows */
  bool keep_alive;       /* asked for, which says something in 1.0 only */
  bool expects_continue;
  uint32_t hosts;
  uint32_t transfer_codings;
};

/* Looks for the end of a head at `bytes`, from `*looked` on, where it stopped last time. Returns the bytes of
 * the head with its empty line, 0 when it is not there yet, or -1 when a line does not end in CR LF. */
static int32_t head_bytes(const char *head, uint32_t bytes, uint32_t *looked) {
  const char *newline;
  while ((newline = memchr(head + *looked, '\n', bytes - *looked)) != NULL) {
    const uint32_t at = (uint32_t)(newline - head);
    if (at == 0 || head[at - 1] != '\r') return -1;
    *looked = at + 1;
    if (at >= 3 && head[at - 2] == '\n') return (int32_t)at + 1;
  }
  *looked = bytes;
  return 0;
}

/* Each of these returns 0, or the status to refuse the request with. */

static uint32_t parse_version(struct request *request, struct slice version) {
  if (version.bytes != 8 || memcmp(version.at, "HTTP/", 5) != 0) return 400;
  if (!is_digit(version.at[5]) || version.at[6] != '.' || !is_digit(version.at[7])) return 400;
  if (version.at[5] != '1') return 505;
  request->is_1_0 = version.at[7] == '0';
  return 0;
}

/* "/path?query", or with "http://host" before it. */
static uint32_t parse_target(struct request *request, struct slice target) {
  for (uint32_t i = 0; i < target.bytes; i++)
    if (target.at[i] <= ' ' || target.at[i] >= 0x7f) return 400;
  if (target.bytes > 7 && equals_ignoring_case((struct slice){ target.at, 7 }, SLICE("http://"))) {
    const char *slash = memchr(target.at + 7, '/', target.bytes - 7);
    if (slash == NULL) return 400;
    target.bytes -= (uint32_t)(slash - target.at);
    target.at = slash;
  }
  if (target.bytes == 0 || target.at[0] != '/') return 400;
  const char *mark = memchr(target.at, '?', target.bytes);
  request->path = target;
  if (mark == NULL) return 0;
  request->path.bytes = (uint32_t)(mark - target.at);
  request->query = (struct slice){ mark + 1, target.bytes - request->path.bytes - 1 };
  return 0;
}

static uint32_t parse_request_line(struct request *request, struct slice line) {
  const char *space = memchr(line.at, ' ', line.bytes);
  if (space == NULL || space == line.at) return 400;
  const struct slice method = { line.at, (uint32_t)(space - line.at) };
  for (uint32_t i = 0; i < method.bytes; i++)
    if (!is_token_char(method.at[i])) return 400;
  request->method = equals(method, SLICE("GET"))    ? METHOD_GET
                    : equals(method, SLICE("HEAD")) ? METHOD_HEAD
                    : equals(method, SLICE("POST")) ? METHOD_POST
                                                    : METHOD_OTHER;
  const struct slice rest = { space + 1, line.bytes - method.bytes - 1 };
  space = memchr(rest.at, ' ', rest.bytes);
  if (space == NULL) return 400;
  const uint32_t target_bytes = (uint32_t)(space - rest.at);
  const uint32_t refused =
    parse_version(request, (struct slice){ space + 1, rest.bytes - target_bytes - 1 });
  return refused != 0 ? refused : parse_target(request, (struct slice){ rest.at, target_bytes });
}

static uint32_t parse_connection(struct request *request, struct slice value) {
  struct slice option;
  while (next_of_list(&value, &option)) {
    if (equals_ignoring_case(option, SLICE("close"))) request->wants_close = true;
    if (equals_ignoring_case(option, SLICE("keep-alive"))) request->keep_alive = true;
  }
  return 0;
}

static uint32_t parse_transfer_encoding(struct request *request, struct slice value) {
  struct slice coding;
  while (next_of_list(&value, &coding)) {
    if (!equals_ignoring_case(coding, SLICE("chunked"))) return 501;
    request->transfer_codings++;
  }
  request->chunked = true;
  return 0;
}

static uint32_t parse_content_length(struct request *request, struct slice value) {
  if (request->has_length || !parse_decimal(value, &request->content_bytes)) return 400;
  request->has_length = true;
  return 0;
}

static uint32_t parse_field(struct request *request, struct slice line) {
  const char *colon = memchr(line.at, ':', line.bytes);
  if (colon == NULL || colon == line.at) return 400;
  const struct slice name = { line.at, (uint32_t)(colon - line.at) };
  const struct slice value = trim((struct slice){ colon + 1, line.bytes - name.bytes - 1 });
  /* A line that goes on the one before begins with a space: no token. */
  for (uint32_t i = 0; i < name.bytes; i++)
    if (!is_token_char(name.at[i])) return 400;
  for (uint32_t i = 0; i < value.bytes; i++) {
    const unsigned char c = (unsigned char)value.at[i];
    if ((c < ' ' && c != '\t') || c == 0x7f) return 400;
  }
  switch (name.bytes) {
    case 4:
      if (equals_ignoring_case(name, SLICE("host"))) request->hosts++;
      return 0;
    case 6:
      if (!equals_ignoring_case(name, SLICE("expect"))) return 0;
      if (!equals_ignoring_case(value, SLICE("100-continue"))) return 417;
      request->expects_continue = true;
      return 0;
    case 10:
      if (!equals_ignoring_case(name, SLICE("connection"))) return 0;
      return parse_connection(request, value);
    case 14:
      if (!equals_ignoring_case(name, SLICE("content-length"))) return 0;
      return parse_content_length(request, value);
    case 17:
      if (!equals_ignoring_case(name, SLICE("transfer-encoding"))) return 0;
      return parse_transfer_encoding(request, value);
  }
  return 0;
}

/* Whether the fields agree with each other and with the version. */
static uint32_t check_fields(struct request *request) {
  if (request->hosts > 1 || (request->hosts == 0 && !request->is_1_0)) return 400;
  if (request->chunked &&
      (request->has_length || request->is_1_0 || request->transfer_codings != 1)) {
    return 400;
  }
  if (request->is_1_0) {
    request->expects_continue = false; /* It could not read the 100. */
    if (!request->keep_alive) request->wants_close = true;
  }
  return 0;
}

/* Reads a head that ends with its empty line, which head_bytes() found. */
static uint32_t parse_request(struct request *request, const char *head, uint32_t bytes) {
  *request = (struct request){ 0 };
  uint32_t lines = 0;
  for (uint32_t at = 0;; lines++) {
    const uint32_t line_bytes = (uint32_t)((const char *)memchr(head + at, '\n', bytes - at) -
                                           (head + at)) - 1;
    const struct slice line = { head + at, line_bytes };
    if (lines > 0 && line_bytes == 0) return check_fields(request);
    if (lines > FIELDS_MAX) return 431;
    const uint32_t refused =
      lines == 0 ? parse_request_line(request, line) : parse_field(request, line);
    if (refused != 0) return refused;
    at += line_bytes + 2;
  }
}

#endif

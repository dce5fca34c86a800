/* files.h - files below a granted directory, sent inside the host. That no path leads out of the directory,
 * by ".." or by a link, is the host's promise: nothing is checked here. */
#ifndef HTTP_FILES_H
#define HTTP_FILES_H

#include <stackful/fs.h>

#include "http-server/response.h"

#define SEND_FILE_BYTES (256u << 10)

static struct slice type_of(struct slice name) {
  static const struct {
    struct slice suffix, type;
  } types[] = {
    { SLICE(".html"), SLICE("text/html; charset=utf-8") },
    { SLICE(".css"), SLICE("text/css") },
    { SLICE(".js"), SLICE("text/javascript") },
    { SLICE(".json"), SLICE("application/json") },
    { SLICE(".txt"), SLICE("text/plain; charset=utf-8") },
    { SLICE(".png"), SLICE("image/png") },
    { SLICE(".svg"), SLICE("image/svg+xml") },
    { SLICE(".wasm"), SLICE("application/wasm") },
  };
  for (uint32_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
    const struct slice suffix = types[i].suffix;
    if (name.bytes > suffix.bytes &&
        equals((struct slice){ name.at + name.bytes - suffix.bytes, suffix.bytes }, suffix)) {
      return types[i].type;
    }
  }
  return SLICE("application/octet-stream");
}

/* Replaces %2f and its like where they stand. Returns the bytes, or -1: not two digits, or a zero. */
static int32_t percent_decode(char *text, uint32_t bytes) {
  uint32_t to = 0;
  for (uint32_t at = 0; at < bytes; at++, to++) {
    text[to] = text[at];
    if (text[at] != '%') continue;
    const int32_t high = at + 2 < bytes ? hex_value(text[at + 1]) : -1;
    const int32_t low = at + 2 < bytes ? hex_value(text[at + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return -1;
    text[to] = (char)(high * 16 + low);
    at += 2;
  }
  return (int32_t)to;
}

static uint32_t status_of(int32_t error) {
  switch (-error) {
    case SF_ENOENT:
    case SF_ENOTDIR:
    case SF_EISDIR:
    case SF_ENAMETOOLONG:
    case SF_ENXIO: /* a pipe that nobody has open */
      return 404;
    case SF_EACCES:
    case SF_EPERM:
    case SF_ELOOP:
    case SF_ENOTCAPABLE:
      return 403;
    case SF_EMFILE:
    case SF_ENFILE:
    case SF_ENOMEM:
      return 503;
  }
  return 500;
}

/* Sends what was announced. A file that has become shorter leaves no way but to end the connection. */
static int32_t send_content(struct connection *connection, sf_handle_t file, uint64_t bytes,
                            uint64_t silence_ns) {
  int32_t count = flush(connection);
  for (uint64_t at = 0; count >= 0 && at < bytes; at += (uint64_t)count) {
    const uint64_t left = bytes - at;
    allow(connection, silence_ns);
    count = sf_send_file(connection->handle, file, (int64_t)at,
                         left < SEND_FILE_BYTES ? (uint32_t)left : SEND_FILE_BYTES);
    if (count == 0) count = -SF_EIO;
  }
  if (count < 0) connection->cut = true;
  return count < 0 ? count : 0;
}

/* Answers with the file of that name, which is decoded where it stands. */
static int32_t answer_file(struct connection *connection, const struct request *request,
                           sf_handle_t directory, struct slice name, uint64_t silence_ns) {
  char *path = connection->input + (name.at - connection->input);
  const int32_t path_bytes = percent_decode(path, name.bytes);
  if (path_bytes < 0) return respond_status(connection, request, 400, SLICE(""));
  if (path_bytes == 0) return respond_status(connection, request, 404, SLICE(""));
  const sf_handle_t file = sf_open_at(directory, path, (uint32_t)path_bytes, SF_OPEN_READ, 0);
  if (file == -SF_ECANCELED) return file;
  if (file < 0) return respond_status(connection, request, status_of(file), SLICE(""));

  struct sf_stat status;
  int32_t result = sf_stat(file, &status);
  if (result == 0 && status.kind == SF_FILE_REGULAR) {
    const struct response response = { .status = 200,
                                       .type = type_of((struct slice){ path, (uint32_t)path_bytes }),
                                       .content_bytes = status.bytes };
    result = respond_head(connection, request, &response);
    if (result == 0 && request->method != METHOD_HEAD)
      result = send_content(connection, file, status.bytes, silence_ns);
  } else if (result != -SF_ECANCELED) {
    result = respond_status(connection, request, result == 0 ? 404 : status_of(result), SLICE(""));
  }
  sf_close(file);
  return result;
}

#endif

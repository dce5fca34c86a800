/* echo-server.c - a TCP server as one writes it with blocking calls, one task per connection.
 *
 * Shows:
 *   - a detached task per connection, on a stack of 4 KiB, buffer included: read, write, close;
 *   - an accept loop that outlives a shortage. Out of handles or tasks, it waits or turns the
 *     newcomer away, and goes on;
 *   - shutdown by cancel: accept returns -SF_ECANCELED, main returns, and with main's return the
 *     runtime cancels the connections that are left and waits for them.
 *
 * The first line of output is {"port":N}, the last one the totals.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"
#include "shared/server.h"

#define BUFFER_BYTES 2048
#define STACK_BYTES 4096 /* the buffer, its callers' frames, and room to save them */

/* Tasks never run at the same time, and none of these is touched across a park: plain fields do. */
struct server {
  uint64_t connections;
  uint64_t refused; /* accepted, and closed again for want of a task */
  uint64_t failed;  /* ended by an error, not by the peer's end of stream */
  uint64_t bytes;
};

/* A detached task has one pointer to take along, and that is its connection. */
static struct server server;

static int32_t serve_connection(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  char buffer[BUFFER_BYTES];
  int32_t result;

  while ((result = sf_read(connection, buffer, sizeof(buffer))) > 0) {
    int32_t count = result;
    result = sf_write_all(connection, buffer, (uint32_t)count);
    if (result < 0) break;
    server.bytes += (uint32_t)count;
  }
  if (result < 0 && result != -SF_ECANCELED) server.failed++;
  return sf_close(connection);
}

static void start_connection(sf_handle_t connection, uint32_t stack_bytes) {
  char name[32];
  snprintf(name, sizeof(name), "conn-%" PRIu64, server.connections);
  const struct sf_spawn_options options = { .stack_bytes = stack_bytes, .name = name };

  int32_t result = sf_spawn(serve_connection, (void *)(intptr_t)connection, &options, NULL);
  if (result == 0) {
    server.connections++;
    return;
  }
  server.refused++;
  sf_close(connection);
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  uint64_t port = 0;
  uint64_t stack_bytes = STACK_BYTES;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_max = 65535 },
    { .name = "--stack-bytes", .number = &stack_bytes, .number_min = STACK_BYTES,
      .number_max = 8 << 20 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;

  sf_handle_t listener = listen_on(host, port);
  if (listener < 0) return fail("echo-server", "listen", listener);
  int32_t result;
  while ((result = accept_next(listener)) >= 0) start_connection(result, (uint32_t)stack_bytes);
  sf_close(listener);
  if (result != -SF_ECANCELED) return fail("echo-server", "accept", result);
  printf("{\"connections\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"failed\":%" PRIu64
         ",\"bytes\":%" PRIu64 "}\n",
         server.connections, server.refused, server.failed, server.bytes);
  return 0;
}

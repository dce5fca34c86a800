/* tcp-proxy.c - hands every connection on to another server, both ways at once.
 *
 *   stackful run --allow-listen '127.0.0.1:*' --allow-connect 127.0.0.1:7000 tcp-proxy.wasm --to 7000
 *
 * Shows:
 *   - two tasks for each connection, one per direction, that end together: when one fails, the other is
 *     canceled, and both sides are reset, so that nobody takes a broken stream for a whole one;
 *   - half-close: the end of one direction is passed on, and the other goes on until its own end;
 *   - a deadline that both directions share: a link is let go when neither has had a byte for so long.
 *
 * The first line of output is {"port":N}, the last one, once it is canceled, the totals.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"
#include "shared/server.h"

#define BUFFER_BYTES 8192

static struct proxy {
  struct sf_address upstream;
  uint64_t connect_ns;
  uint64_t idle_ns;
  uint64_t connections;
  uint64_t failed;
  uint64_t bytes;
} proxy;

struct link {
  sf_handle_t client;
  sf_handle_t upstream;
  uint64_t active_ns; /* when a byte last passed */
};

/* Reads as long as either direction is alive. */
static int32_t read_alive(const struct link *link, sf_handle_t from, char *buffer) {
  for (;;) {
    const uint64_t until_ns = link->active_ns + proxy.idle_ns;
    const int32_t count = sf_read_timeout(from, buffer, BUFFER_BYTES, sf_at(until_ns));
    if (count != -SF_ETIMEDOUT || link->active_ns + proxy.idle_ns == until_ns) return count;
  }
}

/* One direction, to its end. */
static int32_t pump(struct link *link, sf_handle_t from, sf_handle_t to) {
  char buffer[BUFFER_BYTES];
  int32_t count;
  while ((count = read_alive(link, from, buffer)) > 0) {
    const int32_t error =
      sf_write_all_timeout(to, buffer, (uint32_t)count, sf_after(proxy.idle_ns));
    if (error < 0) return error;
    link->active_ns = sf_now();
    proxy.bytes += (uint32_t)count;
  }
  return count < 0 ? count : sf_shutdown(to, SF_SHUTDOWN_WRITE);
}

static int32_t pump_up(void *argument) {
  struct link *link = argument;
  return pump(link, link->client, link->upstream);
}

static int32_t pump_down(void *argument) {
  struct link *link = argument;
  return pump(link, link->upstream, link->client);
}

static int32_t run_link(struct link *link) {
  struct sf_group group;
  link->active_ns = sf_now();
  sf_group_init(&group, 0, SF_GROUP_FAIL_FAST);
  int32_t error = sf_group_spawn(&group, pump_up, link, NULL, NULL);
  if (error == 0) error = sf_group_spawn(&group, pump_down, link, NULL, NULL);
  if (error < 0) {
    sf_group_cancel(&group);
    return error;
  }
  return sf_group_wait(&group);
}

/* A close that lingers for no time resets the connection. */
static void close_end(sf_handle_t handle, int32_t result) {
  if (result < 0) {
    sf_shield_begin();
    sf_option_set(handle, SF_OPTION_LINGER, 0);
    sf_shield_end();
  }
  sf_close(handle);
}

static int32_t serve_connection(void *argument) {
  struct link link = { .client = (sf_handle_t)(intptr_t)argument };
  link.upstream = sf_tcp_connect_timeout(&proxy.upstream, sf_after(proxy.connect_ns));
  int32_t result = link.upstream;
  if (result >= 0) {
    result = run_link(&link);
    close_end(link.upstream, result);
  }
  close_end(link.client, result);
  if (result < 0 && result != -SF_ECANCELED) proxy.failed++;
  return 0;
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  const char *to_host = "127.0.0.1";
  uint64_t port = 0, to = 0;
  uint64_t connect_ms = 5000, idle_ms = 300000;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_max = 65535 },
    { .name = "--to-host", .text = &to_host },
    { .name = "--to", .number = &to, .number_min = 1, .number_max = 65535 },
    { .name = "--connect-ms", .number = &connect_ms, .number_min = 1, .number_max = 86400000 },
    { .name = "--idle-ms", .number = &idle_ms, .number_min = 1, .number_max = 86400000 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;
  proxy.connect_ns = connect_ms * SF_MILLISECOND;
  proxy.idle_ns = idle_ms * SF_MILLISECOND;
  int32_t result =
    sf_address_parse(to_host, (uint32_t)strlen(to_host), (uint32_t)to, &proxy.upstream);
  if (result < 0 || to == 0) return fail("tcp-proxy", "--to-host ADDRESS --to PORT", -SF_EINVAL);
  const sf_handle_t listener = listen_on(host, port);
  if (listener < 0) return fail("tcp-proxy", "listen", listener);

  result = serve_each(listener, serve_connection, &proxy.connections);
  if (result != -SF_ECANCELED) return fail("tcp-proxy", "accept", result);
  printf("{\"connections\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
         proxy.connections, proxy.failed, proxy.bytes);
  return 0;
}

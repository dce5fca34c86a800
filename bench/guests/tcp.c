/* tcp.c - the server of the tcp scenarios: echo, sink or source, one task per connection. With a port it is one
 * of several that share it. */
#include <stackful.h>
#include <stdio.h>
#include <stdlib.h>

#define ECHO_BYTES 4096
#define CHUNK_BYTES 65536
#define BACKLOG 4096

static unsigned char pattern[256 + CHUNK_BYTES];

static int32_t echo(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  char buffer[ECHO_BYTES];
  int32_t count;
  while ((count = sf_read(connection, buffer, sizeof(buffer))) > 0)
    if (sf_write_all(connection, buffer, (uint32_t)count) < 0) break;
  return sf_close(connection);
}

/* Counts what comes until the end, and answers with the count. */
static int32_t sink(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  char *buffer = malloc(CHUNK_BYTES);
  uint64_t total = 0;
  int32_t count;
  if (buffer == NULL) return -SF_ENOMEM;
  while ((count = sf_read(connection, buffer, CHUNK_BYTES)) > 0) total += (uint32_t)count;
  if (count == 0) sf_write_all(connection, &total, sizeof(total));
  free(buffer);
  return sf_close(connection);
}

/* Is asked for a number of chunks, and sends them. */
static int32_t source(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  uint32_t request[2];
  if (sf_read_full(connection, request, sizeof(request)) == sizeof(request)) {
    for (uint32_t chunk = 0; chunk < request[1]; chunk++) {
      const uint32_t start = (request[0] * 131 + chunk * 31) & 255;
      if (sf_write_all(connection, pattern + start, CHUNK_BYTES) < 0) break;
    }
  }
  return sf_close(connection);
}

static int fail(const char *what, int32_t result) {
  fprintf(stderr, "tcp: %s: error %d\n", what, (int)-result);
  return 1;
}

int main(int argc, char **argv) {
  /* bench/tcp.ts has the same list. */
  static int32_t (*const services[])(void *) = { echo, sink, source };
  static const struct sf_spawn_options small = { .stack_bytes = 8192 };
  const int service = argc >= 2 ? atoi(argv[1]) : -1;
  const int port = argc >= 3 ? atoi(argv[2]) : 0;
  if (service < 0 || service > 2) return 2;
  for (uint32_t i = 0; i < sizeof(pattern); i++) pattern[i] = (unsigned char)(i * 7 + 3);

  struct sf_address address = { .family = SF_FAMILY_IPV4,
                                .port = (uint16_t)port,
                                .bytes = { 127, 0, 0, 1 } };
  sf_handle_t listener =
    sf_tcp_listen_with(&address, BACKLOG, port == 0 ? 0 : SF_BIND_REUSE_PORT);
  if (listener < 0) return fail("listen", listener);
  int32_t result = sf_local_address(listener, &address);
  if (result < 0) return fail("local address", result);
  printf("{\"port\":%u}\n", address.port);
  fflush(stdout);

  while ((result = sf_tcp_accept(listener, NULL)) >= 0) {
    int32_t spawned = sf_spawn(services[service], (void *)(intptr_t)result, &small, NULL);
    if (spawned < 0) return fail("spawn", spawned);
  }
  return result == -SF_ECANCELED ? 0 : fail("accept", result);
}

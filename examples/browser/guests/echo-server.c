/* echo-server.c - sends back what it gets. One task for each
 * connection. */
#include "demo.h"

#define IDLE (3 * SF_SECOND) /* a silent peer is a lost one */

static int32_t serve(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  char buffer[64];
  int32_t count;
  for (;;) {
    count = sf_read_timeout(connection, buffer, sizeof buffer,
                            sf_after(IDLE));
    if (count <= 0) break;
    count = sf_write_all(connection, buffer, (uint32_t)count);
    if (count < 0) break;
  }
  count_error(count);
  return sf_close(connection);
}

int main(void) {
  sf_handle_t listener = listen_on(ECHO_PORT), connection;
  while ((connection = sf_tcp_accept(listener, NULL)) >= 0)
    if (sf_spawn(serve, (void *)(intptr_t)connection, NULL, NULL) < 0)
      sf_close(connection);
  return sf_close(listener);
}

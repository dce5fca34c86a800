/* server.h - a listener that tells its port, accepting that outlives a shortage, and a task per connection. */
#ifndef EXAMPLES_SERVER_H
#define EXAMPLES_SERVER_H

#include <stackful.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG 4096 /* the system lowers it to its own limit */
#define SHORTAGE_PAUSE (10 * SF_MILLISECOND)

/* Returns a listener at the numeric address `host`, or a negative error. Prints {"port":N}, as the first line. */
static inline sf_handle_t listen_on(const char *host, uint64_t port) {
  struct sf_address address;
  int32_t result = sf_address_parse(host, (uint32_t)strlen(host), (uint32_t)port, &address);
  if (result < 0) return result;
  sf_handle_t listener = sf_tcp_listen(&address, BACKLOG);
  if (listener < 0) return listener;
  result = sf_local_address(listener, &address);
  if (result < 0) return result;
  printf("{\"port\":%u}\n", address.port);
  fflush(stdout);
  return listener;
}

/* Too little of something that other connections give back when they end. */
static inline bool is_shortage(int32_t result) {
  switch (-result) {
    case SF_EMFILE:
    case SF_ENFILE:
    case SF_EAGAIN:
    case SF_ENOBUFS:
    case SF_ENOMEM:
      return true;
  }
  return false;
}

/* The next connection; waits while handles are short. An error ends the server: -SF_ECANCELED, or what the
 * listener failed with. */
static inline sf_handle_t accept_next(sf_handle_t listener) {
  for (;;) {
    int32_t result = sf_tcp_accept(listener, NULL);
    if (is_shortage(result)) {
      result = sf_sleep(SHORTAGE_PAUSE);
      if (result < 0) return result;
    } else if (result != -SF_ECONNABORTED) { /* That peer left while it was queued: the next one. */
      return result;
    }
  }
}

/* Starts a task for each connection, which takes the connection as its argument and closes it; counts them in
 * *connections, unless that is NULL. Peers that there are no tasks for wait in the backlog. Closes the listener.
 * Returns what ended the server: -SF_ECANCELED, or what the listener or the start of a task failed with. */
static inline int32_t serve_each(sf_handle_t listener, sf_entry_fn serve, uint64_t *connections) {
  int32_t result;
  while ((result = accept_next(listener)) >= 0) {
    const sf_handle_t connection = result;
    result = sf_spawn_wait(serve, (void *)(intptr_t)connection, NULL, NULL);
    if (result < 0) {
      sf_close(connection);
      break;
    }
    if (connections != NULL) ++*connections;
  }
  sf_close(listener);
  return result;
}

#endif

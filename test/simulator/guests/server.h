/* server.h - the accept loop that the servers of the simulator share. */
#ifndef SIMULATOR_SERVER_H
#define SIMULATOR_SERVER_H

#include "report.h"

#define BACKLOG 64
#define SHORTAGE_PAUSE (10 * SF_MILLISECOND)

struct connection {
  sf_handle_t handle;
  uint32_t peer; /* its endpoint_id */
  int32_t (*serve)(struct connection *connection);
};

static struct sf_address endpoint(uint32_t ipv4, uint32_t port) {
  struct sf_address address = {.family = SF_FAMILY_IPV4, .port = (uint16_t)port};
  for (uint32_t i = 0; i < 4; i++) address.bytes[i] = (uint8_t)(ipv4 >> (24 - 8 * i));
  return address;
}

/* One number for a connection's end at the client's: the last byte of its address, and its port. */
static uint32_t endpoint_id(const struct sf_address *address) {
  return ((uint32_t)address->bytes[3] << 16) | address->port;
}

static int32_t connection_run(void *argument) {
  struct connection *connection = argument;
  uint32_t place = victim_begin();
  int32_t result = connection->serve(connection);
  victim_end(place);
  sf_close(connection->handle);
  free(connection);
  return result;
}

static int32_t connection_start(struct sf_group *group, sf_handle_t handle,
                                const struct sf_address *peer,
                                int32_t (*serve)(struct connection *)) {
  struct connection *connection = malloc(sizeof(*connection));
  if (connection == NULL) return -SF_ENOMEM;
  *connection = (struct connection){
      .handle = handle, .peer = endpoint_id(peer), .serve = serve};
  const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "connection"};
  int32_t error = sf_group_spawn(group, connection_run, connection, &options, NULL);
  if (error < 0) free(connection);
  return error;
}

/* Serves each connection in a task of its own until the calling task is canceled; then it cancels
 * them and waits. Returns 0, or why it could not listen. */
SF_PARKS static int32_t server_run(uint32_t port, int32_t (*serve)(struct connection *)) {
  struct sf_address address = endpoint(0, port);
  sf_handle_t listener = sf_tcp_listen(&address, BACKLOG);
  if (listener < 0) return listener;

  struct sf_group connections;
  sf_group_init(&connections, 0, 0);
  int32_t result;
  for (;;) {
    struct sf_address peer;
    result = sf_tcp_accept(listener, &peer);
    if (result >= 0) {
      if (connection_start(&connections, result, &peer, serve) < 0) sf_close(result);
    } else if (result == -SF_EMFILE || result == -SF_ENFILE || result == -SF_ENOBUFS ||
               result == -SF_ENOMEM) {
      result = sf_sleep(SHORTAGE_PAUSE);
      if (result < 0) break;
    } else if (result != -SF_ECONNABORTED) {
      break;
    }
  }
  sf_close(listener);
  sf_group_cancel(&connections);
  return result == -SF_ECANCELED ? 0 : result;
}

#endif

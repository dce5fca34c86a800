/* crowd.h - as many clients as the page wants. */
#ifndef CROWD_H
#define CROWD_H

#include <stdlib.h>

#include "demo.h"

static struct sf_address servers[4];
static uint32_t servers_count;

/* Another server for clients to turn to. `ipv4`: first byte lowest. */
EXPORT(add_server) void add_server(uint32_t ipv4, uint32_t port) {
  struct sf_address *server = &servers[servers_count++];
  *server = (struct sf_address){.family = SF_FAMILY_IPV4,
                                .port = (uint16_t)port};
  memcpy(server->bytes, &ipv4, sizeof ipv4);
}

/* The page's slider is a channel: each item is how many there should be. */
SF_PARKS static int32_t crowd(struct sf_channel *wanted,
                              sf_entry_fn client) {
  sf_task_t *clients = NULL;
  uint32_t count = 0, room = 0, want;
  while (sf_channel_receive(wanted, &want) == 0) {
    if (want > room) {
      void *larger = realloc(clients, want * sizeof *clients);
      if (larger == NULL) continue;
      clients = larger;
      room = want;
    }
    for (; count < want; count++) {
      void *number = (void *)(uintptr_t)count;
      if (sf_spawn(client, number, NULL, &clients[count]) < 0) break;
    }
    for (; count > want; count--) {
      sf_cancel(clients[count - 1]);
      sf_detach(clients[count - 1]);
    }
  }
  free(clients);
  return 0;
}

#endif

/* faults.c - servers and clients of numbered streams, for the runs of test/faults/. */
#include "streams.h"

static const struct sf_spawn_options small = {.stack_bytes = 16384, .name = "connection"};

static struct sf_address loopback(int32_t port) {
  return (struct sf_address){
      .family = SF_FAMILY_IPV4, .port = (uint16_t)port, .bytes = {127, 0, 0, 1}};
}

/* ── Tallies ───────────────────────────────────────────────────────────────────────────────────── */

struct tally *EXPORT(tally_new)(void) { return calloc(1, sizeof(struct tally)); }
void EXPORT(tally_free)(struct tally *tally) { free(tally); }

/* By the number of the field, for who cannot look into this memory. */
int32_t EXPORT(tally_field)(const struct tally *tally, int32_t field) {
  return ((const int32_t *)tally)[field];
}

/* ── Accidents ─────────────────────────────────────────────────────────────────────────────────── */

__attribute__((import_module("env"), import_name("act"))) int32_t host_act(int32_t what);

/* Has the host do something once so many bytes have come, and parks. */
int32_t EXPORT(act_at)(const struct tally *tally, int32_t bytes, int32_t what) {
  while (tally->bytes < (uint64_t)bytes)
    if (sf_sleep(SF_MILLISECOND / 10) < 0) return 0;
  host_act(what);
  return sf_park();
}

/* ── Servers ───────────────────────────────────────────────────────────────────────────────────── */

/* Listens on a free port; returns the listener. */
int32_t EXPORT(server_listen)(int32_t backlog) {
  const struct sf_address address = loopback(0);
  return sf_tcp_listen(&address, (uint32_t)backlog);
}

int32_t EXPORT(server_port)(sf_handle_t listener) {
  struct sf_address address;
  const int32_t error = sf_local_address(listener, &address);
  return error < 0 ? error : address.port;
}

static int32_t serve_one(sf_handle_t handle, struct sf_group *group, struct tally *tally) {
  struct connection *connection = malloc(sizeof(*connection));
  if (connection == NULL) return -SF_ENOMEM;
  *connection = (struct connection){tally, handle};
  const int32_t error = sf_group_spawn(group, connection_run, connection, &small, NULL);
  if (error < 0) free(connection);
  return error;
}

/* Sends back what comes over each connection until it is canceled, and then until the last of them has
 * ended. Where there is no room for another task it waits, or closes the connection. Returns 0 or the
 * error of accepting. */
int32_t EXPORT(serve)(sf_handle_t listener, int32_t waits, struct tally *tally) {
  struct sf_group group;
  int32_t result;
  sf_group_init(&group, 0, 0);
  while ((result = sf_tcp_accept(listener, NULL)) >= 0) {
    int32_t error;
    while ((error = serve_one(result, &group, tally)) == -SF_EAGAIN && waits)
      if (sf_spawn_room(connection_run, small.stack_bytes) < 0) break;
    if (error == 0) continue;
    sf_close(result);
    if (error == -SF_EAGAIN) tally->refused++;
    else tally->failed++, tally->error = error;
  }
  sf_close(listener);
  const int32_t error = sf_group_wait(&group);
  if (result != -SF_ECANCELED) return result;
  return error;
}

/* ── Clients ───────────────────────────────────────────────────────────────────────────────────── */

struct client {
  struct tally *tally;
  int32_t port;
  struct stream_head head;
};

static void client_connect(const struct client *client) {
  const struct sf_address address = loopback(client->port);
  const sf_handle_t handle = sf_tcp_connect(&address);
  if (handle >= 0) {
    stream_exchange(handle, client->head, client->tally);
  } else if (handle == -SF_ECONNREFUSED || is_reset(handle)) {
    client->tally->refused++;
  } else {
    client->tally->failed++;
    client->tally->error = handle;
  }
}

static int32_t client_run(void *argument) {
  struct client *client = argument;
  client_connect(client);
  free(client);
  return 0;
}

/* `count` connections at a time, each with its stream of `bytes`; -1: until the other end is gone. */
int32_t EXPORT(clients)(int32_t port, int32_t first, int32_t count, int32_t bytes,
                        struct tally *tally) {
  struct sf_group group;
  int32_t error = 0;
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < count && error == 0; i++) {
    struct client *client = malloc(sizeof(*client));
    if (client == NULL) {
      error = -SF_ENOMEM;
      break;
    }
    *client = (struct client){tally, port, {(uint32_t)(first + i), (uint32_t)bytes}};
    error = sf_group_spawn(&group, client_run, client, &small, NULL);
    if (error < 0) free(client);
  }
  const int32_t ended = sf_group_wait(&group);
  return error < 0 ? error : ended;
}

/* ── Connect and close ─────────────────────────────────────────────────────────────────────────── */

struct visits {
  struct tally *tally;
  int32_t port;
  uint32_t left;
  uint32_t seed;
};

/* One connection: an exchange of a few bytes, or none, or an end in the middle by a reset. */
SF_PARKS static int32_t visit(struct visits *visits) {
  const struct sf_address address = loopback(visits->port);
  const uint32_t number = random_next(&visits->seed);
  const uint32_t how = random_next(&visits->seed) % 4;
  const uint32_t bytes = 1 + random_next(&visits->seed) % 200;
  const sf_handle_t handle = sf_tcp_connect(&address);
  if (handle < 0) return handle;
  if (how == 0) {
    tally_begin(visits->tally);
    tally_end(visits->tally, &(struct stream_head){0, STREAM_OPEN}, 0, 0);
    return sf_close(handle);
  }
  if (how == 1) {
    const struct stream_head head = {number, STREAM_OPEN};
    tally_begin(visits->tally);
    const int32_t error = sf_write_all(handle, &head, sizeof(head));
    if (error == 0) sf_option_set(handle, SF_OPTION_LINGER, 0);
    tally_end(visits->tally, &head, 0, error);
    return sf_close(handle);
  }
  stream_exchange(handle, (struct stream_head){number, bytes}, visits->tally);
  return 0;
}

static int32_t visitor_run(void *argument) {
  struct visits *visits = argument;
  while (visits->left != 0) {
    visits->left--;
    const int32_t error = visit(visits);
    if (error < 0) {
      visits->tally->failed++;
      visits->tally->error = error;
    }
  }
  return 0;
}

/* Connects and closes `count` times, `at_once` at a time. */
int32_t EXPORT(visits)(int32_t port, int32_t count, int32_t at_once, int32_t seed,
                       struct tally *tally) {
  struct visits visits = {tally, port, (uint32_t)count, (uint32_t)seed};
  struct sf_group group;
  int32_t error = 0;
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < at_once && error == 0; i++)
    error = sf_group_spawn(&group, visitor_run, &visits, &small, NULL);
  const int32_t ended = sf_group_wait(&group);
  return error < 0 ? error : ended;
}

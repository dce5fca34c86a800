/* echo.c - an echo server, and clients that check every byte that comes back.
 *
 * Each connection has a byte sequence of its own. The server answers in one task, or in two with a
 * channel between them; a client sends and receives in two tasks of a group, and ends its stream
 * before it reads the rest (half-close).
 */
#include "byte-sequence.h"
#include "server.h"
#include "together.h"

enum kind {
  SERVED = 1, /* client's end, result, bytes in, bytes out */
  CLIENT = 2, /* number and FLAG_IMPATIENT, its end, result, bytes to send, bytes received */
  BROKEN = 3, /* number, enum broken, position */
  LATE = 4,   /* number, milliseconds that a call took longer than its timeout */
};

enum broken { DIFFERS = 1, SURPLUS = 2 };

#define FLAG_IMPATIENT 0x10000u

/* ── Server ────────────────────────────────────────────────────────────────────────────────────── */

#define IDLE_TIMEOUT (20 * SF_SECOND)
#define CHUNK_BYTES 1500
#define CHUNKS 4

struct chunk {
  uint32_t bytes;
  uint8_t data[CHUNK_BYTES];
};

struct relay {
  sf_handle_t handle;
  struct sf_channel chunks;
  uint32_t in, out;
};

static int32_t relay_in(void *argument) {
  struct relay *relay = argument;
  struct chunk chunk;
  int32_t result;
  while ((result = sf_read_timeout(relay->handle, chunk.data, CHUNK_BYTES,
                                   sf_after(IDLE_TIMEOUT))) > 0) {
    chunk.bytes = (uint32_t)result;
    relay->in += chunk.bytes;
    result = sf_channel_send(&relay->chunks, &chunk);
    if (result < 0) break;
  }
  sf_channel_close(&relay->chunks, 0);
  return result;
}

static int32_t relay_out(void *argument) {
  struct relay *relay = argument;
  struct chunk chunk;
  int32_t result;
  while ((result = sf_channel_receive(&relay->chunks, &chunk)) == 0) {
    result = sf_write_all_timeout(relay->handle, chunk.data, chunk.bytes, sf_after(IDLE_TIMEOUT));
    if (result < 0) return result;
    relay->out += chunk.bytes;
  }
  return result == -SF_EPIPE ? 0 : result;
}

/* Reads on while it writes: up to CHUNKS chunks are under way. */
static int32_t serve_relayed(struct connection *connection) {
  struct relay relay = {.handle = connection->handle};
  struct chunk *buffer = malloc(CHUNKS * sizeof(*buffer));
  if (buffer == NULL) return -SF_ENOMEM;
  sf_channel_init(&relay.chunks, buffer, CHUNKS, sizeof(*buffer));
  int32_t result = run_together((sf_entry_fn[]){relay_in, relay_out}, 2, &relay);
  free(buffer);
  report(SERVED, connection->peer, (uint32_t)result, relay.in, relay.out, 0);
  return result;
}

static int32_t serve_plainly(struct connection *connection) {
  uint8_t buffer[2048];
  uint32_t in = 0, out = 0;
  int32_t result;
  while ((result = sf_read_timeout(connection->handle, buffer, sizeof(buffer),
                                   sf_after(IDLE_TIMEOUT))) > 0) {
    in += (uint32_t)result;
    uint32_t count = (uint32_t)result;
    result = sf_write_all_timeout(connection->handle, buffer, count, sf_after(IDLE_TIMEOUT));
    if (result < 0) break;
    out += count;
  }
  report(SERVED, connection->peer, (uint32_t)result, in, out, 0);
  return result;
}

int32_t EXPORT(serve)(uint32_t port, uint32_t relayed) {
  return server_run(port, relayed ? serve_relayed : serve_plainly);
}

/* ── Clients ───────────────────────────────────────────────────────────────────────────────────── */

#define CONNECT_TIMEOUT (5 * SF_SECOND)
#define STALL_TIMEOUT (30 * SF_SECOND)

struct client {
  uint32_t number;
  struct random random;
  struct sf_address server;
  sf_handle_t handle;
  uint64_t sequence;
  uint32_t messages;
  uint32_t bytes_max;
  uint32_t pause_ms_max;
  uint32_t to_send;
  uint32_t sent;
  uint32_t received;
};

/* A call must not take longer than it may wait. */
static void note_time(const struct client *client, uint64_t start_ns, uint64_t timeout_ns) {
  uint64_t took_ns = sf_monotonic_ns() - start_ns;
  if (took_ns <= timeout_ns) return;
  report(LATE, client->number, (uint32_t)((took_ns - timeout_ns) / SF_MILLISECOND), 0, 0, 0);
}

/* How a client talks, each in its own way. */
enum manner { PLAINLY, IN_VECTORS, IN_SHORT_WAITS, IN_OPERATIONS, MANNERS };

#define SHORT_WAIT (30 * SF_MILLISECOND)

/* Waits for a short while, and again: a call that timed out has moved no byte. */
SF_PARKS static int32_t transfer_patiently(int32_t (*transfer)(sf_handle_t, void *, uint32_t,
                                                               sf_timeout_t),
                                           const struct client *client, void *buffer,
                                           uint32_t bytes) {
  uint64_t until_ns = sf_monotonic_ns() + STALL_TIMEOUT;
  for (;;) {
    int32_t result = transfer(client->handle, buffer, bytes, sf_after(SHORT_WAIT));
    if (result != -SF_ETIMEDOUT || sf_monotonic_ns() >= until_ns) return result;
  }
}

static int32_t write_once(sf_handle_t handle, void *data, uint32_t bytes, sf_timeout_t timeout) {
  return sf_write_timeout(handle, data, bytes, timeout);
}

static int32_t read_once(sf_handle_t handle, void *buffer, uint32_t bytes, sf_timeout_t timeout) {
  return sf_read_timeout(handle, buffer, bytes, timeout);
}

/* Lets an operation go on while it looks up now and then. */
SF_PARKS static int32_t await_operation(struct sf_operation *operation) {
  uint64_t until_ns = sf_monotonic_ns() + STALL_TIMEOUT;
  for (;;) {
    struct sf_arm arms[] = {sf_on_operation(operation), sf_on_timeout(sf_after(SHORT_WAIT))};
    int32_t which = sf_select(arms, 2);
    if (which == 0) return arms[0].waiter.result;
    if (which < 0 || sf_monotonic_ns() >= until_ns) {
      int32_t result = sf_operation_cancel(operation);
      if (result >= 0 && which < 0) sf_recancel(); /* The bytes first. */
      return result >= 0 ? result : which < 0 ? which : -SF_ETIMEDOUT;
    }
  }
}

/* Sends at least a byte. */
SF_PARKS static int32_t send_some(struct client *client, uint8_t *data, uint32_t bytes) {
  uint32_t half = bytes / 2;
  const struct sf_iovec halves[] = {{data, half}, {data + half, bytes - half}};
  struct sf_operation operation;
  int32_t error;
  switch (random_below(&client->random, MANNERS)) {
    case PLAINLY:
      error = sf_write_all_timeout(client->handle, data, bytes, sf_after(STALL_TIMEOUT));
      return error < 0 ? error : (int32_t)bytes;
    case IN_VECTORS:
      return sf_writev_timeout(client->handle, halves, 2, sf_after(STALL_TIMEOUT));
    case IN_SHORT_WAITS:
      return transfer_patiently(write_once, client, data, bytes);
    default:
      error = sf_operation_write(&operation, client->handle, data, bytes);
      return error < 0 ? error : await_operation(&operation);
  }
}

/* Receives at least a byte, or 0 at the end. */
SF_PARKS static int32_t receive_some(struct client *client, uint8_t *buffer, uint32_t bytes) {
  const struct sf_iovec parts[] = {{buffer, 100}, {buffer + 100, bytes - 100}};
  struct sf_operation operation;
  int32_t error;
  switch (random_below(&client->random, MANNERS)) {
    case PLAINLY:
      return sf_read_timeout(client->handle, buffer, bytes, sf_after(STALL_TIMEOUT));
    case IN_VECTORS:
      return sf_readv_timeout(client->handle, parts, 2, sf_after(STALL_TIMEOUT));
    case IN_SHORT_WAITS:
      return transfer_patiently(read_once, client, buffer, bytes);
    default:
      error = sf_operation_read(&operation, client->handle, buffer, bytes);
      return error < 0 ? error : await_operation(&operation);
  }
}

static int32_t send_all(void *argument) {
  struct client *client = argument;
  uint8_t *message = malloc(client->bytes_max);
  if (message == NULL) return -SF_ENOMEM;
  int32_t result = 0;
  while (client->sent < client->to_send && result >= 0) {
    uint32_t bytes = random_range(&client->random, 1, client->bytes_max);
    if (bytes > client->to_send - client->sent) bytes = client->to_send - client->sent;
    sequence_fill(client->sequence, client->sent, message, bytes);
    uint64_t start_ns = sf_monotonic_ns();
    result = send_some(client, message, bytes);
    note_time(client, start_ns, STALL_TIMEOUT + SHORT_WAIT);
    if (result > 0) client->sent += (uint32_t)result;
    if (result > 0 && client->pause_ms_max != 0)
      result = sf_sleep(random_ms(&client->random, client->pause_ms_max));
  }
  free(message);
  return result < 0 ? result : sf_shutdown(client->handle, SF_SHUTDOWN_WRITE);
}

static int32_t receive_all(void *argument) {
  struct client *client = argument;
  uint8_t buffer[1024];
  for (;;) {
    uint64_t start_ns = sf_monotonic_ns();
    int32_t result = receive_some(client, buffer, sizeof(buffer));
    note_time(client, start_ns, STALL_TIMEOUT + SHORT_WAIT);
    if (result <= 0) return result;
    uint32_t count = (uint32_t)result;
    uint32_t same = sequence_mismatch(client->sequence, client->received, buffer, count);
    if (same < count) report(BROKEN, client->number, DIFFERS, client->received + same, 0, 0);
    client->received += count;
    if (client->received > client->to_send)
      report(BROKEN, client->number, SURPLUS, client->received, 0, 0);
  }
}

static int32_t client_run(void *argument) {
  struct client *client = argument;
  uint32_t place = victim_begin();
  struct sf_address local = {0};
  bool impatient = false;
  uint64_t start_ns = sf_monotonic_ns();
  int32_t result = client->handle =
      sf_tcp_connect_timeout(&client->server, sf_after(CONNECT_TIMEOUT));
  note_time(client, start_ns, CONNECT_TIMEOUT);
  if (result >= 0) result = sf_local_address(client->handle, &local);
  if (result >= 0) {
    /* Some have no patience: their time is up at any point of the exchange. */
    impatient = random_chance(&client->random, 200);
    uint64_t patience_ns = impatient ? random_ms(&client->random, 2000) : 10 * STALL_TIMEOUT;
    struct sf_timeout scope;
    start_ns = sf_monotonic_ns();
    sf_timeout_begin(&scope, sf_after(patience_ns));
    result = run_together((sf_entry_fn[]){send_all, receive_all}, 2, client);
    result = sf_timeout_end(&scope, result);
    note_time(client, start_ns, patience_ns);
  }
  victim_end(place);
  if (client->handle >= 0) sf_close(client->handle);
  report(CLIENT, client->number | (impatient ? FLAG_IMPATIENT : 0), endpoint_id(&local),
         (uint32_t)result, client->to_send, client->received);
  return 0;
}

/* Runs `count` clients at once, from `number` on. */
int32_t EXPORT(run_clients)(uint32_t ipv4, uint32_t port, uint32_t number, uint32_t count,
                            uint32_t seed) {
  struct random random = {.state = seed};
  struct client *clients = calloc(count, sizeof(*clients));
  if (clients == NULL) return -SF_ENOMEM;
  for (uint32_t i = 0; i < count; i++) {
    struct client *client = &clients[i];
    *client = (struct client){
        .number = number + i,
        .random = random_fork(&random),
        .server = endpoint(ipv4, port),
        .handle = -1,
        .sequence = sequence_start(number + i),
        .bytes_max = random_chance(&random, 200) ? 20000 : 1000,
        .pause_ms_max = random_chance(&random, 500) ? 200 : 0,
    };
    client->to_send = random_range(&random, 0, 20 * client->bytes_max);
  }
  return run_each(clients, count, sizeof(*clients), client_run);
}

/* kv.c - a key-value store that survives a crash, and clients that use it.
 *
 * Puts go into a log. One task writes what has come in meanwhile, syncs once, and only then puts it
 * into the table and lets the clients know: what a client was told, and what a client can read, is on
 * the device. Each record's checksum starts with that of the record before it, so the log ends at the
 * first record that was not wholly written, and what lies behind it can never count again.
 *
 * After a failed sync nobody knows what is on the device. The server then ends; the next one reads the
 * log and writes it once more before it serves.
 */
#include "files.h"
#include "frames.h"
#include "server.h"
#include "together.h"

enum kind {
  INVOKED = 1,   /* client, operation, enum op, key, value */
  RETURNED = 2,  /* client, operation, enum outcome, value or error */
  BROKEN = 3,    /* client, operation, value: its bytes are another's */
  RECOVERED = 4, /* records, bytes of the log */
  FATAL = 5,     /* error */
};

enum op { PUT = 1, GET = 2 };
enum outcome { DONE = 1, UNKNOWN = 2 };

#define KEYS_MAX 16
#define VALUE_BYTES_MAX 900
#define BATCH_MAX 8
#define TIMEOUT (4 * SF_SECOND)

/* Value 0 is none. Its bytes follow from its number. */
static uint32_t value_bytes(uint32_t value) { return value * UINT32_C(2654435761) % VALUE_BYTES_MAX; }

static void value_fill(uint32_t value, uint8_t *out) {
  pattern_fill(out, value_bytes(value), value + value / 256, 13);
}

static bool value_is(uint32_t value, const uint8_t *data, uint32_t bytes) {
  return bytes == value_bytes(value) && pattern_is(data, bytes, value + value / 256, 13);
}

/* A request, and the reply to it: `bytes` of the value follow. */
struct message {
  uint32_t op; /* of a reply: 0 or a negated errno */
  uint32_t key;
  uint32_t value;
  uint32_t bytes;
};

/* ── Log ───────────────────────────────────────────────────────────────────────────────────────── */

#define MAGIC UINT32_C(0x6b764c67)

struct record {
  uint32_t magic;
  uint32_t chain; /* checksum of the record before it, of the fields below, and of the value */
  uint32_t key;
  uint32_t value;
  uint32_t bytes;
};

struct entry {
  uint32_t value;
  uint8_t data[VALUE_BYTES_MAX];
};

struct put {
  uint32_t key;
  struct entry *entry;
  struct sf_event done;
  int32_t result;
};

static struct {
  sf_task_t main;
  struct entry table[KEYS_MAX];
  sf_handle_t log;
  int64_t tail;
  uint32_t chain;
  struct sf_channel puts; /* of struct put *: owned by tasks that wait for them */
  struct put *puts_buffer[32];
  int32_t failed;
} server;

static uint32_t record_chain(uint32_t before, const struct record *record, const uint8_t *data) {
  uint32_t sum = checksum(before ^ CHECKSUM_START, &record->key, 3 * sizeof(uint32_t));
  return checksum(sum, data, record->bytes);
}

static uint32_t record_append(uint8_t *out, uint32_t *chain, uint32_t key, const struct entry *entry) {
  struct record record = {.magic = MAGIC,
                          .key = key,
                          .value = entry->value,
                          .bytes = value_bytes(entry->value)};
  *chain = record.chain = record_chain(*chain, &record, entry->data);
  memcpy(out, &record, sizeof(record));
  memcpy(out + sizeof(record), entry->data, record.bytes);
  return sizeof(record) + record.bytes;
}

/* Puts what the log holds into the table. Returns how many of the `bytes` count. */
static uint32_t log_replay(const uint8_t *log, uint32_t bytes) {
  uint32_t at = 0, records = 0;
  struct record record;
  while (bytes - at >= sizeof(record)) {
    memcpy(&record, log + at, sizeof(record));
    const uint8_t *data = log + at + sizeof(record);
    if (record.magic != MAGIC || record.key >= KEYS_MAX || record.bytes > VALUE_BYTES_MAX ||
        record.bytes > bytes - at - sizeof(record) ||
        record.chain != record_chain(server.chain, &record, data))
      break;
    server.chain = record.chain;
    server.table[record.key].value = record.value;
    memcpy(server.table[record.key].data, data, record.bytes);
    at += sizeof(record) + record.bytes;
    records++;
  }
  report(RECOVERED, records, at, bytes, 0, 0);
  return at;
}

#define LOG_BYTES_MAX (512 * 1024)

SF_PARKS static int32_t log_open(void) {
  sf_handle_t log = open_file("/data/log", SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE);
  if (log < 0) return log;
  uint8_t *content = malloc(LOG_BYTES_MAX);
  int32_t result = content == NULL ? -SF_ENOMEM : pread_full(log, content, LOG_BYTES_MAX, 0);
  if (result >= 0) {
    uint32_t counts = log_replay(content, (uint32_t)result);
    server.tail = counts;
    /* What was read may be in memory alone: of a server that was killed, or after a failed sync. */
    result = pwrite_all(log, content, counts, 0);
    if (result == 0) result = sf_fsync(log);
  }
  free(content);
  if (result < 0) {
    sf_close(log);
    return result;
  }
  server.log = log;
  return 0;
}

/* Writes, syncs, and makes visible. */
SF_PARKS static int32_t commit(struct put **puts, uint32_t count) {
  static uint8_t batch[BATCH_MAX * (sizeof(struct record) + VALUE_BYTES_MAX)];
  uint32_t chain = server.chain, bytes = 0;
  for (uint32_t i = 0; i < count; i++)
    bytes += record_append(batch + bytes, &chain, puts[i]->key, puts[i]->entry);
  int32_t error = pwrite_all(server.log, batch, bytes, server.tail);
  if (error < 0) return error; /* Nobody was told; the next batch takes its place. */
  error = sf_fsync(server.log);
  if (error < 0) {
    server.failed = error;
    return error;
  }
  server.tail += bytes;
  server.chain = chain;
  for (uint32_t i = 0; i < count; i++) server.table[puts[i]->key] = *puts[i]->entry;
  return 0;
}

static int32_t committer(void *unused) {
  (void)unused;
  struct put *puts[BATCH_MAX];
  int32_t count;
  while ((count = sf_channel_receive_many(&server.puts, puts, BATCH_MAX)) > 0) {
    int32_t result = server.failed != 0 ? server.failed : commit(puts, (uint32_t)count);
    for (int32_t i = 0; i < count; i++) {
      puts[i]->result = result;
      sf_event_set(&puts[i]->done);
    }
    if (server.failed == 0) continue;
    report(FATAL, (uint32_t)server.failed, 0, 0, 0, 0);
    sf_cancel(server.main);
  }
  return 0;
}

/* ── Server ────────────────────────────────────────────────────────────────────────────────────── */

SF_PARKS static int32_t put_durably(uint32_t key, struct entry *entry) {
  struct put put = {.key = key, .entry = entry};
  struct put *item = &put;
  sf_event_init(&put.done, 0);
  int32_t error = sf_channel_send(&server.puts, &item);
  if (error < 0) return error;
  sf_shield_begin(); /* The committer has the put: it must stay. */
  sf_event_wait(&put.done);
  sf_shield_end();
  return put.result;
}

static int32_t serve_store(struct connection *connection) {
  struct message message;
  struct entry entry;
  int32_t result;
  while ((result = frame_read_timeout(connection->handle, &message, sizeof(message),
                                      sf_after(30 * SF_SECOND))) == 1) {
    if (message.bytes > VALUE_BYTES_MAX || message.key >= KEYS_MAX) return -SF_EINVAL;
    if (message.op == PUT) {
      entry.value = message.value;
      if (message.bytes != 0) {
        result = frame_read_timeout(connection->handle, entry.data, message.bytes, sf_after(TIMEOUT));
        if (result != 1) return result;
      }
      message.op = (uint32_t)put_durably(message.key, &entry);
      message.bytes = 0;
    } else {
      entry = server.table[message.key];
      message.op = 0;
      message.value = entry.value;
      message.bytes = value_bytes(entry.value);
    }
    result = sf_write_all_timeout(connection->handle, &message, sizeof(message), sf_after(TIMEOUT));
    if (result == 0 && message.bytes != 0)
      result = sf_write_all_timeout(connection->handle, entry.data, message.bytes,
                                    sf_after(TIMEOUT));
    if (result < 0) return result;
  }
  return result;
}

/* Serves until it is canceled: 0; or until the log cannot be trusted any more: that error. */
int32_t EXPORT(serve)(uint32_t port) {
  server.main = sf_self();
  int32_t result = log_open();
  if (result < 0) return result;
  sf_channel_init(&server.puts, server.puts_buffer, 32, sizeof(struct put *));
  sf_task_t task;
  const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "committer"};
  result = sf_spawn(committer, NULL, &options, &task);
  if (result == 0) {
    result = server_run(port, serve_store);
    sf_channel_close(&server.puts, 0);
    sf_join(task, NULL);
  }
  sf_close(server.log);
  return server.failed != 0 ? server.failed : result;
}

/* ── Clients ───────────────────────────────────────────────────────────────────────────────────── */

struct client {
  uint32_t number;
  struct random random;
  struct sf_address server;
  sf_handle_t handle; /* negative: none */
  uint32_t operation;
  uint32_t operations;
  uint32_t keys;
  uint32_t pause_ms_max;
};

SF_PARKS static int32_t exchange(struct client *client, struct message *message, uint8_t *data) {
  if (client->handle < 0) client->handle = sf_tcp_connect(&client->server);
  if (client->handle < 0) return client->handle;
  int32_t result = sf_write_all(client->handle, message, sizeof(*message));
  if (result == 0 && message->bytes != 0)
    result = sf_write_all(client->handle, data, message->bytes);
  if (result < 0) return result;
  result = frame_read(client->handle, message, sizeof(*message));
  if (result == 1 && message->bytes != 0) {
    if (message->bytes > VALUE_BYTES_MAX) return -SF_EMSGSIZE;
    result = frame_read(client->handle, data, message->bytes);
  }
  if (result <= 0) return result < 0 ? result : -SF_ECONNRESET;
  return (int32_t)message->op;
}

/* One operation. Returns 0 when it is done; else nobody knows whether a put is. */
SF_PARKS static int32_t operate(struct client *client, uint32_t op, uint32_t key) {
  uint8_t data[VALUE_BYTES_MAX];
  uint32_t operation = client->operation++;
  struct message message = {.op = op, .key = key};
  if (op == PUT) {
    message.value = (client->number << 16) | (operation + 1);
    message.bytes = value_bytes(message.value);
    value_fill(message.value, data);
  }
  report(INVOKED, client->number, operation, op, key, message.value);
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(TIMEOUT));
  int32_t result = sf_timeout_end(&scope, exchange(client, &message, data));
  if (result == 0 && op == GET && message.value != 0 && !value_is(message.value, data, message.bytes))
    report(BROKEN, client->number, operation, message.value, 0, 0);
  report(RETURNED, client->number, operation, result == 0 ? DONE : UNKNOWN,
         result == 0 ? message.value : (uint32_t)result, 0);
  if (result < 0 && client->handle >= 0) {
    sf_close(client->handle); /* A reply may still come on it. */
    client->handle = -1;
  }
  return result;
}

static int32_t client_run(void *argument) {
  struct client *client = argument;
  uint32_t place = victim_begin();
  while (client->operation < client->operations) {
    uint32_t op = random_chance(&client->random, 500) ? PUT : GET;
    int32_t result = operate(client, op, random_below(&client->random, client->keys));
    if (result == -SF_ECANCELED) break;
    uint32_t pause_ms = result < 0 ? 500 : client->pause_ms_max;
    if (pause_ms != 0 && sf_sleep(random_ms(&client->random, pause_ms)) < 0) break;
  }
  victim_end(place);
  if (client->handle >= 0) sf_close(client->handle);
  return 0;
}

int32_t EXPORT(run_clients)(uint32_t ipv4, uint32_t port, uint32_t number, uint32_t count,
                            uint32_t operations, uint32_t keys, uint32_t seed) {
  struct random random = {.state = seed};
  struct client *clients = calloc(count, sizeof(*clients));
  if (clients == NULL) return -SF_ENOMEM;
  for (uint32_t i = 0; i < count; i++) {
    clients[i] = (struct client){
        .number = number + i,
        .random = random_fork(&random),
        .server = endpoint(ipv4, port),
        .handle = -1,
        .operations = operations,
        .keys = keys,
        .pause_ms_max = random_chance(&random, 500) ? 400 : 0,
    };
  }
  return run_each(clients, count, sizeof(*clients), client_run);
}

/* Reads every key, as often as it takes. 0 when all were read. */
int32_t EXPORT(read_all)(uint32_t ipv4, uint32_t port, uint32_t number, uint32_t keys) {
  struct client client = {.number = number, .server = endpoint(ipv4, port), .handle = -1};
  int32_t result = 0;
  for (uint32_t key = 0; key < keys && result == 0; key++) {
    for (uint32_t attempt = 0; attempt < 100; attempt++) {
      result = operate(&client, GET, key);
      if (result == 0 || sf_sleep(200 * SF_MILLISECOND) < 0) break;
    }
  }
  if (client.handle >= 0) sf_close(client.handle);
  return result;
}

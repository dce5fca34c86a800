/* connection.h - one connection of the load: a task that sends, checks what comes back, times it.
 *
 * A header because an example is built from one .c file. Tasks report through their struct
 * connection and leave the printing to main: printf wants a bigger stack than theirs.
 */
#ifndef EXAMPLES_CONNECTION_H
#define EXAMPLES_CONNECTION_H

#include <stackful.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "byte-sequence.h"
#include "histogram.h"

#define CONNECTION_STACK_BYTES 4096
#define CONNECTION_BUFFER_BYTES 16384 /* of a window larger than that, parts are sent at a time */

enum problem {
  PROBLEM_NONE,
  PROBLEM_MEMORY,
  PROBLEM_CONNECT,
  PROBLEM_START,
  PROBLEM_WRITE,
  PROBLEM_READ,
  PROBLEM_DIFFERS, /* a byte is not the one that was sent */
  PROBLEM_END,     /* the stream ended before everything was back */
  PROBLEM_SURPLUS, /* more came back than was sent */
  PROBLEM_SHUTDOWN,
};

/* What all connections share. */
struct load {
  struct sf_address address;
  uint64_t message_bytes;
  uint64_t in_flight;
  uint64_t messages_each; /* UINT64_MAX: until deadline_ns */
  uint64_t deadline_ns;
  struct sf_channel arrived; /* of uint32_t: every connection's number once it is open, or failed */
  struct sf_channel start;   /* closed when all may begin: a close reaches every receiver */
  uint32_t open;
  uint64_t messages;
  struct histogram latency_ns;
};

struct connection {
  struct load *load;
  uint32_t number;
  sf_task_t task;
  uint64_t sequence;
  uint8_t *buffer;
  uint32_t buffer_bytes;
  uint64_t *sent_at_ns; /* of message m: [m % in_flight] */
  uint64_t sent;        /* messages */
  uint64_t received;    /* messages */
  uint64_t received_bytes;
  enum problem problem;
  int32_t error; /* a negated errno, or 0 where the problem has none */
  uint8_t expected;
  uint8_t actual;
};

static int32_t connection_problem(struct connection *connection, enum problem problem,
                                  int32_t error) {
  connection->problem = problem;
  connection->error = error;
  return -1;
}

static bool connection_may_send(const struct connection *connection, uint64_t now_ns) {
  const struct load *load = connection->load;
  return connection->sent < load->messages_each && now_ns < load->deadline_ns;
}

/* Fills the window: sends until in_flight messages are on their way, or there are no more. */
SF_PARKS static int32_t connection_send(struct connection *connection, sf_handle_t handle) {
  const struct load *load = connection->load;
  for (;;) {
    uint64_t now_ns = sf_monotonic_ns();
    if (!connection_may_send(connection, now_ns)) return 0;
    uint64_t room = load->in_flight - (connection->sent - connection->received);
    uint64_t left = load->messages_each - connection->sent;
    uint64_t fits = connection->buffer_bytes / load->message_bytes;
    uint64_t count = room < left ? room : left;
    if (count > fits) count = fits;
    if (count == 0) return 0;

    uint32_t bytes = (uint32_t)(count * load->message_bytes);
    sequence_fill(connection->sequence, connection->sent * load->message_bytes,
                  connection->buffer, bytes);
    for (uint64_t i = 0; i < count; i++) {
      connection->sent_at_ns[(connection->sent + i) % load->in_flight] = now_ns;
    }
    connection->sent += count;
    int32_t error = sf_write_all(handle, connection->buffer, bytes);
    if (error < 0) return connection_problem(connection, PROBLEM_WRITE, error);
  }
}

/* Takes what has come back, at least a byte, and checks it. */
SF_PARKS static int32_t connection_receive(struct connection *connection, sf_handle_t handle) {
  struct load *load = connection->load;
  int32_t count = sf_read(handle, connection->buffer, connection->buffer_bytes);
  if (count < 0) return connection_problem(connection, PROBLEM_READ, count);
  if (count == 0) return connection_problem(connection, PROBLEM_END, 0);
  uint64_t now_ns = sf_monotonic_ns();

  uint32_t bytes = (uint32_t)count;
  uint32_t differs = sequence_mismatch(connection->sequence, connection->received_bytes,
                                       connection->buffer, bytes);
  if (differs < bytes) {
    connection->received_bytes += differs;
    connection->expected = sequence_byte(connection->sequence, connection->received_bytes);
    connection->actual = connection->buffer[differs];
    return connection_problem(connection, PROBLEM_DIFFERS, 0);
  }
  connection->received_bytes += bytes;

  uint64_t received = connection->received_bytes / load->message_bytes;
  if (received > connection->sent) return connection_problem(connection, PROBLEM_SURPLUS, 0);
  load->messages += received - connection->received;
  for (; connection->received < received; connection->received++) {
    uint64_t sent_at_ns = connection->sent_at_ns[connection->received % load->in_flight];
    histogram_record(&load->latency_ns, now_ns - sent_at_ns);
  }
  return 0;
}

SF_PARKS static int32_t connection_exchange(struct connection *connection, sf_handle_t handle) {
  for (;;) {
    if (connection_send(connection, handle) < 0) return -1;
    if (connection->received == connection->sent) break;
    if (connection_receive(connection, handle) < 0) return -1;
  }
  int32_t error = sf_shutdown(handle, SF_SHUTDOWN_WRITE);
  if (error < 0) return connection_problem(connection, PROBLEM_SHUTDOWN, error);
  int32_t count = sf_read(handle, connection->buffer, connection->buffer_bytes);
  if (count < 0) return connection_problem(connection, PROBLEM_READ, count);
  if (count > 0) return connection_problem(connection, PROBLEM_SURPLUS, 0);
  return 0;
}

/* A task's entry: connects, waits for the start, and exchanges. */
SF_PARKS static int32_t connection_run(void *argument) {
  struct connection *connection = argument;
  struct load *load = connection->load;
  uint8_t nothing;

  sf_handle_t handle = sf_tcp_connect(&load->address);
  if (handle >= 0) load->open++;
  int32_t result = sf_channel_send(&load->arrived, &connection->number);
  if (handle < 0) return connection_problem(connection, PROBLEM_CONNECT, handle);
  if (result == 0) result = sf_channel_receive(&load->start, &nothing);
  if (result == -SF_EPIPE) {
    result = connection_exchange(connection, handle);
  } else {
    result = connection_problem(connection, PROBLEM_START, result);
  }
  load->open--;
  sf_close(handle);
  return result;
}

/* Prepares and starts a connection's task. Returns 0, or -1 with the problem set. */
static int32_t connection_start(struct connection *connection, struct load *load,
                                uint32_t number) {
  uint64_t window_bytes = load->in_flight * load->message_bytes;
  uint64_t buffer_bytes = CONNECTION_BUFFER_BYTES;
  if (buffer_bytes > window_bytes) buffer_bytes = window_bytes;
  if (buffer_bytes < load->message_bytes) buffer_bytes = load->message_bytes;

  *connection = (struct connection){
    .load = load,
    .number = number,
    .sequence = sequence_start(number),
    .buffer = malloc(buffer_bytes),
    .buffer_bytes = (uint32_t)buffer_bytes,
    .sent_at_ns = calloc(load->in_flight, sizeof(uint64_t)),
  };
  if (connection->buffer == NULL || connection->sent_at_ns == NULL) {
    return connection_problem(connection, PROBLEM_MEMORY, -SF_ENOMEM);
  }
  const struct sf_spawn_options options = { .stack_bytes = CONNECTION_STACK_BYTES,
                                            .name = "connection" };
  int32_t error = sf_spawn(connection_run, connection, &options, &connection->task);
  return error < 0 ? connection_problem(connection, PROBLEM_START, error) : 0;
}

#endif

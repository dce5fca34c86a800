/* connection.h - the two buffers of a connection, and how long it may take.
 *
 * Requests are read, and bodies decoded, where they lie in `input`; answers collect in `output`. What is in
 * there goes out when more input is needed, in one write, while that read already waits: a peer that sends ten
 * requests at once costs one write, and each parks the task once.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stackful.h>
#include <string.h>

#include "http-server/text.h"

#define INPUT_BYTES 8192 /* a head has to fit in */
#define OUTPUT_BYTES 4096
#define LINGER_BYTES (1u << 20)

struct connection {
  sf_handle_t handle;
  uint32_t start; /* of `input`: what is before has been used */
  uint32_t end;   /* what is behind is free */
  uint32_t output_bytes;
  uint32_t refusal;  /* status to end the connection with, once a call has failed with EPROTO */
  bool awaits_body;  /* the peer wants to hear 100 before it sends the body */
  bool closing;      /* no further request is read */
  bool unanswered;   /* a request has begun, and no answer to it */
  bool cut;          /* an answer broke off: what follows it would be taken for its rest */
  struct sf_timeout time; /* begun; set anew for each thing that is waited for */
  struct sf_operation sending;
  char input[INPUT_BYTES];
  char output[OUTPUT_BYTES];
};

/* What the protocol does not allow. */
static inline int32_t refuse(struct connection *connection, uint32_t status) {
  connection->refusal = status;
  return -SF_EPROTO;
}

/* ── Output ──────────────────────────────────────────────────────────────────────────────────────── */

static int32_t write_out(struct connection *connection, const char *bytes, uint32_t count) {
  const int32_t error = count == 0 ? 0 : sf_write_all(connection->handle, bytes, count);
  if (error < 0) connection->cut = true;
  return error;
}

/* Sends what has collected. Returns 0, or the error. */
static int32_t flush(struct connection *connection) {
  const uint32_t bytes = connection->output_bytes;
  connection->output_bytes = 0;
  return write_out(connection, connection->output, bytes);
}

/* Adds to the output, which goes out when it is full. */
static int32_t append(struct connection *connection, const char *text, uint32_t bytes) {
  while (bytes > 0) {
    const uint32_t room = OUTPUT_BYTES - connection->output_bytes;
    const uint32_t count = bytes < room ? bytes : room;
    memcpy(connection->output + connection->output_bytes, text, count);
    connection->output_bytes += count;
    text += count;
    bytes -= count;
    if (bytes > 0) {
      const int32_t error = flush(connection);
      if (error < 0) return error;
    }
  }
  return 0;
}

/* ── Input ───────────────────────────────────────────────────────────────────────────────────────── */

/* Ends the write that was started when the wait for it is ended, and sends what it has left. */
static int32_t finish_sending(struct connection *connection, uint32_t bytes) {
  const int32_t sent = sf_operation_wait(&connection->sending);
  if (sent < 0) {
    connection->cut = true;
    sf_operation_cancel(&connection->sending);
    return sent;
  }
  return write_out(connection, connection->output + sent, bytes - (uint32_t)sent);
}

/* Reads behind what is there, and sends meanwhile what has collected. Moves what is unused to the start when
 * there is no room behind it. Returns the bytes that came, 0 at the end of the stream, -SF_ENOBUFS when the
 * buffer is full, or another error. */
static int32_t fill(struct connection *connection) {
  if (connection->start == connection->end) {
    connection->start = connection->end = 0;
  } else if (connection->end == INPUT_BYTES) {
    if (connection->start == 0) return -SF_ENOBUFS;
    connection->end -= connection->start;
    memmove(connection->input, connection->input + connection->start, connection->end);
    connection->start = 0;
  }
  const uint32_t bytes = connection->output_bytes;
  bool sending = false;
  if (bytes > 0) {
    sending = sf_operation_write(&connection->sending, connection->handle, connection->output,
                                 bytes) == 0;
    const int32_t error = sending ? 0 : flush(connection); /* Without room in the ring: one after the other. */
    if (error < 0) return error;
    connection->output_bytes = 0;
  }
  const int32_t count = sf_read(connection->handle, connection->input + connection->end,
                                INPUT_BYTES - connection->end);
  if (count < 0) {
    if (sending && sf_operation_cancel(&connection->sending) != (int32_t)bytes) connection->cut = true;
    return count;
  }
  if (sending) {
    const int32_t error = finish_sending(connection, bytes);
    if (error < 0) return error;
  }
  connection->end += (uint32_t)count;
  return count;
}

/* Has the next waits take at most so long altogether. */
static void allow(struct connection *connection, uint64_t duration_ns) {
  sf_timeout_set(&connection->time, sf_after(duration_ns));
}

/* Lets the peer read the last answer: a connection that is closed with unread input is reset, and what is
 * under way to the peer may be lost. */
static void linger(struct connection *connection) {
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(2 * SF_SECOND));
  int32_t count = flush(connection);
  if (count == 0) count = sf_shutdown(connection->handle, SF_SHUTDOWN_WRITE) + 1;
  for (uint32_t total = 0; count > 0 && total < LINGER_BYTES; total += (uint32_t)count)
    count = sf_read(connection->handle, connection->input, INPUT_BYTES);
  sf_timeout_end(&scope, count);
}

#endif

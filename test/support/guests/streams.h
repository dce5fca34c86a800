/* streams.h - both ends of connections that carry numbered bytes, and a tally of what became of them.
 *
 * Whoever connects says which stream it sends, and how much of it; the other end checks every byte and
 * sends it back.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include "law.h"
#include "numbered.h"

#define CHUNK_BYTES 16384

/* As the number of bytes: nobody knows how many, the stream ends when one end is gone. */
#define STREAM_OPEN UINT32_MAX

/* test/faults/tally.ts has the same list. */
struct tally {
  uint32_t begun;  /* connections that were made or accepted */
  uint32_t whole;  /* every byte that was announced came */
  uint32_t ended;  /* an open stream ended, or one ended in its head */
  uint32_t reset;  /* it was reset */
  uint32_t cut;    /* it ended before the bytes that were announced */
  uint32_t wrong;  /* a byte was not the one that was due */
  uint32_t failed; /* another error, in `error` */
  uint32_t refused; /* there was no room for a task, or nobody listened */
  int32_t error;
  uint32_t live;
  uint32_t live_max;
  uint32_t reserved;
  uint64_t bytes; /* that were right */
};

struct stream_head {
  uint32_t number;
  uint32_t bytes;
};

static inline int32_t is_reset(int32_t error) {
  return error == -SF_ECONNRESET || error == -SF_EPIPE;
}

static inline void tally_begin(struct tally *tally) {
  tally->begun++;
  if (++tally->live > tally->live_max) tally->live_max = tally->live;
}

/* `done` bytes of `head` have come when the stream ended with `result`, 0 or an error. */
static inline void tally_end(struct tally *tally, const struct stream_head *head, uint32_t done,
                             int32_t result) {
  tally->live--;
  if (head->bytes != STREAM_OPEN && done == head->bytes) tally->whole++;
  else if (is_reset(result)) tally->reset++;
  else if (result == -SF_EBADMSG) tally->wrong++;
  else if (result < 0) tally->failed++, tally->error = result;
  else if (head->bytes == STREAM_OPEN) tally->ended++;
  else tally->cut++;
}

/* ── The end that sends back ───────────────────────────────────────────────────────────────────── */

/* Returns why the stream ended: 0, or an error. EBADMSG: a wrong byte. */
SF_PARKS static int32_t stream_echo(sf_handle_t handle, const struct stream_head *head,
                                    uint8_t *buffer, struct tally *tally, uint32_t *done) {
  for (;;) {
    const int32_t count = sf_read(handle, buffer, CHUNK_BYTES);
    if (count <= 0) return count;
    const uint32_t bytes = (uint32_t)count;
    if (numbered_mismatch(head->number, *done, buffer, bytes) != bytes) return -SF_EBADMSG;
    *done += bytes;
    tally->bytes += bytes;
    const int32_t error = sf_write_all(handle, buffer, bytes);
    if (error < 0) return error;
  }
}

struct connection {
  struct tally *tally;
  sf_handle_t handle;
};

static int32_t connection_run(void *argument) {
  struct connection *connection = argument;
  struct tally *tally = connection->tally;
  struct stream_head head = {0, STREAM_OPEN};
  uint32_t done = 0;
  tally_begin(tally);
  uint8_t *buffer = malloc(CHUNK_BYTES);
  struct stream_head wanted;
  int32_t result = buffer == NULL ? -SF_ENOMEM
                                  : sf_read_full(connection->handle, &wanted, sizeof(wanted));
  if (result == (int32_t)sizeof(wanted)) {
    head = wanted;
    result = stream_echo(connection->handle, &head, buffer, tally, &done);
  }
  free(buffer);
  sf_close(connection->handle);
  free(connection);
  tally_end(tally, &head, done, result < 0 ? result : 0);
  return 0;
}

/* ── The end that sends first ──────────────────────────────────────────────────────────────────── */

struct sender {
  sf_handle_t handle;
  struct stream_head head;
};

/* Sends the head and the stream. The other end may be gone: who receives tells. */
static int32_t sender_run(void *argument) {
  const struct sender *sender = argument;
  uint8_t *buffer = malloc(CHUNK_BYTES);
  if (buffer == NULL) return -SF_ENOMEM;
  int32_t error = sf_write_all(sender->handle, &sender->head, sizeof(sender->head));
  for (uint32_t done = 0; error == 0 && done < sender->head.bytes;) {
    const uint32_t left = sender->head.bytes - done;
    const uint32_t bytes = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    numbered_fill(sender->head.number, done, buffer, bytes);
    error = sf_write_all(sender->handle, buffer, bytes);
    done += bytes;
  }
  if (error == 0) error = sf_shutdown(sender->handle, SF_SHUTDOWN_WRITE);
  free(buffer);
  return error;
}

/* Receives what comes back. Returns why the stream ended. */
SF_PARKS static int32_t stream_check(sf_handle_t handle, const struct stream_head *head,
                                     struct tally *tally, uint32_t *done) {
  uint8_t *buffer = malloc(CHUNK_BYTES);
  if (buffer == NULL) return -SF_ENOMEM;
  int32_t count;
  while ((count = sf_read(handle, buffer, CHUNK_BYTES)) > 0) {
    const uint32_t bytes = (uint32_t)count;
    if (numbered_mismatch(head->number, *done, buffer, bytes) != bytes ||
        bytes > head->bytes - *done) {
      count = -SF_EBADMSG;
      break;
    }
    *done += bytes;
    tally->bytes += bytes;
  }
  free(buffer);
  return count;
}

/* Exchanges the stream of `head` over a connection, closes it, and counts it. */
SF_PARKS static void stream_exchange(sf_handle_t handle, struct stream_head head,
                                     struct tally *tally) {
  struct sender sender = {handle, head};
  sf_task_t task = 0;
  uint32_t done = 0;
  int32_t sent = 0;
  tally_begin(tally);
  int32_t result = sf_spawn_wait(sender_run, &sender, NULL, &task);
  if (result == 0) {
    result = stream_check(handle, &head, tally, &done);
    /* A stream that ends early may still be sent to. */
    if (done != head.bytes) sf_shutdown(handle, SF_SHUTDOWN_BOTH);
    sf_join(task, &sent);
    if (result == 0 && sent < 0 && !is_reset(sent) && sent != -SF_ENOTCONN) result = sent;
  }
  sf_close(handle);
  tally_end(tally, &head, done, result);
}

#endif

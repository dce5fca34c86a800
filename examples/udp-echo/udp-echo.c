/* udp-echo.c - a UDP server that sends every datagram back, and its client.
 *
 * Shows:
 *   - batches: the server takes all datagrams that have come in one call, and answers them in one;
 *   - a connected UDP socket: the client writes and reads as of a stream, but in datagrams, and is told
 *     when nobody listens;
 *   - datagrams get lost: the client asks again when no answer comes in time, and knows late answers.
 *
 * Without --to it is the server: its first line of output is {"port":N}, the last one, once it is canceled,
 * the totals.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"

#define BATCH 32
#define DATAGRAM_BYTES 2048
#define ANSWER_WITHIN (200 * SF_MILLISECOND)

/* Returns a socket, or a negative error: on any free port for 0. */
static sf_handle_t bind_socket(const char *host, uint64_t port, struct sf_address *address_out) {
  int32_t result =
    sf_address_parse(host, (uint32_t)strlen(host), (uint32_t)port, address_out);
  if (result < 0) return result;
  sf_handle_t socket = sf_udp_bind(address_out);
  if (socket < 0) return socket;
  result = sf_local_address(socket, address_out);
  return result < 0 ? result : socket;
}

/* ── Server ──────────────────────────────────────────────────────────────────────────────────────── */

struct totals {
  uint64_t datagrams;
  uint64_t batches;
  uint64_t unsent;
};

/* Sends back what was received: each record has whom it came from. */
static int32_t answer(sf_handle_t socket, struct sf_datagram *datagrams, uint32_t count,
                      struct totals *totals) {
  for (uint32_t i = 0; i < count; i++) datagrams[i].length = (uint32_t)datagrams[i].result;
  for (uint32_t done = 0; done < count;) {
    int32_t result = sf_send_batch(socket, datagrams + done, count - done);
    if (result == -SF_ECANCELED) return result;
    /* One that cannot be sent is lost, as any may be; the next ones are not. */
    if (result < 0) totals->unsent++;
    done += result < 0 ? 1 : (uint32_t)result;
  }
  totals->datagrams += count;
  totals->batches++;
  return 0;
}

static int serve(sf_handle_t socket, const struct sf_address *address) {
  static char buffers[BATCH][DATAGRAM_BYTES];
  struct sf_datagram datagrams[BATCH] = { 0 };
  struct totals totals = { 0 };
  int32_t result;

  printf("{\"port\":%u}\n", address->port);
  fflush(stdout);
  do {
    for (uint32_t i = 0; i < BATCH; i++) {
      datagrams[i].pointer = buffers[i];
      datagrams[i].length = DATAGRAM_BYTES;
    }
    result = sf_receive_batch(socket, datagrams, BATCH);
    if (result > 0) result = answer(socket, datagrams, (uint32_t)result, &totals);
  } while (result >= 0);
  sf_close(socket);
  if (result != -SF_ECANCELED) return fail("udp-echo", "receive", result);
  printf("{\"datagrams\":%" PRIu64 ",\"batches\":%" PRIu64 ",\"unsent\":%" PRIu64 "}\n",
         totals.datagrams, totals.batches, totals.unsent);
  return 0;
}

/* ── Client ──────────────────────────────────────────────────────────────────────────────────────── */

struct question {
  uint64_t number;
  char text[56];
};

/* Waits for the answer to `question`, past late ones to others. Returns 0, -SF_ETIMEDOUT or an error. */
static int32_t await_answer(sf_handle_t socket, const struct question *question) {
  struct sf_timeout scope;
  struct question got;
  int32_t result;
  sf_timeout_begin(&scope, sf_after(ANSWER_WITHIN));
  do {
    result = sf_read(socket, &got, sizeof(got));
  } while (result >= 0 && (result != sizeof(got) || memcmp(&got, question, sizeof(got)) != 0));
  result = sf_timeout_end(&scope, result);
  return result < 0 ? result : 0;
}

static int ask(sf_handle_t socket, uint64_t count, uint64_t tries) {
  uint64_t again = 0;
  for (uint64_t number = 0; number < count; number++) {
    struct question question = { .number = number, .text = "may be lost, or doubled, or late" };
    int32_t result = -SF_ETIMEDOUT;
    for (uint64_t tried = 0; result == -SF_ETIMEDOUT && tried < tries; tried++) {
      if (tried > 0) again++;
      result = sf_write(socket, &question, sizeof(question));
      if (result >= 0) result = await_answer(socket, &question);
    }
    if (result < 0) return fail("udp-echo", "no answer", result);
  }
  sf_close(socket);
  printf("{\"answered\":%" PRIu64 ",\"again\":%" PRIu64 "}\n", count, again);
  return 0;
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  const char *to_host = "127.0.0.1";
  uint64_t port = 0;
  uint64_t to = 0;
  uint64_t count = 1000;
  uint64_t tries = 10;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_max = 65535 },
    { .name = "--to-host", .text = &to_host },
    { .name = "--to", .number = &to, .number_min = 1, .number_max = 65535 },
    { .name = "--count", .number = &count, .number_max = UINT64_MAX },
    { .name = "--tries", .number = &tries, .number_min = 1, .number_max = 1000 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;

  struct sf_address address;
  sf_handle_t socket = bind_socket(host, port, &address);
  if (socket < 0) return fail("udp-echo", host, socket);
  if (to == 0) return serve(socket, &address);
  int32_t result = sf_address_parse(to_host, (uint32_t)strlen(to_host), (uint32_t)to, &address);
  if (result == 0) result = sf_udp_connect(socket, &address);
  if (result < 0) return fail("udp-echo", to_host, result);
  return ask(socket, count, tries);
}

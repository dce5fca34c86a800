/* ntp.c - asks a time server how far this machine's clock is off, as RFC 5905 says.
 *
 * Shows:
 *   - a protocol over a connected UDP socket: records in network order, answers that must fit the question;
 *   - a time for each try, and a pause between tries that doubles.
 *
 * Prints the offset and the round trip of the best of some samples: the one with the shortest trip, on whose
 * way the clocks could differ least.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"

#define PACKET_BYTES 48
#define CLIENT_MODE 3
#define SERVER_MODE 4
#define VERSION 4
#define STRATUM_MAX 15
#define FIRST_WAIT (500 * SF_MILLISECOND)

/* Seconds from 1900, where NTP's time begins, to 1970. */
#define EPOCH_SECONDS UINT64_C(2208988800)

/* Where in a packet its fields are. */
#define ORIGINATE_AT 24
#define RECEIVE_AT 32
#define TRANSMIT_AT 40

struct sample {
  int64_t offset_ns; /* to be added to this clock */
  int64_t delay_ns;
};

static void put64(uint8_t *at, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static uint64_t get64(const uint8_t *at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | at[i];
  return value;
}

/* NTP counts 1/2^32 of a second. */
static uint64_t to_ntp(uint64_t wall_ns) {
  uint64_t seconds = wall_ns / SF_SECOND + EPOCH_SECONDS;
  uint64_t fraction = ((wall_ns % SF_SECOND) << 32) / SF_SECOND;
  return seconds << 32 | fraction;
}

/* Nanoseconds from `a` to `b`, which are less than 68 years apart. */
static int64_t between(uint64_t a, uint64_t b) {
  int64_t difference = (int64_t)(b - a);
  int64_t seconds = difference >> 32;
  uint64_t fraction = (uint64_t)difference & UINT32_MAX;
  return seconds * (int64_t)SF_SECOND + (int64_t)((fraction * SF_SECOND) >> 32);
}

/* Whether the packet answers the question that was sent at `sent`. */
static bool fits(const uint8_t *packet, int32_t bytes, uint64_t sent) {
  return bytes >= PACKET_BYTES && (packet[0] & 7) == SERVER_MODE && packet[1] >= 1 &&
         packet[1] <= STRATUM_MAX && get64(packet + ORIGINATE_AT) == sent &&
         get64(packet + TRANSMIT_AT) != 0;
}

/* Reads until an answer fits. Returns 0 or a negative error. */
static int32_t await_answer(sf_handle_t socket, uint64_t sent, uint64_t wait_ns, uint8_t *packet) {
  struct sf_timeout scope;
  int32_t result;
  sf_timeout_begin(&scope, sf_after(wait_ns));
  do {
    result = sf_read(socket, packet, PACKET_BYTES);
  } while (result >= 0 && !fits(packet, result, sent));
  result = sf_timeout_end(&scope, result);
  return result < 0 ? result : 0;
}

/* One exchange. Returns 0 or a negative error. */
static int32_t take_sample(sf_handle_t socket, uint64_t wait_ns, struct sample *out) {
  uint8_t packet[PACKET_BYTES] = { VERSION << 3 | CLIENT_MODE };
  uint64_t sent = to_ntp(sf_wall_ns());
  put64(packet + TRANSMIT_AT, sent);
  int32_t result = sf_write(socket, packet, sizeof(packet));
  if (result < 0) return result;
  result = await_answer(socket, sent, wait_ns, packet);
  if (result < 0) return result;
  uint64_t arrived = to_ntp(sf_wall_ns());
  uint64_t received = get64(packet + RECEIVE_AT);
  uint64_t answered = get64(packet + TRANSMIT_AT);
  out->offset_ns = (between(sent, received) + between(arrived, answered)) / 2;
  out->delay_ns = between(sent, arrived) - between(received, answered);
  return 0;
}

static int32_t sample_with_retries(sf_handle_t socket, uint64_t tries, struct sample *out) {
  uint64_t wait_ns = FIRST_WAIT;
  int32_t result = -SF_ETIMEDOUT;
  for (uint64_t tried = 0; result == -SF_ETIMEDOUT && tried < tries; tried++, wait_ns *= 2) {
    result = take_sample(socket, wait_ns, out);
  }
  return result;
}

/* A socket that talks to the server alone, or a negative error. */
static sf_handle_t connect_to(const char *server, uint64_t port) {
  struct sf_address address;
  int32_t result =
    sf_address_parse(server, (uint32_t)strlen(server), (uint32_t)port, &address);
  if (result < 0) return result;
  const struct sf_address any = { .family = address.family };
  sf_handle_t socket = sf_udp_bind(&any);
  if (socket < 0) return socket;
  result = sf_udp_connect(socket, &address);
  return result < 0 ? result : socket;
}

int main(int argc, char **argv) {
  const char *server = "127.0.0.1";
  uint64_t port = 123;
  uint64_t samples = 4;
  uint64_t tries = 4;
  const struct argument arguments[] = {
    { .name = "--server", .text = &server },
    { .name = "--port", .number = &port, .number_min = 1, .number_max = 65535 },
    { .name = "--samples", .number = &samples, .number_min = 1, .number_max = 1000 },
    { .name = "--tries", .number = &tries, .number_min = 1, .number_max = 16 },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;

  sf_handle_t socket = connect_to(server, port);
  if (socket < 0) return fail("ntp", server, socket);
  struct sample best = { .delay_ns = INT64_MAX };
  for (uint64_t i = 0; i < samples; i++) {
    struct sample sample;
    int32_t result = sample_with_retries(socket, tries, &sample);
    if (result < 0) return fail("ntp", "no answer", result);
    if (sample.delay_ns < best.delay_ns) best = sample;
  }
  sf_close(socket);
  printf("{\"offset_ms\":%.6f,\"delay_ms\":%.6f}\n", (double)best.offset_ns / 1e6,
         (double)best.delay_ns / 1e6);
  return 0;
}

/* demo.h - what the guests of the demo share: ports, figures for the page, chance. */
#ifndef DEMO_H
#define DEMO_H

#include <stackful.h>
#include <string.h>
#include <sys/random.h>

#define EXPORT(name) __attribute__((export_name(#name)))

enum { ECHO_PORT = 7000, CHAT_PORT = 8000 };

/* What people send each other. */
struct line {
  uint32_t room;
  uint32_t from;
  char text[24];
};

/* What the page reads: engine/counters.ts knows the layout. */
static struct counters {
  uint32_t messages;  /* answers that were right, lines that were heard */
  uint32_t errors[80]; /* by enum sf_errno */
} counters;

EXPORT(demo_counters) struct counters *demo_counters(void) { return &counters; }

static inline int32_t count_error(int32_t result) {
  if (result < 0 && -result < 80) counters.errors[-result]++;
  return result;
}

/* xorshift64*, started by the world's seed. */
static inline uint64_t random_below(uint64_t end) {
  static uint64_t state;
  while (state == 0) getentropy(&state, sizeof state);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * UINT64_C(0x2545f4914f6cdd1d) >> 16) % end;
}

SF_PARKS static inline sf_handle_t listen_on(uint32_t port) {
  struct sf_address address;
  sf_address_parse("0.0.0.0", 7, port, &address);
  return sf_tcp_listen(&address, 65535);
}

#endif

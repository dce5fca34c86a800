/* configuration.h - resolv.conf(5). The host writes every name server as "[address]:port". */
#ifndef NET_CONFIGURATION_H
#define NET_CONFIGURATION_H

#include "lines.h"

#define DNS_PORT 53

static void read_server(struct configuration *configuration, struct text word) {
  uint32_t port = DNS_PORT;
  if (configuration->servers_count == SERVERS_MAX) return;
  if (word.at < word.end && *word.at == '[') {
    const char *close = word.at;
    while (close < word.end && *close != ']') close++;
    if (word.end - close > 2) {
      const int32_t number = text_number((struct text){close + 2, word.end}, 65536);
      if (number <= 0 || number > 65535) return;
      port = (uint32_t)number;
    }
    word = (struct text){word.at + 1, close};
  }
  struct sf_address *server = &configuration->servers[configuration->servers_count];
  if (sf_address_parse(word.at, text_bytes(word), port, server) == 0)
    configuration->servers_count++;
}

/* The last such line counts. */
static void read_search(struct configuration *configuration, struct text line) {
  struct text word;
  configuration->search_count = 0;
  while (configuration->search_count < SEARCH_MAX && text_next(&line, &word)) {
    if (word.end[-1] == '.') word.end--;
    const uint32_t bytes = text_bytes(word);
    if (bytes == 0 || bytes > NAME_TEXT_MAX) continue;
    const uint32_t index = configuration->search_count++;
    __builtin_memcpy(configuration->search[index], word.at, bytes);
    configuration->search_bytes[index] = bytes;
  }
}

static uint32_t clamp(int32_t value, uint32_t min, uint32_t max) {
  return value < (int32_t)min ? min : value > (int32_t)max ? max : (uint32_t)value;
}

static void read_options(struct configuration *configuration, struct text line) {
  struct text word, value;
  while (text_next(&line, &word)) {
    if (TEXT_AFTER(word, "ndots:", &value)) {
      configuration->dots = clamp(text_number(value, 100), 0, 15);
    } else if (TEXT_AFTER(word, "timeout:", &value)) {
      configuration->timeout_s = clamp(text_number(value, 100), 1, 30);
    } else if (TEXT_IS(word, "rotate")) {
      configuration->rotate = 1;
    } else if (TEXT_AFTER(word, "attempts", &value) && value.at < value.end && *value.at == ':') {
      value.at++;
      configuration->attempts = clamp(text_number(value, 100), 1, 5);
    }
  }
}

SF_PARKS static int32_t read_configuration(struct configuration *configuration,
                                           struct lines *lines) {
  struct text line, word, rest;
  *configuration = (struct configuration){.dots = 1, .timeout_s = 5, .attempts = 2};
  lines_open(lines, SF_RESOLVER_CONFIGURATION);
  for (;;) {
    const int32_t result = lines_next(lines, &line);
    if (result <= 0) return result;
    if (!text_next(&line, &word)) continue;
    if (TEXT_AFTER(word, "nameserv", &rest) && TEXT_IS(rest, "er")) {
      if (text_next(&line, &word)) read_server(configuration, word);
    } else if (TEXT_IS(word, "search") || TEXT_IS(word, "domain")) {
      read_search(configuration, line);
    } else if (TEXT_IS(word, "options")) {
      read_options(configuration, line);
    }
  }
}

/* Reads it, the first time. Returns 0 or a negated sf_errno. */
SF_PARKS static int32_t configure(struct resolver *resolver, struct lines *lines) {
  if (resolver->configured) return 0;
  int32_t error = lock_take(&resolver->configuring);
  if (error < 0) return error;
  if (!resolver->configured) {
    error = read_configuration(&resolver->configuration, lines);
    if (error == 0) resolver->configured = 1;
  }
  lock_give(&resolver->configuring);
  return error;
}

#endif

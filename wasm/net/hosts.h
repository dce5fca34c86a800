/* hosts.h - hosts(5), read anew for every question that is not remembered, and localhost. */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include "lines.h"

static bool is_name(struct text text, const char *name, uint32_t name_bytes) {
  return text_bytes(text) == name_bytes && same_name(text.at, name, name_bytes);
}

static void add_address(struct found *found, uint32_t kinds, const struct sf_address *address) {
  if (address->family == SF_FAMILY_IPV4) {
    if ((kinds & KIND_IPV4) != 0 && found->ipv4_count < FAMILY_MAX)
      take_address(found->ipv4[found->ipv4_count++], address->bytes, 4);
  } else if ((kinds & KIND_IPV6) != 0 && found->ipv6_count < FAMILY_MAX) {
    take_address(found->ipv6[found->ipv6_count++], address->bytes, 16);
  }
}

static bool same_address(const struct sf_address *a, const struct sf_address *b) {
  const uint32_t bytes = a->family == SF_FAMILY_IPV4 ? 4 : 16;
  if (a->family != b->family) return false;
  for (uint32_t i = 0; i < bytes; i++)
    if (a->bytes[i] != b->bytes[i]) return false;
  return true;
}

/* Adds the addresses of a name in the file. Returns whether it stands there; or a negated sf_errno. */
SF_PARKS static int32_t hosts_addresses(struct lines *lines, const struct entry *entry,
                                        struct found *found) {
  struct text line, word;
  struct sf_address address;
  int32_t known = 0;
  const uint32_t bytes = entry->name_bytes - (entry->name[entry->name_bytes - 1] == '.');
  lines_open(lines, SF_RESOLVER_HOSTS);
  for (;;) {
    const int32_t result = lines_next(lines, &line);
    if (result < 0) return result;
    if (result == 0) return known;
    if (!text_next(&line, &word)) continue;
    if (sf_address_parse(word.at, text_bytes(word), 0, &address) < 0) continue;
    while (text_next(&line, &word)) {
      if (!is_name(word, entry->name, bytes)) continue;
      add_address(found, entry->kinds, &address);
      known = 1;
      break;
    }
  }
}

/* The first name of an address in the file. Returns whether it stands there; or a negated sf_errno. */
SF_PARKS static int32_t hosts_name(struct lines *lines, const struct sf_address *wanted,
                                   struct found *found) {
  struct text line, word;
  struct sf_address address;
  lines_open(lines, SF_RESOLVER_HOSTS);
  for (;;) {
    const int32_t result = lines_next(lines, &line);
    if (result <= 0) return result;
    if (!text_next(&line, &word)) continue;
    if (sf_address_parse(word.at, text_bytes(word), 0, &address) < 0) continue;
    if (!same_address(&address, wanted) || !text_next(&line, &word)) continue;
    if (text_bytes(word) > NAME_TEXT_MAX) continue;
    found->name_bytes = text_bytes(word);
    __builtin_memcpy(found->name, word.at, found->name_bytes);
    return 1;
  }
}

/* Names that mean this host whatever any server says: RFC 6761. */
static bool is_localhost(const struct entry *entry) {
  const uint32_t bytes = entry->name_bytes - (entry->name[entry->name_bytes - 1] == '.');
  if (bytes < 9 || (bytes > 9 && entry->name[bytes - 10] != '.')) return false;
  struct text rest;
  const struct text last = {entry->name + bytes - 9, entry->name + bytes};
  return TEXT_AFTER(last, "localhos", &rest) && TEXT_IS(rest, "t");
}

static void add_localhost(struct found *found, uint32_t kinds) {
  struct sf_address address = {.family = SF_FAMILY_IPV6};
  address.bytes[15] = 1;
  add_address(found, kinds, &address);
  address = (struct sf_address){.family = SF_FAMILY_IPV4};
  address.bytes[0] = 127;
  address.bytes[3] = 1;
  add_address(found, kinds, &address);
}

#endif

/* resolve.c - addresses of names, and names of addresses. */
#include "entries.h"

/* What is written to when all is done must be there before anything has begun. */
static void touch(const void *pointer, uint32_t bytes) {
  const volatile uint8_t *first = pointer;
  if (bytes == 0) return;
  if (sf_address_of(pointer) + bytes < bytes) __builtin_trap();
  (void)first[0];
  (void)first[bytes - 1];
}

static void put_address(struct sf_address *out, uint32_t family, uint32_t port,
                        const uint8_t *bytes) {
  *out = (struct sf_address){.family = (uint16_t)family, .port = (uint16_t)port};
  take_address(out->bytes, bytes, family == SF_FAMILY_IPV4 ? 4 : 16);
}

/* By turns, IPv6 first. */
static int32_t take_addresses(const struct found *found, uint32_t port, struct sf_address *out,
                              uint32_t max) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < FAMILY_MAX; i++) {
    if (i < found->ipv6_count && count < max)
      put_address(&out[count++], SF_FAMILY_IPV6, port, found->ipv6[i]);
    if (i < found->ipv4_count && count < max)
      put_address(&out[count++], SF_FAMILY_IPV4, port, found->ipv4[i]);
  }
  return (int32_t)count;
}

static int32_t take_name(const struct found *found, char *out, uint32_t max) {
  const uint32_t bytes = found->name_bytes < max ? found->name_bytes : max;
  __builtin_memcpy(out, found->name, bytes);
  return (int32_t)found->name_bytes;
}

/* Of the families' codes. */
static uint32_t kinds_of(uint32_t family) {
  switch (family) {
    case 0:
      return KIND_IPV4 | KIND_IPV6;
    case SF_FAMILY_IPV4:
      return KIND_IPV4;
    case SF_FAMILY_IPV6:
      return KIND_IPV6;
    default:
      return 0;
  }
}

static bool may_be_name(const char *name, uint32_t name_bytes) {
  if (name_bytes == 0 || name_bytes > NAME_TEXT_MAX + 1) return false;
  for (uint32_t i = 0; i < name_bytes; i++)
    if (!is_name_letter(name[i]) && name[i] != '.') return false;
  return name_bytes <= NAME_TEXT_MAX || name[name_bytes - 1] == '.';
}

SF_PARKS int32_t sf_resolve(const char *name, uint32_t name_bytes, uint32_t family, uint32_t port,
                            struct sf_address *addresses_out, uint32_t addresses_max) {
  struct sf_address address;
  const struct request request = {name, name_bytes, kinds_of(family), NULL};
  if (request.kinds == 0 || port > 65535 || addresses_max > UINT32_MAX / sizeof(address))
    return -SF_EINVAL;
  touch(addresses_out, addresses_max * sizeof(address));
  if (sf_address_parse(name, name_bytes, port, &address) == 0) {
    if (family != 0 && family != address.family) return -SF_ENOENT;
    if (addresses_max != 0) *addresses_out = address;
    return addresses_max != 0;
  }
  if (!may_be_name(name, name_bytes)) return -SF_EINVAL;
  struct look look;
  int32_t result = look_begin(&look, &request);
  if (result == 0) result = take_addresses(&look.entry->found, port, addresses_out, addresses_max);
  look_end(&look);
  return result;
}

INLINE char *put_word(char *at, uint64_t word, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) *at++ = (char)(word >> 8 * i);
  return at;
}

#define PUT_WORD(at, s) put_word(at, WORD(s), sizeof(s) - 1)

#define REVERSE_BYTES_MAX 72

static char *put_decimal(char *at, uint32_t value) {
  if (value >= 100) *at++ = (char)('0' + value / 100);
  if (value >= 10) *at++ = (char)('0' + value / 10 % 10);
  *at++ = (char)('0' + value % 10);
  return at;
}

INLINE char hexadecimal(uint32_t value) { return (char)(value < 10 ? '0' + value : 'a' + value - 10); }

/* "1.2.0.192.in-addr.arpa"; nibbles below ip6.arpa. Returns its bytes. */
static uint32_t reverse_name(const struct sf_address *address, char out[REVERSE_BYTES_MAX]) {
  char *at = out;
  if (address->family == SF_FAMILY_IPV4) {
    for (uint32_t i = 4; i-- > 0; *at++ = '.') at = put_decimal(at, address->bytes[i]);
    at = PUT_WORD(at, "in-addr.");
  } else {
    for (uint32_t i = 16; i-- > 0;) {
      *at++ = hexadecimal(address->bytes[i] & 15);
      *at++ = '.';
      *at++ = hexadecimal(address->bytes[i] >> 4);
      *at++ = '.';
    }
    at = PUT_WORD(at, "ip6.");
  }
  at = PUT_WORD(at, "arpa");
  return (uint32_t)(at - out);
}

SF_PARKS int32_t sf_resolve_address(const struct sf_address *address, char *name_out,
                                    uint32_t bytes_max) {
  char name[REVERSE_BYTES_MAX];
  const struct sf_address wanted = *address;
  if (wanted.family != SF_FAMILY_IPV4 && wanted.family != SF_FAMILY_IPV6)
    return -SF_EAFNOSUPPORT;
  touch(name_out, bytes_max);
  const struct request request = {name, reverse_name(&wanted, name), KIND_NAME, &wanted};
  struct look look;
  int32_t result = look_begin(&look, &request);
  if (result == 0) result = take_name(&look.entry->found, name_out, bytes_max);
  look_end(&look);
  return result;
}

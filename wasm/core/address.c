/* address.c - text to sf_address: "192.0.2.1", "2001:db8::1", "::", "::ffff:192.0.2.1". Numeric
 * only; names need DNS. */
#include "state.h"

struct cursor {
  const char *at;
  const char *end;
};

/* A number of at most `digits_max` digits; -1 when there is none, or it is over `max`. */
COLD static int32_t parse_number(struct cursor *cursor, uint32_t base, uint32_t digits_max,
                            uint32_t max) {
  uint32_t value = 0;
  uint32_t digits = 0;
  while (cursor->at < cursor->end && digits < digits_max) {
    uint32_t letter = (uint8_t)*cursor->at;
    uint32_t digit = letter - '0';
    if (digit > 9) digit = (letter | 32) - 'a' <= 5 ? (letter | 32) - 'a' + 10 : 99;
    if (digit >= base) break;
    value = value * base + digit;
    cursor->at++;
    digits++;
  }
  return digits == 0 || value > max ? -1 : (int32_t)value;
}

INLINE uint32_t next_is(const struct cursor *cursor, char letter) {
  return cursor->at < cursor->end && *cursor->at == letter;
}

COLD static int32_t parse_ipv4(struct cursor cursor, uint8_t *bytes) {
  for (uint32_t i = 0; i < 4; i++) {
    if (i != 0) {
      if (!next_is(&cursor, '.')) return -SF_EINVAL;
      cursor.at++;
    }
    int32_t part = parse_number(&cursor, 10, 3, 255);
    if (part < 0) return -SF_EINVAL;
    bytes[i] = (uint8_t)part;
  }
  return cursor.at == cursor.end ? 0 : -SF_EINVAL;
}

COLD static int32_t parse_ipv6(struct cursor cursor, uint8_t *bytes) {
  uint32_t count = 0; /* bytes so far */
  uint32_t gap = 17;  /* where "::" stood; 17: nowhere */
  while (cursor.at < cursor.end) {
    if (cursor.end - cursor.at >= 2 && cursor.at[0] == ':' && cursor.at[1] == ':') {
      if (gap != 17) return -SF_EINVAL;
      gap = count;
      cursor.at += 2;
      continue;
    }
    if (count != 0 && gap != count) {
      if (!next_is(&cursor, ':')) return -SF_EINVAL;
      cursor.at++;
    }
    struct cursor start = cursor;
    int32_t part = parse_number(&cursor, 16, 4, 0xffff);
    if (next_is(&cursor, '.') && count <= 12) {
      if (parse_ipv4(start, bytes + count) < 0) return -SF_EINVAL;
      cursor.at = cursor.end;
      count += 4;
      break;
    }
    if (part < 0 || count == 16) return -SF_EINVAL;
    bytes[count++] = (uint8_t)(part >> 8);
    bytes[count++] = (uint8_t)part;
  }
  if (gap == 17) return count == 16 ? 0 : -SF_EINVAL;
  if (count == 16) return -SF_EINVAL;
  for (uint32_t i = 0; i < count - gap; i++) {
    bytes[15 - i] = bytes[count - 1 - i];
    bytes[count - 1 - i] = 0;
  }
  return 0;
}

/* Returns 0, or -EINVAL for what is neither an IPv4 nor an IPv6 address or a port over 65535. */
EXPORT(sf_address_parse) COLD
int32_t sf_address_parse(const char *text, uint32_t text_bytes, uint32_t port,
                         struct sf_address *address_out) {
  if (port > 65535) return -SF_EINVAL;
  struct cursor cursor = {text, text + text_bytes};
  struct sf_address address;
  __builtin_memset(&address, 0, sizeof(address));
  address.port = (uint16_t)port;
  address.family = SF_FAMILY_IPV4;
  if (parse_ipv4(cursor, address.bytes) < 0) {
    __builtin_memset(address.bytes, 0, sizeof(address.bytes));
    address.family = SF_FAMILY_IPV6;
    if (parse_ipv6(cursor, address.bytes) < 0) return -SF_EINVAL;
  }
  *address_out = address;
  return 0;
}

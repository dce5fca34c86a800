/* message.h - DNS messages: RFC 1035, RFC 3596, RFC 6891. Reads what anybody may have written: looks at
 * nothing outside of the message, and ends. */
#ifndef NET_MESSAGE_H
#define NET_MESSAGE_H

#include <stackful/abi.h>

#include "text.h"

#define NAME_WIRE_MAX 255
#define NAME_TEXT_MAX 253
#define HEADER_BYTES 12
#define QUERY_BYTES_MAX (HEADER_BYTES + NAME_WIRE_MAX + 4 + 11)

/* What a server may send at once: it survives any path without fragments. */
#define DATAGRAM_BYTES 1232

/* Of the same message no more is looked at. */
#define RECORDS_MAX 512
#define ALIASES_MAX 16

#define FAMILY_MAX 16 /* SF_RESOLVE_FAMILY_MAX */

enum record { RECORD_A = 1, RECORD_CNAME = 5, RECORD_PTR = 12, RECORD_AAAA = 28, RECORD_OPT = 41 };

#define CLASS_IN 1
#define FLAG_RESPONSE 0x8000
#define FLAG_OPCODE 0x7800
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION 0x0100
#define FLAG_RCODE 0x000f
#define RCODE_NO_NAME 3

/* What is known of a name, or of an address. */
struct found {
  uint32_t ttl_s;      /* the shortest */
  uint32_t ipv4_count;
  uint32_t ipv6_count;
  uint32_t name_bytes; /* of the name of an address */
  uint8_t ipv4[FAMILY_MAX][4];
  uint8_t ipv6[FAMILY_MAX][16];
  char name[NAME_TEXT_MAX];
};

/* A name as messages have it: labels, each behind its length, and a zero. */
struct wire {
  uint32_t bytes;
  uint8_t labels[NAME_WIRE_MAX + 1];
};

struct message {
  const uint8_t *at;
  uint32_t bytes;
};

enum verdict {
  VERDICT_OTHER,     /* not the answer to this */
  VERDICT_FOUND,     /* or that the name has no such record */
  VERDICT_NO_NAME,
  VERDICT_TRUNCATED, /* to be asked for over TCP */
  VERDICT_FAILED,    /* the server cannot tell */
};

INLINE uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }
INLINE uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }
INLINE uint8_t *put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

INLINE bool is_name_letter(char letter) {
  const char low = lower(letter);
  return (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-' || low == '_';
}

/* A name of letters as messages have it; a dot at its end changes nothing. False: it is no name. */
static bool wire_from_text(struct text name, struct wire *out) {
  uint32_t length_at = 0;
  uint32_t bytes = 1;
  if (name.at < name.end && name.end[-1] == '.') name.end--;
  if (name.at == name.end || text_bytes(name) > NAME_TEXT_MAX) return false;
  for (; name.at < name.end; name.at++) {
    if (*name.at == '.') {
      if (bytes == length_at + 1) return false;
      out->labels[length_at] = (uint8_t)(bytes - length_at - 1);
      length_at = bytes++;
    } else {
      if (!is_name_letter(*name.at) || bytes - length_at > 63) return false;
      out->labels[bytes++] = (uint8_t)lower(*name.at);
    }
  }
  if (bytes == length_at + 1) return false;
  out->labels[length_at] = (uint8_t)(bytes - length_at - 1);
  out->labels[bytes++] = 0;
  out->bytes = bytes;
  return true;
}

/* The reverse; 0: a name that has other letters, or none. */
static uint32_t wire_to_text(const struct wire *wire, char out[NAME_TEXT_MAX]) {
  uint32_t bytes = 0;
  for (uint32_t at = 0; wire->labels[at] != 0;) {
    const uint32_t label_bytes = wire->labels[at++];
    if (bytes != 0) {
      if (bytes >= NAME_TEXT_MAX) return 0;
      out[bytes++] = '.';
    }
    for (uint32_t i = 0; i < label_bytes; i++, at++) {
      if (bytes >= NAME_TEXT_MAX || !is_name_letter((char)wire->labels[at])) return 0;
      out[bytes++] = (char)wire->labels[at];
    }
  }
  return bytes;
}

/* Label lengths are below the letters, so that lower() leaves them as they are. */
static bool same_wire(const struct wire *a, const struct wire *b) {
  return a->bytes == b->bytes &&
         same_name((const char *)a->labels, (const char *)b->labels, a->bytes);
}

/* Reads the name at `at`. Returns where it ends, or 0: there is none. Pointers lead back, each before the
 * place where the piece that it ends began: so they come to an end. */
static uint32_t read_name(struct message message, uint32_t at, struct wire *out) {
  uint32_t end = 0;
  uint32_t piece = at;
  out->bytes = 0;
  for (;;) {
    if (at >= message.bytes) return 0;
    const uint32_t length = message.at[at];
    if (length >= 0xc0) {
      if (at + 1 >= message.bytes) return 0;
      if (end == 0) end = at + 2;
      at = get16(message.at + at) & 0x3fff;
      if (at >= piece) return 0;
      piece = at;
      continue;
    }
    if (length > 63 || length >= message.bytes - at) return 0;
    if (out->bytes + length + 1 > NAME_WIRE_MAX) return 0;
    for (uint32_t i = 0; i <= length; i++) out->labels[out->bytes++] = message.at[at + i];
    at += length + 1;
    if (length == 0) return end == 0 ? at : end;
  }
}

/* Writes a query, and returns its bytes. */
static uint32_t write_query(uint8_t out[QUERY_BYTES_MAX], uint32_t id, const struct wire *name,
                            uint32_t type) {
  uint8_t *at = put16(put16(out, id), FLAG_RECURSION);
  at = put16(put16(put16(put16(at, 1), 0), 0), 1);
  for (uint32_t i = 0; i < name->bytes; i++) *at++ = name->labels[i];
  at = put16(put16(at, type), CLASS_IN);
  *at++ = 0; /* EDNS: how much we take at once */
  at = put16(put16(at, RECORD_OPT), DATAGRAM_BYTES);
  at = put16(put16(put16(at, 0), 0), 0);
  return (uint32_t)(at - out);
}

struct record_view {
  uint32_t type;
  uint32_t class;
  uint32_t ttl_s;
  uint32_t data;
  uint32_t data_bytes;
  uint32_t end;
};

/* The record at `at`, and whose it is. */
static bool read_record(struct message message, uint32_t at, struct wire *owner,
                        struct record_view *out) {
  at = read_name(message, at, owner);
  if (at == 0 || message.bytes - at < 10) return false;
  const uint8_t *fixed = message.at + at;
  out->type = get16(fixed);
  out->class = get16(fixed + 2);
  out->ttl_s = get32(fixed + 4);
  out->data = at + 10;
  out->data_bytes = get16(fixed + 8);
  out->end = out->data + out->data_bytes;
  return out->end <= message.bytes;
}

/* Names that reading needs room for. */
struct reading {
  struct wire wanted;
  struct wire owner;
  struct wire alias;
};

static void take_address(uint8_t *out, const uint8_t *data, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) out[i] = data[i];
}

static void take_record(struct message message, const struct record_view *record,
                        struct reading *reading, struct found *found) {
  const uint8_t *data = message.at + record->data;
  if (record->type == RECORD_A && record->data_bytes == 4) {
    if (found->ipv4_count < FAMILY_MAX) take_address(found->ipv4[found->ipv4_count++], data, 4);
  } else if (record->type == RECORD_AAAA && record->data_bytes == 16) {
    if (found->ipv6_count < FAMILY_MAX) take_address(found->ipv6[found->ipv6_count++], data, 16);
  } else if (record->type == RECORD_PTR && found->name_bytes == 0) {
    if (read_name(message, record->data, &reading->alias) != 0)
      found->name_bytes = wire_to_text(&reading->alias, found->name);
  }
}

/* Takes the records of `wanted` and of the names that it is an alias for. False: no message is so. */
static bool read_answers(struct message message, uint32_t first, uint32_t count, uint32_t type,
                         struct reading *reading, struct found *found) {
  struct record_view record;
  if (count > RECORDS_MAX) count = RECORDS_MAX;
  for (uint32_t hop = 0; hop < ALIASES_MAX; hop++) {
    bool taken = false;
    bool aliased = false;
    uint32_t at = first;
    for (uint32_t i = 0; i < count; i++, at = record.end) {
      if (!read_record(message, at, &reading->owner, &record)) return false;
      if (record.class != CLASS_IN || !same_wire(&reading->owner, &reading->wanted)) continue;
      if (record.type == type) {
        take_record(message, &record, reading, found);
        taken = true;
      } else if (record.type == RECORD_CNAME && !aliased) {
        if (read_name(message, record.data, &reading->alias) == 0) return false;
        aliased = true;
      } else {
        continue;
      }
      if (record.ttl_s < found->ttl_s) found->ttl_s = record.ttl_s;
    }
    if (taken || !aliased) return true;
    reading->wanted = reading->alias;
  }
  return true;
}

/* What `message` says to `query`, which is one of ours: adds to `found`. */
static enum verdict read_answer(struct message message, struct message query, uint32_t type,
                                struct reading *reading, struct found *found) {
  if (message.bytes < HEADER_BYTES || get16(message.at) != get16(query.at)) return VERDICT_OTHER;
  const uint32_t flags = get16(message.at + 2);
  if ((flags & FLAG_RESPONSE) == 0 || (flags & FLAG_OPCODE) != 0) return VERDICT_OTHER;
  const uint32_t rcode = flags & FLAG_RCODE;
  /* A server that does not understand need not repeat the question. */
  if (get16(message.at + 4) == 0 && rcode != 0) return VERDICT_FAILED;
  if (get16(message.at + 4) != 1) return VERDICT_OTHER;

  read_name(query, HEADER_BYTES, &reading->wanted);
  const uint32_t at = read_name(message, HEADER_BYTES, &reading->owner);
  if (at == 0 || message.bytes - at < 4) return VERDICT_OTHER;
  if (!same_wire(&reading->owner, &reading->wanted)) return VERDICT_OTHER;
  if (get16(message.at + at) != type || get16(message.at + at + 2) != CLASS_IN)
    return VERDICT_OTHER;
  if ((flags & FLAG_TRUNCATED) != 0) return VERDICT_TRUNCATED;
  if (rcode == RCODE_NO_NAME) return VERDICT_NO_NAME;
  if (rcode != 0) return VERDICT_FAILED;
  const uint32_t count = get16(message.at + 6);
  if (read_answers(message, at + 4, count, type, reading, found)) return VERDICT_FOUND;
  /* Of what makes no sense nothing is taken. */
  if (type == RECORD_A) found->ipv4_count = 0;
  if (type == RECORD_AAAA) found->ipv6_count = 0;
  if (type == RECORD_PTR) found->name_bytes = 0;
  return VERDICT_FAILED;
}

#endif

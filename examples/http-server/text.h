/* text.h - what RFC 9110 calls tokens, and numbers as text. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slice {
  const char *at;
  uint32_t bytes;
};

#define SLICE(text) ((struct slice){ (text), sizeof(text) - 1 })

static inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
static inline int32_t hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline bool is_token_char(char c) {
  if (is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
  return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static inline bool equals(struct slice text, struct slice other) {
  return text.bytes == other.bytes && memcmp(text.at, other.at, text.bytes) == 0;
}

/* `other` in lower case. */
static inline bool equals_ignoring_case(struct slice text, struct slice other) {
  if (text.bytes != other.bytes) return false;
  for (uint32_t i = 0; i < text.bytes; i++)
    if (lower(text.at[i]) != other.at[i]) return false;
  return true;
}

/* Without spaces and tabs at both ends. */
static inline struct slice trim(struct slice text) {
  while (text.bytes > 0 && (*text.at == ' ' || *text.at == '\t')) text.at++, text.bytes--;
  while (text.bytes > 0 && (text.at[text.bytes - 1] == ' ' || text.at[text.bytes - 1] == '\t'))
    text.bytes--;
  return text;
}

/* Takes the next element off a list with commas. False at its end. */
static inline bool next_of_list(struct slice *list, struct slice *element_out) {
  if (list->bytes == 0) return false;
  const char *comma = memchr(list->at, ',', list->bytes);
  const uint32_t bytes = comma == NULL ? list->bytes : (uint32_t)(comma - list->at);
  *element_out = trim((struct slice){ list->at, bytes });
  const uint32_t used = comma == NULL ? bytes : bytes + 1;
  list->at += used;
  list->bytes -= used;
  return true;
}

/* Decimal digits and nothing else; what does not fit is UINT64_MAX. */
static inline bool parse_decimal(struct slice text, uint64_t *number_out) {
  uint64_t number = 0;
  if (text.bytes == 0) return false;
  for (uint32_t i = 0; i < text.bytes; i++) {
    if (!is_digit(text.at[i])) return false;
    const uint64_t digit = (uint64_t)(text.at[i] - '0');
    number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
  }
  *number_out = number;
  return true;
}

/* Writes at most 20 digits, and returns how many. */
static inline uint32_t format_decimal(char *text, uint64_t number) {
  char digits[20];
  uint32_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  for (uint32_t i = 0; i < count; i++) text[i] = digits[count - 1 - i];
  return count;
}

#endif

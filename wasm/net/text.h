/* text.h - words of a line. No string is ever in memory: this module has no data. */
#ifndef NET_TEXT_H
#define NET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

struct text {
  const char *at;
  const char *end;
};

/* The first eight letters of a literal, as a number. */
#define LETTER(s, i) (sizeof(s) > (i) ? (uint64_t)(uint8_t)(s)[sizeof(s) > (i) ? (i) : 0] << 8 * (i) : 0)
#define WORD(s)                                                                           \
  (LETTER(s, 0) | LETTER(s, 1) | LETTER(s, 2) | LETTER(s, 3) | LETTER(s, 4) | LETTER(s, 5) | \
   LETTER(s, 6) | LETTER(s, 7))

INLINE uint32_t text_bytes(struct text text) { return (uint32_t)(text.end - text.at); }

/* The first eight letters of a text, as WORD has them. */
static uint64_t text_word(struct text text) {
  uint64_t word = 0;
  for (uint32_t i = 0; i < 8 && i < text_bytes(text); i++)
    word |= (uint64_t)(uint8_t)text.at[i] << 8 * i;
  return word;
}

/* Whether the text is this literal of at most eight letters. */
#define TEXT_IS(text, s) (text_bytes(text) == sizeof(s) - 1 && text_word(text) == WORD(s))

/* Whether it begins with it; then what follows is in *rest. */
INLINE bool text_after(struct text text, uint64_t word, uint32_t word_bytes, struct text *rest) {
  if (text_bytes(text) < word_bytes) return false;
  *rest = (struct text){text.at + word_bytes, text.end};
  return text_word((struct text){text.at, rest->at}) == word;
}

#define TEXT_AFTER(text, s, rest) text_after(text, WORD(s), sizeof(s) - 1, rest)

INLINE bool is_space(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\f' || letter == '\v';
}

/* Takes the next word off the line. */
static bool text_next(struct text *line, struct text *word) {
  while (line->at < line->end && is_space(*line->at)) line->at++;
  word->at = line->at;
  while (line->at < line->end && !is_space(*line->at)) line->at++;
  word->end = line->at;
  return word->at < word->end;
}

/* A decimal number, at most `max`; -1: it is none. */
static int32_t text_number(struct text text, uint32_t max) {
  uint32_t value = 0;
  if (text.at == text.end) return -1;
  for (; text.at < text.end; text.at++) {
    const uint32_t digit = (uint8_t)*text.at - '0';
    if (digit > 9) return -1;
    value = value * 10 + digit;
    if (value > max) value = max;
  }
  return (int32_t)value;
}

INLINE char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? letter + 32 : letter; }

/* Whether two names are the same; letters of either case are. */
static bool same_name(const char *a, const char *b, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

#endif

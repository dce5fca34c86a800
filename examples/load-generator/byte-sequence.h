/* byte-sequence.h - an endless pseudo-random byte stream per connection, addressed by position.
 *
 * Byte p of stream s depends on p and s alone: whoever knows both can check a byte without having
 * kept it. Bytes of another stream, bytes that come again, early or not at all differ, each with
 * probability 255/256. The words are those of splitmix64, started at a place of the stream's own.
 */
#ifndef EXAMPLES_BYTE_SEQUENCE_H
#define EXAMPLES_BYTE_SEQUENCE_H

#include <stdint.h>
#include <string.h>

static inline uint64_t sequence_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

/* Where stream `number` starts. Mixed twice: neighbours must not run the same words apart. */
static inline uint64_t sequence_start(uint32_t number) {
  return sequence_mix(sequence_mix((uint64_t)number + 1) + UINT64_C(0x9e3779b97f4a7c15));
}

/* Bytes 8 * index to 8 * index + 7, the first one lowest. */
static inline uint64_t sequence_word(uint64_t start, uint64_t index) {
  return sequence_mix(start + (index + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint8_t sequence_byte(uint64_t start, uint64_t position) {
  return (uint8_t)(sequence_word(start, position / 8) >> (position % 8 * 8));
}

/* Writes `bytes` bytes of the stream from `position` on. */
static inline void sequence_fill(uint64_t start, uint64_t position, uint8_t *out, uint32_t bytes) {
  uint32_t at = 0;
  for (; at < bytes && (position + at) % 8 != 0; at++) {
    out[at] = sequence_byte(start, position + at);
  }
  for (; bytes - at >= 8; at += 8) {
    uint64_t word = sequence_word(start, (position + at) / 8);
    memcpy(out + at, &word, 8);
  }
  for (; at < bytes; at++) out[at] = sequence_byte(start, position + at);
}

/* The first of `bytes` bytes that is not the stream's from `position` on; `bytes` if all are. */
static inline uint32_t sequence_mismatch(uint64_t start, uint64_t position, const uint8_t *data,
                                         uint32_t bytes) {
  uint32_t at = 0;
  for (; at < bytes && (position + at) % 8 != 0; at++) {
    if (data[at] != sequence_byte(start, position + at)) return at;
  }
  for (; bytes - at >= 8; at += 8) {
    uint64_t expected = sequence_word(start, (position + at) / 8);
    if (memcmp(data + at, &expected, 8) != 0) break;
  }
  for (; at < bytes; at++) {
    if (data[at] != sequence_byte(start, position + at)) return at;
  }
  return bytes;
}

#endif

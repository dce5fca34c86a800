/* numbered.h - endless byte streams by number: byte p of stream s depends on p and s alone, so whoever knows
 * both can tell a byte that is lost, comes twice or out of turn. test/faults/numbered.ts has the same. */
#ifndef NUMBERED_H
#define NUMBERED_H

#include <stdint.h>

/* Bytes 4 * index to 4 * index + 3, the first one lowest: the finalizer of MurmurHash3. */
static inline uint32_t numbered_word(uint32_t stream, uint32_t index) {
  uint32_t x = (stream + 1) * UINT32_C(0x9e3779b1) + index;
  x = (x ^ (x >> 16)) * UINT32_C(0x85ebca6b);
  x = (x ^ (x >> 13)) * UINT32_C(0xc2b2ae35);
  return x ^ (x >> 16);
}

static inline void numbered_fill(uint32_t stream, uint32_t position, uint8_t *out,
                                 uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++, position++)
    out[i] = (uint8_t)(numbered_word(stream, position / 4) >> (position % 4 * 8));
}

/* The first of `bytes` bytes that is not the stream's from `position` on; `bytes` if all are. */
static inline uint32_t numbered_mismatch(uint32_t stream, uint32_t position, const uint8_t *data,
                                         uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++, position++)
    if (data[i] != (uint8_t)(numbered_word(stream, position / 4) >> (position % 4 * 8))) return i;
  return bytes;
}

#endif

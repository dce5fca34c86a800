/* frames.h - messages of a known length on a stream, and what tells whether they came whole. */
#ifndef SIMULATOR_FRAMES_H
#define SIMULATOR_FRAMES_H

#include <stackful.h>
#include <stdbool.h>

/* Reads `bytes`. Returns 1; 0 when the stream ended in front of them; EPROTO when it ended within. */
SF_PARKS static int32_t frame_read(sf_handle_t handle, void *frame, uint32_t bytes) {
  int32_t count = sf_read_full(handle, frame, bytes);
  if (count <= 0) return count;
  return (uint32_t)count == bytes ? 1 : -SF_EPROTO;
}
SF_TIMED(frame_read, (sf_handle_t handle, void *frame, uint32_t bytes, sf_timeout_t timeout),
         (handle, frame, bytes))

static inline uint32_t checksum(uint32_t sum, const void *data, uint32_t bytes) {
  const uint8_t *at = data;
  for (uint32_t i = 0; i < bytes; i++) sum = (sum ^ at[i]) * UINT32_C(16777619);
  return sum;
}

#define CHECKSUM_START UINT32_C(2166136261)

/* Bytes that grow by `step` from `start` on. */
static inline void pattern_fill(uint8_t *data, uint32_t bytes, uint32_t start, uint32_t step) {
  for (uint32_t i = 0; i < bytes; i++) data[i] = (uint8_t)(start + i * step);
}

static inline bool pattern_is(const uint8_t *data, uint32_t bytes, uint32_t start, uint32_t step) {
  for (uint32_t i = 0; i < bytes; i++)
    if (data[i] != (uint8_t)(start + i * step)) return false;
  return true;
}

#endif

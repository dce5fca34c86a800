/* histogram.h - latencies by the million in a fixed table.
 *
 * Log-linear, as HdrHistogram is: every power of two is cut into 128 buckets of equal width, so a
 * bucket is at most 1/128 of its values wide, from nanoseconds to centuries; below 256 it is exact.
 *
 *   value       bucket
 *   0 .. 255    value                                       width 1
 *   256 .. 511  256 + (value - 256) / 2                     width 2
 *   512 .. 1023 384 + (value - 512) / 4                     width 4, and so on
 */
#ifndef EXAMPLES_HISTOGRAM_H
#define EXAMPLES_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

/* All zeros is an empty one. */
struct histogram {
  uint64_t count;
  uint64_t max;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* How far a value of the bucket's range is shifted to leave SUB_BITS + 1 significant bits. */
static inline uint32_t histogram_shift(uint64_t value) {
  uint64_t floor = UINT64_C(1) << HISTOGRAM_SUB_BITS;
  return (uint32_t)(63 - __builtin_clzll(value | floor)) - HISTOGRAM_SUB_BITS;
}

static inline void histogram_record(struct histogram *histogram, uint64_t value) {
  uint32_t shift = histogram_shift(value);
  histogram->buckets[(shift << HISTOGRAM_SUB_BITS) + (uint32_t)(value >> shift)]++;
  histogram->count++;
  if (value > histogram->max) histogram->max = value;
}

/* The largest value that the bucket takes. */
static inline uint64_t histogram_bucket_end(uint32_t bucket) {
  uint32_t sub_buckets = 1u << HISTOGRAM_SUB_BITS;
  if (bucket < 2 * sub_buckets) return bucket;
  uint32_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
  uint64_t top = (bucket & (sub_buckets - 1)) | sub_buckets;
  return ((top + 1) << shift) - 1;
}

/* The value that `percent` of those recorded do not exceed, at most 1/128 too high; 0 of none. */
static inline uint64_t histogram_percentile(const struct histogram *histogram, double percent) {
  double rank = percent / 100 * (double)histogram->count;
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (histogram->buckets[bucket] == 0 || (double)seen < rank) continue;
    uint64_t end = histogram_bucket_end(bucket);
    return end < histogram->max ? end : histogram->max;
  }
  return histogram->max;
}

#endif

#define _GNU_SOURCE
#include "engine/discard.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "engine/platform.h"

static int64_t discard_range(const struct sf_guest *guest, uint32_t address, uint32_t bytes) {
  const uintptr_t page_mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
  const uintptr_t start = (uintptr_t)sf__guest_range(guest, address, bytes);
  if (start == 0) return -SF_EFAULT;
  const uintptr_t first = (start + page_mask) & ~page_mask;
  const uintptr_t end = (start + bytes) & ~page_mask;
  if (first >= end) return 0;
#ifdef SF_LINUX
  if (madvise((void *)first, end - first, MADV_DONTNEED) != 0) return sf__error(errno);
#else
  /* Whether the system takes a page or not, it reads as zero then. */
  memset((void *)first, 0, end - first);
  if (madvise((void *)first, end - first, MADV_FREE) != 0) return sf__error(errno);
#endif
  return (int64_t)(end - first);
}

int64_t sf__discard(const struct sf_guest *guest, const uint32_t *ranges, size_t count) {
  int64_t discarded = 0;
  for (size_t i = 0; i < 2 * count; i += 2) {
    if (sf__guest_range(guest, ranges[i], ranges[i + 1]) == NULL) return -SF_EFAULT;
  }
  /* discard_range checks again: `ranges` may lie in memory that somebody else writes. */
  for (size_t i = 0; i < 2 * count; i += 2) {
    const int64_t result = discard_range(guest, ranges[i], ranges[i + 1]);
    if (result < 0) return result;
    discarded += result;
  }
  return discarded;
}

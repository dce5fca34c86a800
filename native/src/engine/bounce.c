#include "engine/bounce.h"

#include <stdlib.h>
#include <string.h>

struct sf_bounce *sf__bounce_open(const struct sf_guest *guest, const struct iovec *parts,
                                  uint32_t count) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) bytes += parts[i].iov_len;
  if (bytes > SF_BOUNCE_BYTES_MAX) bytes = SF_BOUNCE_BYTES_MAX;

  const size_t header = sizeof(struct sf_bounce) + count * sizeof(struct sf_iovec);
  struct sf_bounce *bounce = malloc(header + bytes);
  if (bounce == NULL) return NULL;
  bounce->data = (uint8_t *)bounce + header;
  bounce->bytes = (uint32_t)bytes;
  bounce->parts_count = count;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *start = parts[i].iov_base;
    bounce->parts[i] = (struct sf_iovec){
      /* An empty part may be anywhere. */
      .pointer = parts[i].iov_len > 0 ? (uint32_t)(start - guest->base) : 0,
      .length = (uint32_t)parts[i].iov_len,
    };
  }
  return bounce;
}

/* Copies `count` bytes from or to the parts, which are looked up now: the memory may have moved. */
static void copy(const struct sf_bounce *bounce, const struct sf_guest *guest, uint32_t count,
                 bool to_guest) {
  uint32_t done = 0;
  for (uint32_t i = 0; i < bounce->parts_count && done < count; i++) {
    const struct sf_iovec *part = &bounce->parts[i];
    const uint32_t left = count - done;
    const uint32_t bytes = part->length < left ? part->length : left;
    void *memory = sf__guest_range(guest, part->pointer, bytes);
    if (memory == NULL) return; /* was in range before, and a memory never shrinks */
    if (to_guest) {
      memcpy(memory, bounce->data + done, bytes);
    } else {
      memcpy(bounce->data + done, memory, bytes);
    }
    done += bytes;
  }
}

void sf__bounce_fill(const struct sf_bounce *bounce, const struct sf_guest *guest) {
  copy(bounce, guest, bounce->bytes, false);
}

void sf__bounce_deliver(const struct sf_bounce *bounce, const struct sf_guest *guest,
                        uint32_t count) {
  copy(bounce, guest, count, true);
}

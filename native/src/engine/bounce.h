/* bounce.h - host memory that a transfer goes through, instead of the guest's.
 *
 * The kernel writes to the address that it was given, until the operation has completed. An engine
 * that moves a memory when it grows has freed that address by then, and cannot be asked to wait. So
 * the bytes of its guests are copied: before a write starts, and after a read has completed.
 */
#ifndef SF_BOUNCE_H
#define SF_BOUNCE_H

#include <sys/uio.h>

#include "engine/guest.h"

/* What a transfer moves at most this way; a guest that asks for more gets a short count. */
#define SF_BOUNCE_BYTES_MAX (1u << 20)

struct sf_bounce {
  uint8_t *data;
  uint32_t bytes; /* of `data`: the parts' together, or SF_BOUNCE_BYTES_MAX */
  uint32_t parts_count;
  struct sf_iovec parts[]; /* the guest's buffers, in order */
};

/* For a transfer from or into `parts`, which lie in the guest's memory. To be freed; NULL when there
 * is no memory. */
struct sf_bounce *sf__bounce_open(const struct sf_guest *guest, const struct iovec *parts,
                                  uint32_t count);

/* Copies the guest's bytes into `data`. */
void sf__bounce_fill(const struct sf_bounce *bounce, const struct sf_guest *guest);

/* Copies the first `count` bytes of `data` to the guest. */
void sf__bounce_deliver(const struct sf_bounce *bounce, const struct sf_guest *guest,
                        uint32_t count);

#endif

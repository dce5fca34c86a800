/* discard.h - gives pages of the guest's memory back to the operating system. */
#ifndef SF_DISCARD_H
#define SF_DISCARD_H

#include "engine/guest.h"

/* `ranges` are `count` pairs of address and bytes. Of each, the whole pages are discarded: they read
 * as zero afterwards, and cost nothing until they are written again. Returns how many bytes those
 * are, -SF_EFAULT when a range is not in the guest's memory (then nothing was discarded), or another
 * negated sf_errno when the system refuses a range (then those before it were).
 *
 * What the kernel holds of these pages for an operation in flight is no longer the guest's memory
 * afterwards. */
int64_t sf__discard(const struct sf_guest *guest, const uint32_t *ranges, size_t count);

#endif

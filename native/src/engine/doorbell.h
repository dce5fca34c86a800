/* doorbell.h - a descriptor that becomes readable when another thread, or this one, rings. */
#ifndef SF_DOORBELL_H
#define SF_DOORBELL_H

#include <stdint.h>

struct sf_doorbell {
  int fd;      /* readable once it was rung, until it is quieted */
  int ring_fd; /* where ringing writes */
};

/* Returns 0 or a negated sf_errno. */
int32_t sf__doorbell_open(struct sf_doorbell *out);

/* Any thread may; how often does not matter. */
void sf__doorbell_ring(const struct sf_doorbell *doorbell);

void sf__doorbell_quiet(const struct sf_doorbell *doorbell);

void sf__doorbell_close(const struct sf_doorbell *doorbell);

#endif

/* waiter.h - a thread that waits in poll(2), and rings when something is ready. */
#ifndef SF_WAITER_H
#define SF_WAITER_H

#include <poll.h>
#include <stdint.h>

#include "engine/doorbell.h"

struct waiter;

/* `doorbell` is what it rings; the caller's. Returns 0 or a negated sf_errno. */
int32_t ready__waiter_open(struct waiter **out, const struct sf_doorbell *doorbell);
void ready__waiter_close(struct waiter *waiter);

/* Rings once when one of `fds`, which are copied, is ready. Returns 0 or -SF_ENOMEM. */
int32_t ready__waiter_start(struct waiter *waiter, const struct pollfd *fds, uint32_t count);

/* It does not wait any more, nor use any of them, when this returns. */
void ready__waiter_stop(struct waiter *waiter);

#endif

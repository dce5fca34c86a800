/* queue.h - completions that the guest's ring had no room for, oldest first. */
#ifndef SF_QUEUE_H
#define SF_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "stackful/abi.h"

struct sf_queue {
  struct sf_completion *items; /* owned; capacity is 0 or a power of two */
  uint32_t capacity;
  uint32_t head;
  uint32_t count;
};

/* Makes room for `count` items in all. Returns 0 or -SF_ENOMEM. */
int32_t sf__queue_reserve(struct sf_queue *queue, uint32_t count);

/* Adds one. Room must have been reserved: a finished operation cannot fail to be reported. */
void sf__queue_push(struct sf_queue *queue, struct sf_completion item);

/* The oldest, or NULL. */
const struct sf_completion *sf__queue_first(const struct sf_queue *queue);

/* Drops the oldest. */
void sf__queue_shift(struct sf_queue *queue);

void sf__queue_free(struct sf_queue *queue);

#endif

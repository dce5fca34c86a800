#include "engine/queue.h"

#include <assert.h>
#include <stdlib.h>

int32_t sf__queue_reserve(struct sf_queue *queue, uint32_t count) {
  if (count <= queue->capacity) return 0;
  uint32_t capacity = queue->capacity == 0 ? 64 : queue->capacity;
  while (capacity < count) capacity *= 2;

  struct sf_completion *items = malloc((size_t)capacity * sizeof(*items));
  if (items == NULL) return -SF_ENOMEM;
  for (uint32_t i = 0; i < queue->count; i++) {
    items[i] = queue->items[(queue->head + i) & (queue->capacity - 1)];
  }
  free(queue->items);
  queue->items = items;
  queue->capacity = capacity;
  queue->head = 0;
  return 0;
}

void sf__queue_push(struct sf_queue *queue, struct sf_completion item) {
  assert(queue->count < queue->capacity);
  queue->items[(queue->head + queue->count) & (queue->capacity - 1)] = item;
  queue->count++;
}

const struct sf_completion *sf__queue_first(const struct sf_queue *queue) {
  return queue->count == 0 ? NULL : &queue->items[queue->head];
}

void sf__queue_shift(struct sf_queue *queue) {
  assert(queue->count > 0);
  queue->head = (queue->head + 1) & (queue->capacity - 1);
  queue->count--;
}

void sf__queue_free(struct sf_queue *queue) {
  free(queue->items);
  *queue = (struct sf_queue){ 0 };
}

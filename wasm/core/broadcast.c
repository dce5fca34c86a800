/* broadcast.c - channels of which every consumer gets every item, and values of which every reader
 * gets the latest. */
#include "task.h"

struct broadcast {
  uint8_t *buffer;
  uint32_t capacity;
  uint32_t item_bytes;
  uint32_t position; /* of the next item; wraps */
  uint32_t next;     /* its index in the buffer */
  uint32_t count;    /* items in the buffer, at most capacity */
  struct sf_wait_queue consumers; /* waiter.count: the sf_consumer. All have read everything */
  uint32_t closed;
  uint32_t reserved;
};

_Static_assert(sizeof(struct broadcast) == 40, "channel.h reserves 40 bytes");

struct consumer {
  uint32_t position;
  uint32_t missed;
};

EXPORT(sf_broadcast_init)
int32_t sf_broadcast_init(struct broadcast *broadcast, void *buffer, uint32_t capacity,
                          uint32_t item_bytes) {
  if (capacity == 0 || item_bytes == 0 || buffer == NULL) return -SF_EINVAL;
  if ((uint64_t)capacity * item_bytes > INT32_MAX) return -SF_EINVAL;
  touch(buffer, capacity * item_bytes);
  __builtin_memset(broadcast, 0, sizeof(*broadcast));
  broadcast->buffer = buffer;
  broadcast->capacity = capacity;
  broadcast->item_bytes = item_bytes;
  return 0;
}

EXPORT(sf_broadcast_subscribe)
void sf_broadcast_subscribe(const struct broadcast *broadcast, struct consumer *consumer) {
  consumer->position = broadcast->position;
  consumer->missed = 0;
}

EXPORT(sf_broadcast_send)
int32_t sf_broadcast_send(struct broadcast *broadcast, const void *item) {
  struct core *core = core_get();
  if (broadcast->closed) return -SF_EPIPE;
  uint32_t bytes = broadcast->item_bytes;
  __builtin_memcpy(broadcast->buffer + broadcast->next * bytes, item, bytes);
  broadcast->position++;
  broadcast->next = broadcast->next + 1 == broadcast->capacity ? 0 : broadcast->next + 1;
  if (broadcast->count < broadcast->capacity) broadcast->count++;
  while (broadcast->consumers.first != NULL) {
    struct sf_waiter *waiter = wait_queue_pop(&broadcast->consumers);
    ((struct consumer *)waiter->count)->position = broadcast->position;
    __builtin_memcpy(waiter->item, item, bytes);
    waiter_wake(core, waiter, 0);
  }
  return 0;
}

static int32_t broadcast_try(struct broadcast *broadcast, struct consumer *consumer, void *item) {
  uint32_t behind = broadcast->position - consumer->position;
  if (behind == 0) return broadcast->closed ? -SF_EPIPE : -SF_EAGAIN;
  if (behind > broadcast->count) {
    consumer->missed += behind - broadcast->count;
    consumer->position = broadcast->position - broadcast->count;
    return -SF_EOVERFLOW;
  }
  uint32_t index = broadcast->next + broadcast->capacity - behind;
  if (index >= broadcast->capacity) index -= broadcast->capacity;
  uint32_t bytes = broadcast->item_bytes;
  __builtin_memcpy(item, broadcast->buffer + index * bytes, bytes);
  consumer->position++;
  return 0;
}

EXPORT(sf_broadcast_try_receive)
int32_t sf_broadcast_try_receive(struct broadcast *broadcast, struct consumer *consumer,
                                 void *item) {
  return broadcast_try(broadcast, consumer, item);
}

EXPORT(sf_broadcast_receive)
int32_t sf_broadcast_receive(struct broadcast *broadcast, struct consumer *consumer, void *item) {
  RETURN_IF_RESUMED();
  int32_t result = broadcast_try(broadcast, consumer, item);
  if (result != -SF_EAGAIN) return result;
  touch(item, broadcast->item_bytes);
  return park_in(&broadcast->consumers, item, address_of(consumer), 0, SF_WAIT_BROADCAST,
                 broadcast);
}

EXPORT(sf_broadcast_close) void sf_broadcast_close(struct broadcast *broadcast) {
  broadcast->closed = 1;
  wait_queue_wake_all(core_get(), &broadcast->consumers, -SF_EPIPE);
}

struct watch {
  void *storage;
  uint32_t value_bytes;
  uint32_t version; /* never 0 */
  struct sf_wait_queue readers; /* waiter.count: where to put the version */
  uint32_t closed;
  uint32_t reserved[2];
};

_Static_assert(sizeof(struct watch) == 32, "channel.h reserves 32 bytes");

EXPORT(sf_watch_init)
void sf_watch_init(struct watch *watch, void *storage, uint32_t value_bytes) {
  if (value_bytes != 0) touch(storage, value_bytes);
  __builtin_memset(watch, 0, sizeof(*watch));
  watch->storage = storage;
  watch->value_bytes = value_bytes;
  watch->version = 1;
}

EXPORT(sf_watch_get) uint32_t sf_watch_get(const struct watch *watch, void *value_out) {
  if (value_out != NULL) __builtin_memcpy(value_out, watch->storage, watch->value_bytes);
  return watch->version;
}

EXPORT(sf_watch_set) int32_t sf_watch_set(struct watch *watch, const void *value) {
  struct core *core = core_get();
  if (watch->closed) return -SF_EPIPE;
  __builtin_memcpy(watch->storage, value, watch->value_bytes);
  if (++watch->version == 0) watch->version = 1;
  while (watch->readers.first != NULL) {
    struct sf_waiter *waiter = wait_queue_pop(&watch->readers);
    *(uint32_t *)waiter->count = sf_watch_get(watch, waiter->item);
    waiter_wake(core, waiter, 0);
  }
  return 0;
}

static int32_t watch_try(struct watch *watch, uint32_t *seen, void *value_out) {
  if (*seen == watch->version) return watch->closed ? -SF_EPIPE : -SF_EAGAIN;
  *seen = sf_watch_get(watch, value_out);
  return 0;
}

EXPORT(sf_watch_wait)
int32_t sf_watch_wait(struct watch *watch, uint32_t *seen, void *value_out) {
  RETURN_IF_RESUMED();
  int32_t result = watch_try(watch, seen, value_out);
  if (result != -SF_EAGAIN) return result;
  if (value_out != NULL) touch(value_out, watch->value_bytes);
  return park_in(&watch->readers, value_out, address_of(seen), 0, SF_WAIT_WATCH, watch);
}

EXPORT(sf_watch_close) void sf_watch_close(struct watch *watch) {
  watch->closed = 1;
  wait_queue_wake_all(core_get(), &watch->readers, -SF_EPIPE);
}

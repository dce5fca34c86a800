/* channel.c - bounded FIFO channels, any number of senders and receivers.
 *
 * Hand-over is direct: a sender that finds a parked receiver writes the item to where that receiver
 * wants it, and a receiver that frees a slot moves the oldest parked sender's item into it. So a
 * woken task has its result already and never tries again, and order holds per channel. Receivers
 * and senders are never parked at the same time. After close no send is accepted, also not that of
 * a parked sender.
 */
#include "task.h"

struct sf_channel {
  uint8_t *buffer;
  uint32_t capacity; /* items; 0: rendezvous */
  uint32_t item_bytes;
  uint32_t head; /* index of the oldest item */
  uint32_t count;
  uint32_t closed;
  struct sf_wait_queue senders;   /* waiter.item: the next item; count: items left */
  struct sf_wait_queue receivers; /* waiter.item: where the next item goes */
  uint32_t limit;                 /* of the capacity; 0: fixed. Then the buffer is the arena's */
  uint32_t reserved[5];
};

_Static_assert(sizeof(struct sf_channel) == 64, "channel.h reserves 64 bytes");

INLINE void copy_item(void *to, const void *from, uint32_t bytes) {
  if (bytes == 4)
    __builtin_memcpy(to, from, 4);
  else if (bytes == 8)
    __builtin_memcpy(to, from, 8);
  else
    __builtin_memcpy(to, from, bytes);
}

INLINE void buffer_push(struct sf_channel *channel, const void *item) {
  uint32_t index = channel->head + channel->count;
  if (index >= channel->capacity) index -= channel->capacity;
  copy_item(channel->buffer + index * channel->item_bytes, item, channel->item_bytes);
  channel->count++;
}

INLINE void buffer_shift(struct sf_channel *channel, void *item) {
  copy_item(item, channel->buffer + channel->head * channel->item_bytes, channel->item_bytes);
  uint32_t head = channel->head + 1;
  channel->head = head == channel->capacity ? 0 : head;
  channel->count--;
}

/* The region that holds the buffer of an unbounded channel. It knows its channel: a struct that was
 * copied, or never initialised, must not put somebody else's memory into the pool. */
INLINE struct sf_task *buffer_region(struct core *core, struct sf_channel *channel) {
  struct sf_task *region = (struct sf_task *)channel->buffer - 1;
  if (address_of(region) < address_of(core) || region->entry_argument != address_of(channel))
    __builtin_trap();
  return region;
}

static void buffer_give_back(struct core *core, struct sf_task *region) {
  region->entry_argument = 0;
  region_give_back(core, region);
  if (core->spawners.first != NULL) spawners_wake(core, region->size_class);
}

/* Doubles the buffer of an unbounded channel. */
COLD static int32_t buffer_grow(struct core *core, struct sf_channel *channel) {
  struct sf_task *old = channel->capacity == 0 ? NULL : buffer_region(core, channel);
  uint32_t bytes = 2 * channel->capacity * channel->item_bytes;
  uint32_t bytes_max = channel->limit * channel->item_bytes;
  if (bytes < channel->item_bytes) bytes = channel->item_bytes;
  if (bytes > bytes_max) bytes = bytes_max;
  struct sf_task *region = region_take(core, size_class_for(bytes));
  if (region == NULL) return -SF_ENOMEM;
  region->entry_argument = address_of(channel);
  uint8_t *buffer = (uint8_t *)(region + 1);
  uint32_t first = (channel->capacity - channel->head) * channel->item_bytes;
  uint32_t second = channel->head * channel->item_bytes;
  if (old != NULL) {
    __builtin_memcpy(buffer, channel->buffer + second, first);
    __builtin_memcpy(buffer + first, channel->buffer, second);
    buffer_give_back(core, old);
  }
  channel->buffer = buffer;
  channel->head = 0;
  channel->capacity = size_class_bytes(region->size_class) / channel->item_bytes;
  if (channel->capacity > channel->limit) channel->capacity = channel->limit;
  return 0;
}

/* One item of a parked sender is taken; a batch stays in the queue until its last. */
INLINE void sender_advance(struct core *core, struct sf_channel *channel) {
  struct sf_waiter *sender = channel->senders.first;
  if (UNLIKELY(sender->count > 1)) {
    sender->count--;
    sender->item = (uint8_t *)sender->item + channel->item_bytes;
    return;
  }
  wait_queue_pop(&channel->senders);
  waiter_ready(core, sender);
}

/* 0, -EPIPE when closed, -EAGAIN when it would have to wait. */
INLINE int32_t try_send(struct core *core, struct sf_channel *channel, const void *item) {
  if (channel->closed) return -SF_EPIPE;
  if (channel->receivers.first != NULL) {
    struct sf_waiter *receiver = channel->receivers.first;
    copy_item(receiver->item, item, channel->item_bytes); /* Traps, if it does, before anything. */
    wait_queue_pop(&channel->receivers);
    waiter_ready(core, receiver);
    return 0;
  }
  if (channel->count == channel->capacity) {
    if (channel->capacity >= channel->limit) return -SF_EAGAIN;
    int32_t error = buffer_grow(core, channel);
    if (error < 0) return error;
  }
  buffer_push(channel, item);
  return 0;
}

/* 0, -EPIPE when closed and empty, -EAGAIN when it would have to wait. */
INLINE int32_t try_receive(struct core *core, struct sf_channel *channel, void *item) {
  if (channel->count != 0) {
    buffer_shift(channel, item);
    if (channel->senders.first != NULL) {
      buffer_push(channel, channel->senders.first->item);
      sender_advance(core, channel);
    }
    return 0;
  }
  if (channel->senders.first != NULL) {
    copy_item(item, channel->senders.first->item, channel->item_bytes);
    sender_advance(core, channel);
    return 0;
  }
  return channel->closed ? -SF_EPIPE : -SF_EAGAIN;
}

EXPORT(sf_channel_try_send) NOINLINE
int32_t sf_channel_try_send(struct sf_channel *channel, const void *item) {
  return try_send(core_get(), channel, item);
}

EXPORT(sf_channel_try_receive) NOINLINE
int32_t sf_channel_try_receive(struct sf_channel *channel, void *item) {
  return try_receive(core_get(), channel, item);
}

EXPORT(sf_channel_init)
int32_t sf_channel_init(struct sf_channel *channel, void *buffer, uint32_t capacity,
                        uint32_t item_bytes) {
  if (item_bytes == 0 || (uint64_t)capacity * item_bytes > INT32_MAX) return -SF_EINVAL;
  if (capacity != 0) {
    if (buffer == NULL) return -SF_EINVAL;
    touch(buffer, capacity * item_bytes);
  }
  __builtin_memset(channel, 0, sizeof(*channel));
  channel->buffer = buffer;
  channel->capacity = capacity;
  channel->item_bytes = item_bytes;
  return 0;
}

EXPORT(sf_channel_init_unbounded)
int32_t sf_channel_init_unbounded(struct sf_channel *channel, uint32_t limit,
                                  uint32_t item_bytes) {
  if (item_bytes == 0 || limit == 0) return -SF_EINVAL;
  if ((uint64_t)limit * item_bytes > size_class_bytes(SF_SIZE_CLASSES - 1)) return -SF_EINVAL;
  __builtin_memset(channel, 0, sizeof(*channel));
  channel->item_bytes = item_bytes;
  channel->limit = limit;
  return 0;
}

EXPORT(sf_channel_send) int32_t sf_channel_send(struct sf_channel *channel, const void *item) {
  RETURN_IF_RESUMED();
  int32_t result = try_send(core_get(), channel, item);
  if (result != -SF_EAGAIN) return result;
  touch(item, channel->item_bytes); /* The task that wakes this one will copy from there. */
  return park_in(&channel->senders, item, 1, 0, SF_WAIT_SEND, channel);
}

EXPORT(sf_channel_receive) int32_t sf_channel_receive(struct sf_channel *channel, void *item) {
  RETURN_IF_RESUMED();
  int32_t result = try_receive(core_get(), channel, item);
  if (result != -SF_EAGAIN) return result;
  touch(item, channel->item_bytes);
  return park_in(&channel->receivers, item, 1, 0, SF_WAIT_RECEIVE, channel);
}

/* Sends what fits now; returns how many, and in *error why not more. */
static uint32_t send_some(struct core *core, struct sf_channel *channel, const uint8_t *items,
                          uint32_t items_count, int32_t *error) {
  uint32_t done = 0;
  for (; done < items_count; done++) {
    *error = try_send(core, channel, items + done * channel->item_bytes);
    if (*error < 0) break;
  }
  return done;
}

EXPORT(sf_channel_send_many)
int32_t sf_channel_send_many(struct sf_channel *channel, const uint8_t *items,
                             uint32_t items_count) {
  RETURN_IF_RESUMED();
  if (items_count == 0) return 0;
  uint64_t bytes = (uint64_t)items_count * channel->item_bytes;
  if (bytes > INT32_MAX) return -SF_EINVAL;
  touch(items, (uint32_t)bytes);
  int32_t error = 0;
  uint32_t done = send_some(core_get(), channel, items, items_count, &error);
  if (done == items_count) return (int32_t)done;
  if (error != -SF_EAGAIN) return done != 0 ? (int32_t)done : error;
  struct sf_task *self = self_to_park();
  /* A request stays pending when something has been sent. */
  if (UNLIKELY(self->flags & SF_TASK_ATTENTION)) {
    if (self->flags & SF_TASK_UNARMED) scopes_arm(core_get(), self);
    uint32_t requested = self->shields == 0 && (self->flags & SF_TASK_ATTENTION);
    if (requested && done != 0) return (int32_t)done;
    if (requested && attend(core_get(), self)) return -SF_ECANCELED;
  }
  self->waiter.item = (void *)(items + done * channel->item_bytes);
  self->waiter.count = items_count - done;
  self->waiter.result = (int32_t)items_count;
  self->wait_queue = &channel->senders;
  wait_queue_push(&channel->senders, &self->waiter);
  return park(self, SF_WAIT_SEND, address_of(channel));
}

EXPORT(sf_channel_receive_many)
int32_t sf_channel_receive_many(struct sf_channel *channel, uint8_t *items, uint32_t items_max) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  if (items_max == 0) return 0;
  uint64_t bytes = (uint64_t)items_max * channel->item_bytes;
  if (bytes > INT32_MAX) return -SF_EINVAL;
  touch(items, (uint32_t)bytes);
  uint32_t done = 0;
  int32_t error = 0;
  for (; done < items_max; done++) {
    error = try_receive(core, channel, items + done * channel->item_bytes);
    if (error < 0) break;
  }
  if (done != 0) return (int32_t)done;
  if (error != -SF_EAGAIN) return error;
  return park_in(&channel->receivers, items, 1, 1, SF_WAIT_RECEIVE, channel);
}

EXPORT(sf_channel_close) void sf_channel_close(struct sf_channel *channel, uint32_t immediate) {
  struct core *core = core_get();
  channel->closed = 1;
  if (immediate) channel->count = 0;
  while (channel->senders.first != NULL) {
    struct sf_waiter *sender = wait_queue_pop(&channel->senders);
    int32_t progress = send_progress(sender);
    waiter_wake(core, sender, progress > 0 ? progress : -SF_EPIPE);
  }
  wait_queue_wake_all(core, &channel->receivers, -SF_EPIPE);
}

EXPORT(sf_channel_destroy) void sf_channel_destroy(struct sf_channel *channel) {
  sf_channel_close(channel, 1);
  if (channel->limit == 0 || channel->capacity == 0) return;
  struct core *core = core_get();
  buffer_give_back(core, buffer_region(core, channel));
  channel->capacity = channel->limit = 0;
}

EXPORT(sf_channel_count) uint32_t sf_channel_count(const struct sf_channel *channel) {
  return channel->count;
}

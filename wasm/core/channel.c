/* channel.c - bounded FIFO channels, any number of senders and receivers.
 *
 * Hand-over is direct: a sender that finds a parked receiver writes the item to where that receiver
 * wants it, and a receiver that frees a slot moves the oldest parked sender's item into it. So a
 * woken task has its result already and never tries again, and order holds per channel. Receivers
 * and senders are never parked at the same time. After close no send is accepted, also not that of
 * a parked sender.
 */
#include "cancel.h"
#include "park.h"

struct sf_channel {
  uint8_t *buffer;
  uint32_t capacity; /* items; 0: rendezvous */
  uint32_t item_bytes;
  uint32_t head; /* index of the oldest item */
  uint32_t count;
  uint32_t closed;
  struct sf_wait_queue senders;
  struct sf_wait_queue receivers;
  uint32_t reserved[6];
};

_Static_assert(sizeof(struct sf_channel) == 64, "stackful.h reserves 64 bytes");

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

/* 0, -EPIPE when closed, -EAGAIN when it would have to wait. */
INLINE int32_t try_send(struct core *core, struct sf_channel *channel, const void *item) {
  if (channel->closed) return -SF_EPIPE;
  if (channel->receivers.first != NULL) {
    struct sf_waiter *receiver = wait_queue_pop(&channel->receivers);
    copy_item(receiver->item, item, channel->item_bytes);
    waiter_wake(core, receiver, 0);
    return 0;
  }
  if (channel->count == channel->capacity) return -SF_EAGAIN;
  buffer_push(channel, item);
  return 0;
}

/* 0, -EPIPE when closed and empty, -EAGAIN when it would have to wait. */
INLINE int32_t try_receive(struct core *core, struct sf_channel *channel, void *item) {
  if (channel->count != 0) {
    buffer_shift(channel, item);
    if (channel->senders.first != NULL) {
      struct sf_waiter *sender = wait_queue_pop(&channel->senders);
      buffer_push(channel, sender->item);
      waiter_wake(core, sender, 0);
    }
    return 0;
  }
  if (channel->senders.first != NULL) {
    struct sf_waiter *sender = wait_queue_pop(&channel->senders);
    copy_item(item, sender->item, channel->item_bytes);
    waiter_wake(core, sender, 0);
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
  if (capacity != 0 && buffer == NULL) return -SF_EINVAL;
  __builtin_memset(channel, 0, sizeof(*channel));
  channel->buffer = buffer;
  channel->capacity = capacity;
  channel->item_bytes = item_bytes;
  return 0;
}

INLINE int32_t park_on(struct sf_channel *channel, struct sf_wait_queue *queue, void *item,
                       uint32_t wait) {
  struct sf_task *self = self_to_park();
  touch(item, channel->item_bytes); /* The task that wakes this one will copy there. */
  if (UNLIKELY(take_cancel(self))) return -SF_ECANCELED;
  self->waiter.item = item;
  self->wait_queue = queue;
  wait_queue_push(queue, &self->waiter);
  return park(self, wait, address_of(channel));
}

EXPORT(sf_channel_send) int32_t sf_channel_send(struct sf_channel *channel, const void *item) {
  RETURN_IF_RESUMED();
  int32_t result = try_send(core_get(), channel, item);
  if (result != -SF_EAGAIN) return result;
  return park_on(channel, &channel->senders, (void *)item, SF_WAIT_SEND);
}

EXPORT(sf_channel_receive) int32_t sf_channel_receive(struct sf_channel *channel, void *item) {
  RETURN_IF_RESUMED();
  int32_t result = try_receive(core_get(), channel, item);
  if (result != -SF_EAGAIN) return result;
  return park_on(channel, &channel->receivers, item, SF_WAIT_RECEIVE);
}

EXPORT(sf_channel_close) void sf_channel_close(struct sf_channel *channel, uint32_t immediate) {
  struct core *core = core_get();
  channel->closed = 1;
  if (immediate) channel->count = 0;
  while (channel->senders.first != NULL)
    waiter_wake(core, wait_queue_pop(&channel->senders), -SF_EPIPE);
  while (channel->receivers.first != NULL)
    waiter_wake(core, wait_queue_pop(&channel->receivers), -SF_EPIPE);
}

EXPORT(sf_channel_count) uint32_t sf_channel_count(const struct sf_channel *channel) {
  return channel->count;
}

/* The host's ends of a channel. Each returns 0 when done, -EPIPE, or -EAGAIN: then `waiter` (task 0,
 * item set) is queued and comes back in sf_shared.signaled, unless stackful_channel_forget takes it
 * out first. */
EXPORT(stackful_channel_send)
int32_t stackful_channel_send(struct sf_channel *channel, struct sf_waiter *waiter) {
  int32_t result = sf_channel_try_send(channel, waiter->item);
  if (result == -SF_EAGAIN) wait_queue_push(&channel->senders, waiter);
  return result;
}

EXPORT(stackful_channel_receive)
int32_t stackful_channel_receive(struct sf_channel *channel, struct sf_waiter *waiter) {
  int32_t result = sf_channel_try_receive(channel, waiter->item);
  if (result == -SF_EAGAIN) wait_queue_push(&channel->receivers, waiter);
  return result;
}

/* `waiter` must still be queued: the host asks only before it has come back. */
EXPORT(stackful_channel_forget)
void stackful_channel_forget(struct sf_channel *channel, struct sf_waiter *waiter,
                             uint32_t sending) {
  wait_queue_remove(sending ? &channel->senders : &channel->receivers, waiter);
}

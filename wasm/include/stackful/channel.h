/* channel.h - channels, broadcast, watch. */
#ifndef STACKFUL_CHANNEL_H
#define STACKFUL_CHANNEL_H

#include "time.h"

/* A FIFO channel of items of one size, for any number of senders and receivers. */
struct sf_channel {
  uint64_t opaque[8];
};

/* Bounded. `buffer` holds capacity * item_bytes and belongs to the channel until nobody uses it any
 * more; capacity 0 is a rendezvous and needs none. Errors: EINVAL. */
SF_IMPORT(sf_channel_init)
int32_t sf_channel_init(struct sf_channel *channel, void *buffer, uint32_t capacity,
                        uint32_t item_bytes);

/* Grows as it fills, up to `limit` items; then senders park. The buffer is the runtime's memory, in
 * powers of two; at most 8 MiB of items. Destroy it when it is not used any more.
 * Errors: EINVAL when limit * item_bytes exceeds 8 MiB. */
SF_IMPORT(sf_channel_init_unbounded)
int32_t sf_channel_init_unbounded(struct sf_channel *channel, uint32_t limit, uint32_t item_bytes);

/* Closes the channel, drops what is in it, and gives the memory of an unbounded one back. */
SF_IMPORT(sf_channel_destroy) void sf_channel_destroy(struct sf_channel *channel);

/* Copies an item in; parks while the channel is full. EPIPE: closed, the item was not taken. ENOMEM:
 * an unbounded channel could not grow. */
SF_PARKS SF_IMPORT(sf_channel_send)
int32_t sf_channel_send(struct sf_channel *channel, const void *item);
SF_TIMED(sf_channel_send, (struct sf_channel * channel, const void *item, sf_timeout_t timeout),
         (channel, item))

/* Copies the oldest item out; parks while there is none. EPIPE: closed, and nothing is left. */
SF_PARKS SF_IMPORT(sf_channel_receive)
int32_t sf_channel_receive(struct sf_channel *channel, void *item_out);
SF_TIMED(sf_channel_receive, (struct sf_channel * channel, void *item_out, sf_timeout_t timeout),
         (channel, item_out))

/* As above, but -SF_EAGAIN instead of parking. */
SF_IMPORT(sf_channel_try_send)
int32_t sf_channel_try_send(struct sf_channel *channel, const void *item);
SF_IMPORT(sf_channel_try_receive)
int32_t sf_channel_try_receive(struct sf_channel *channel, void *item_out);

/* Sends `items_count` items in order; parks until the last is in. Returns how many were taken: fewer
 * when the channel was closed or the task canceled in between, then a request stays pending. Items
 * of other senders may come between. Errors, when none was taken: as sf_channel_send. */
SF_PARKS SF_IMPORT(sf_channel_send_many)
int32_t sf_channel_send_many(struct sf_channel *channel, const void *items, uint32_t items_count);
SF_TIMED(sf_channel_send_many,
         (struct sf_channel * channel, const void *items, uint32_t items_count,
          sf_timeout_t timeout),
         (channel, items, items_count))

/* Receives up to `items_max` items: all that are there, and parks only while there is none. Returns
 * how many. Errors: as sf_channel_receive. */
SF_PARKS SF_IMPORT(sf_channel_receive_many)
int32_t sf_channel_receive_many(struct sf_channel *channel, void *items_out, uint32_t items_max);
SF_TIMED(sf_channel_receive_many,
         (struct sf_channel * channel, void *items_out, uint32_t items_max, sf_timeout_t timeout),
         (channel, items_out, items_max))

/* No send is accepted any more, also not of a sender that is parked. Items in the buffer can still be
 * received, unless `immediate` (1) drops them. Idempotent. */
SF_IMPORT(sf_channel_close) void sf_channel_close(struct sf_channel *channel, uint32_t immediate);

/* Items in the buffer. */
SF_IMPORT(sf_channel_count) uint32_t sf_channel_count(const struct sf_channel *channel);

/* ── Broadcast: every consumer gets every item ─────────────────────────────────────────────────── */

/* A ring of the newest items. Sending never parks: it overwrites the oldest item, and a consumer that
 * had not read it learns how many it missed. */
struct sf_broadcast {
  uint64_t opaque[5];
};

/* A reader's place. The caller's; `missed` may be read. */
struct sf_consumer {
  uint32_t position;
  uint32_t missed; /* items lost to it so far */
};

/* `buffer` holds capacity * item_bytes; capacity at least 1. Errors: EINVAL. */
SF_IMPORT(sf_broadcast_init)
int32_t sf_broadcast_init(struct sf_broadcast *broadcast, void *buffer, uint32_t capacity,
                          uint32_t item_bytes);

/* Starts to read: the next item sent is its first. */
SF_IMPORT(sf_broadcast_subscribe)
void sf_broadcast_subscribe(const struct sf_broadcast *broadcast, struct sf_consumer *consumer);

/* EPIPE: closed. */
SF_IMPORT(sf_broadcast_send)
int32_t sf_broadcast_send(struct sf_broadcast *broadcast, const void *item);

/* The consumer's next item; parks while there is none. EOVERFLOW, once: items were overwritten before
 * it read them; `missed` has grown by their number, and it goes on with the oldest that is left.
 * EPIPE: closed, and it has read everything. */
SF_PARKS SF_IMPORT(sf_broadcast_receive)
int32_t sf_broadcast_receive(struct sf_broadcast *broadcast, struct sf_consumer *consumer,
                             void *item_out);
SF_TIMED(sf_broadcast_receive,
         (struct sf_broadcast * broadcast, struct sf_consumer *consumer, void *item_out,
          sf_timeout_t timeout),
         (broadcast, consumer, item_out))

/* -SF_EAGAIN instead of parking. */
SF_IMPORT(sf_broadcast_try_receive)
int32_t sf_broadcast_try_receive(struct sf_broadcast *broadcast, struct sf_consumer *consumer,
                                 void *item_out);

/* What was sent can still be read. Idempotent. */
SF_IMPORT(sf_broadcast_close) void sf_broadcast_close(struct sf_broadcast *broadcast);

/* ── Watch: the latest value ───────────────────────────────────────────────────────────────────── */

/* A value that tasks read, and wait for the next version of. Versions in between are skipped. */
struct sf_watch {
  uint64_t opaque[4];
};

/* `storage` holds value_bytes and belongs to the watch; it is the first value, version 1. */
SF_IMPORT(sf_watch_init)
void sf_watch_init(struct sf_watch *watch, void *storage, uint32_t value_bytes);

/* A new version of the value. EPIPE: closed. */
SF_IMPORT(sf_watch_set) int32_t sf_watch_set(struct sf_watch *watch, const void *value);

/* Copies the value out (value_out may be NULL); returns its version, which wraps and is never 0. */
SF_IMPORT(sf_watch_get) uint32_t sf_watch_get(const struct sf_watch *watch, void *value_out);

/* Parks until the version is not *seen (0: never seen one), copies the value out (value_out may be
 * NULL) and puts its version into *seen. EPIPE: closed, and *seen is the last version. */
SF_PARKS SF_IMPORT(sf_watch_wait)
int32_t sf_watch_wait(struct sf_watch *watch, uint32_t *seen, void *value_out);
SF_TIMED(sf_watch_wait,
         (struct sf_watch * watch, uint32_t *seen, void *value_out, sf_timeout_t timeout),
         (watch, seen, value_out))

/* Idempotent. */
SF_IMPORT(sf_watch_close) void sf_watch_close(struct sf_watch *watch);

#endif

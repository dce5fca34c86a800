/* producer-consumer.c - a bounded channel between several producers and several consumers.
 *
 * Shows:
 *   - backpressure: a producer parks while the channel is full, a consumer while it is empty;
 *   - a graceful end: the channel is closed once the producers are done, every consumer then takes
 *     what is left and sees -SF_EPIPE;
 *   - results through sf_join. Each item is counted and summed up on both sides: one that was lost
 *     or delivered twice makes the sums differ.
 */
#include <inttypes.h>
#include <stackful.h>
#include <stdio.h>

#define PRODUCERS 4
#define CONSUMERS 3
#define ITEMS_PER_PRODUCER 10000
#define CAPACITY 16

struct item {
  uint32_t producer;
  uint32_t number;
};

/* One worker of either kind: what it did, and where. */
struct worker {
  struct sf_channel *channel;
  sf_task_t task;
  uint32_t index;
  uint64_t items;
  uint64_t sum;
};

static uint64_t item_value(const struct item *item) {
  return (uint64_t)item->producer * ITEMS_PER_PRODUCER + item->number;
}

static int32_t produce(void *argument) {
  struct worker *worker = argument;
  for (uint32_t number = 0; number < ITEMS_PER_PRODUCER; number++) {
    const struct item item = { .producer = worker->index, .number = number };
    int32_t result = sf_channel_send(worker->channel, &item);
    if (result < 0) return result;
    worker->items++;
    worker->sum += item_value(&item);
  }
  return 0;
}

static int32_t consume(void *argument) {
  struct worker *worker = argument;
  struct item item;
  int32_t result;
  while ((result = sf_channel_receive(worker->channel, &item)) == 0) {
    worker->items++;
    worker->sum += item_value(&item);
    /* Some work, during which the others get on. */
    if (worker->items % 100 == 0) sf_yield();
  }
  return result == -SF_EPIPE ? 0 : result;
}

static int32_t start(struct worker *workers, uint32_t count, const char *kind, sf_entry_fn entry,
                     struct sf_channel *channel) {
  for (uint32_t i = 0; i < count; i++) {
    char name[32];
    snprintf(name, sizeof(name), "%s-%" PRIu32, kind, i);
    workers[i] = (struct worker){ .channel = channel, .index = i };
    const struct sf_spawn_options options = { .name = name };
    int32_t result = sf_spawn(entry, &workers[i], &options, &workers[i].task);
    if (result < 0) return result;
  }
  return 0;
}

/* Waits for all of them and adds up what they did. Returns 0, or the first error. */
static int32_t finish(const struct worker *workers, uint32_t count, const char *kind,
                      struct worker *total_out) {
  struct worker total = { 0 };
  int32_t first_error = 0;
  for (uint32_t i = 0; i < count; i++) {
    int32_t result;
    int32_t error = sf_join(workers[i].task, &result);
    if (error == 0) error = result;
    if (error < 0 && first_error == 0) first_error = error;
    printf("%s-%" PRIu32 ": %" PRIu64 " items\n", kind, i, workers[i].items);
    total.items += workers[i].items;
    total.sum += workers[i].sum;
  }
  *total_out = total;
  return first_error;
}

int main(void) {
  /* Static, because on an error main just returns: the tasks that are left are canceled and waited
   * for, and until they end they use these. The channel's storage is the caller's as well. */
  static struct item buffer[CAPACITY];
  static struct sf_channel channel;
  static struct worker producers[PRODUCERS];
  static struct worker consumers[CONSUMERS];
  struct worker sent;
  struct worker received;

  if (sf_channel_init(&channel, buffer, CAPACITY, sizeof(struct item)) < 0) return 1;
  if (start(producers, PRODUCERS, "producer", produce, &channel) < 0) return 1;
  if (start(consumers, CONSUMERS, "consumer", consume, &channel) < 0) return 1;

  int32_t produced = finish(producers, PRODUCERS, "producer", &sent);
  sf_channel_close(&channel, 0);
  int32_t consumed = finish(consumers, CONSUMERS, "consumer", &received);

  if (produced < 0 || consumed < 0) {
    fprintf(stderr, "a worker failed: errno %d\n", (int)-(produced < 0 ? produced : consumed));
    return 1;
  }
  printf("sent %" PRIu64 " items, sum %" PRIu64 "; received %" PRIu64 " items, sum %" PRIu64 "\n",
         sent.items, sent.sum, received.items, received.sum);
  if (sent.items != received.items || sent.sum != received.sum) {
    fprintf(stderr, "the sums differ\n");
    return 1;
  }
  printf("ok\n");
  return 0;
}

/* channel-model.c - a model of a channel, and that every call does what it says. */
#include "law-tasks.h"

static struct sf_channel channel;

/* Every operation goes to the channel and to a model of it; after each, all results must agree. */

#define WORKERS 8
#define BATCH_MAX 5
#define ITEM_BYTES_MAX 2100
#define QUEUE_MAX 4096

enum action { SEND, TRY_SEND, SEND_MANY, RECEIVE, TRY_RECEIVE, RECEIVE_MANY, ACTIONS };

struct worker {
  sf_task_t task;
  int32_t action; /* -1: none */
  uint32_t timed;
  int32_t count;
  int32_t first; /* number of the first item to send */
  int32_t result;
  uint32_t done;
  uint8_t items[BATCH_MAX * ITEM_BYTES_MAX];
  /* What the model says. */
  uint32_t parked;
  int32_t sent;
  int32_t want;
  int32_t wanted[BATCH_MAX];
  int32_t wanted_count;
};

static struct worker workers[WORKERS];
static uint32_t item_bytes, over;

static struct {
  int32_t queue[QUEUE_MAX];
  int32_t count, limit;
  uint32_t closed;
  struct worker *line[WORKERS]; /* parked, in their order: all senders or all receivers */
  int32_t line_count;
} model;

static void item_make(uint8_t *item, int32_t number) {
  for (uint32_t i = 0; i < item_bytes; i++) item[i] = (uint8_t)((number >> i % 4 * 8) + i / 4);
}

static int32_t item_is(const uint8_t *item, int32_t number) {
  for (uint32_t i = 0; i < item_bytes; i++)
    if (item[i] != (uint8_t)((number >> i % 4 * 8) + i / 4)) return 0;
  return 1;
}

static int32_t worker_act(struct worker *worker) {
  uint32_t count = (uint32_t)worker->count;
  for (int32_t i = 0; worker->action <= SEND_MANY && i < worker->count; i++)
    item_make(worker->items + (uint32_t)i * item_bytes, worker->first + i);
  sf_timeout_t timeout = worker->timed ? sf_after(SF_SECOND) : SF_NEVER;
  switch (worker->action) {
    case SEND: return sf_channel_send_timeout(&channel, worker->items, timeout);
    case TRY_SEND: return sf_channel_try_send(&channel, worker->items);
    case SEND_MANY: return sf_channel_send_many_timeout(&channel, worker->items, count, timeout);
    case RECEIVE: return sf_channel_receive_timeout(&channel, worker->items, timeout);
    case TRY_RECEIVE: return sf_channel_try_receive(&channel, worker->items);
    default: return sf_channel_receive_many_timeout(&channel, worker->items, count, timeout);
  }
}

static int32_t worker_task(void *argument) {
  struct worker *worker = argument;
  while (!over) {
    if (sf_park() < 0 || worker->action < 0) continue; /* A request left over from a batch. */
    worker->result = worker_act(worker);
    worker->done = 1;
  }
  return 0;
}

static void model_end(struct worker *worker, int32_t result) {
  worker->want = result;
  worker->parked = 0;
}

static void model_leave(struct worker *worker, int32_t result) {
  int32_t at = 0;
  while (model.line[at] != worker) at++;
  for (model.line_count--; at < model.line_count; at++) model.line[at] = model.line[at + 1];
  model_end(worker, result);
}

static void model_give(struct worker *receiver, int32_t number) {
  receiver->wanted[receiver->wanted_count++] = number;
}

static int32_t model_take(struct worker *sender) {
  int32_t number = sender->first + sender->sent++;
  if (sender->sent == sender->count)
    model_leave(sender, sender->action == SEND_MANY ? sender->count : 0);
  return number;
}

static void model_park(struct worker *worker) {
  worker->parked = 1;
  model.line[model.line_count++] = worker;
}

static uint32_t receives(const struct worker *worker) { return worker->action >= RECEIVE; }

static void model_send(struct worker *worker) {
  int32_t batch = worker->action == SEND_MANY;
  if (batch && worker->count == 0) return model_end(worker, 0);
  if (model.closed) return model_end(worker, -SF_EPIPE);
  while (worker->sent < worker->count) {
    if (model.line_count > 0 && receives(model.line[0])) {
      struct worker *receiver = model.line[0];
      model_give(receiver, worker->first + worker->sent);
      model_leave(receiver, receiver->action == RECEIVE_MANY);
    } else if (model.count < model.limit) {
      model.queue[model.count++] = worker->first + worker->sent;
    } else {
      if (worker->action == TRY_SEND) return model_end(worker, -SF_EAGAIN);
      return model_park(worker);
    }
    worker->sent++;
  }
  model_end(worker, batch ? worker->count : 0);
}

static void model_receive(struct worker *worker) {
  int32_t batch = worker->action == RECEIVE_MANY;
  if (batch && worker->count == 0) return model_end(worker, 0);
  while (worker->wanted_count < worker->count) {
    uint32_t sender = model.line_count > 0 && !receives(model.line[0]);
    if (model.count > 0) {
      model_give(worker, model.queue[0]);
      memmove(model.queue, model.queue + 1, (size_t)--model.count * sizeof(*model.queue));
      if (sender) model.queue[model.count++] = model_take(model.line[0]);
    } else if (sender) {
      model_give(worker, model_take(model.line[0]));
    } else {
      break;
    }
  }
  if (worker->wanted_count > 0) return model_end(worker, batch ? worker->wanted_count : 0);
  if (model.closed) return model_end(worker, -SF_EPIPE);
  if (worker->action == TRY_RECEIVE) return model_end(worker, -SF_EAGAIN);
  model_park(worker);
}

/* A parked worker's wait is ended: what a batch has sent counts. */
static void model_abort(struct worker *worker, int32_t error) {
  int32_t progress = worker->action == SEND_MANY && worker->sent > 0;
  model_leave(worker, progress ? worker->sent : error);
}

static void model_close(uint32_t immediate) {
  model.closed = 1;
  if (immediate) model.count = 0;
  while (model.line_count > 0) model_abort(model.line[0], -SF_EPIPE);
}

static int32_t agree(void) {
  CHECK(sf_channel_count(&channel) == (uint32_t)model.count);
  for (int32_t i = 0; i < WORKERS; i++) {
    struct worker *worker = &workers[i];
    if (worker->action < 0) continue;
    CHECK(worker->done == !worker->parked);
    if (worker->parked) continue;
    CHECK(worker->result == worker->want);
    for (int32_t j = 0; j < worker->wanted_count; j++)
      CHECK(item_is(worker->items + (uint32_t)j * item_bytes, worker->wanted[j]));
    worker->action = -1;
  }
  return 0;
}

LAW(agrees_with_the_model)(int32_t unbounded, int32_t limit, int32_t bytes, int32_t steps,
                           int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given;
  int32_t next = 1;
  item_bytes = (uint32_t)bytes;
  model.limit = limit;
  if (unbounded)
    CHECK(sf_channel_init_unbounded(&channel, (uint32_t)limit, item_bytes) == 0);
  else
    CHECK(sf_channel_init(&channel, malloc((size_t)(limit * bytes) + 1), (uint32_t)limit,
                          item_bytes) == 0);
  for (int32_t i = 0; i < WORKERS; i++) {
    workers[i].action = -1;
    CHECK(sf_spawn(worker_task, &workers[i], NULL, &workers[i].task) == 0);
  }
  settle();
  /* Phases in which more is sent than received, or the reverse: full and empty are both met. */
  for (int32_t step = 0; step < steps; step++) {
    uint32_t mood = (uint32_t)step / 40 % 3;
    struct worker *worker = &workers[random_next(&seed) % WORKERS];
    if (worker->action >= 0) {
      /* It is parked: sometimes ended early. */
      if (random_next(&seed) % 3 == 0) {
        CHECK(sf_cancel(worker->task) == 0);
        model_abort(worker, -SF_ECANCELED);
      }
    } else if (random_next(&seed) % 60 == 0) {
      CHECK(sf_sleep(2 * SF_SECOND) == 0);
      for (int32_t i = 0; i < WORKERS; i++)
        if (workers[i].parked && workers[i].timed) model_abort(&workers[i], -SF_ETIMEDOUT);
    } else if (random_next(&seed) % 600 == 0) {
      uint32_t immediate = random_next(&seed) % 2;
      sf_channel_close(&channel, immediate);
      model_close(immediate);
    } else {
      uint32_t sends = random_next(&seed) % 8 < (mood == 0 ? 7u : mood == 1 ? 1u : 4u);
      worker->action = (int32_t)(random_next(&seed) % 3) + (sends ? SEND : RECEIVE);
      uint32_t many = worker->action == SEND_MANY || worker->action == RECEIVE_MANY;
      worker->count = many ? (int32_t)(random_next(&seed) % (BATCH_MAX + 1)) : 1;
      worker->timed = random_next(&seed) % 3 == 0;
      worker->first = next;
      worker->done = worker->parked = 0;
      worker->sent = worker->wanted_count = 0;
      if (sends) next += worker->count;
      CHECK(sf_unpark(worker->task) == 0);
      if (sends)
        model_send(worker);
      else
        model_receive(worker);
    }
    settle();
    int32_t line = agree();
    if (line != 0) return line;
  }
  sf_channel_destroy(&channel);
  model_close(1);
  settle();
  int32_t line = agree();
  over = 1;
  for (int32_t i = 0; i < WORKERS; i++) {
    CHECK(sf_unpark(workers[i].task) == 0);
    CHECK_JOIN(workers[i].task, 0);
  }
  return line;
}

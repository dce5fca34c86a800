/* queues.c - laws of channels beyond sending and receiving: unbounded ones, batches, and a model that
 * says what every call must do. */
#include "law-tasks.h"

static struct sf_channel channel;

/* ── The model ─────────────────────────────────────────────────────────────────────────────────── */

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

/* ── Unbounded ─────────────────────────────────────────────────────────────────────────────────── */

static int32_t send_one_task(void *number) {
  int32_t item = (int32_t)number;
  return sf_channel_send(&channel, &item);
}

LAW(unbounded_refuses)(void) {
  CHECK(sf_channel_init_unbounded(&channel, 0, 4) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 4, 0) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, (8 << 20) + 1, 1) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 0x10000, 0x10000) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 0x80000000u, 2) == -SF_EINVAL);
  CHECK(sf_channel_init_unbounded(&channel, 8 << 20, 1) == 0);
  CHECK(sf_channel_init_unbounded(&channel, 1, 8 << 20) == 0);
  sf_channel_destroy(&channel);
  return 0;
}

/* Grows while its oldest item is in the middle of the buffer, again and again, up to its limit. */
LAW(unbounded_grows_through_wrap_around)(int32_t limit) {
  int32_t next_in = 0, next_out = 0, item;
  CHECK(sf_channel_init_unbounded(&channel, (uint32_t)limit, 4) == 0);
  CHECK(sf_channel_count(&channel) == 0);
  while ((int32_t)sf_channel_count(&channel) < limit) {
    for (int32_t i = 0; i < 5 && (int32_t)sf_channel_count(&channel) < limit; i++, next_in++)
      CHECK(sf_channel_send(&channel, &next_in) == 0);
    for (int32_t i = 0; i < 2 && next_in % 3 == 0; i++, next_out++) {
      CHECK(sf_channel_receive(&channel, &item) == 0);
      CHECK(item == next_out);
    }
  }
  CHECK(sf_channel_try_send(&channel, &next_in) == -SF_EAGAIN);
  CHECK(sf_channel_send_timeout(&channel, &next_in, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  sf_task_t task;
  CHECK(sf_spawn(send_one_task, (void *)next_in, NULL, &task) == 0);
  settle();
  CHECK(sf_task_poll(task, NULL) == -SF_EAGAIN);
  for (; next_out <= next_in; next_out++) {
    CHECK(sf_channel_try_receive(&channel, &item) == 0);
    CHECK(item == next_out);
  }
  CHECK(sf_channel_count(&channel) == 0);
  CHECK_JOIN(task, 0);
  sf_channel_destroy(&channel);
  return 0;
}

/* One item may be larger than what a channel starts with. */
LAW(unbounded_large_items)(int32_t bytes) {
  uint8_t *item = malloc((size_t)bytes);
  sf_task_t task;
  static struct actor actor;
  CHECK(sf_channel_init_unbounded(&channel, 5, (uint32_t)bytes) == 0);
  /* Whoever has the region behind the buffer must not notice. */
  for (int32_t i = 0; i < 5; i++) {
    memset(item, 0x11 * (i + 1), (size_t)bytes);
    CHECK(sf_channel_send(&channel, item) == 0);
    CHECK(sf_spawn(send_one_task, &actor, NULL, &task) == 0);
    CHECK(sf_cancel(task) == 0);
    CHECK(sf_detach(task) == 0);
  }
  CHECK(sf_channel_try_send(&channel, item) == -SF_EAGAIN);
  for (int32_t i = 0; i < 5; i++) {
    CHECK(sf_channel_receive(&channel, item) == 0);
    for (int32_t at = 0; at < bytes; at++) CHECK(item[at] == 0x11 * (i + 1));
  }
  sf_channel_destroy(&channel);
  settle();
  return 0;
}

/* Would use the whole memory up if it were not given back. */
LAW(unbounded_destroy_gives_back)(void) {
  static uint8_t item[1 << 16];
  for (int32_t round = 0; round < 400; round++) {
    CHECK(sf_channel_init_unbounded(&channel, 128, sizeof(item)) == 0);
    for (int32_t i = 0; i < 65; i++) CHECK(sf_channel_send(&channel, item) == 0);
    sf_channel_destroy(&channel);
    sf_channel_destroy(&channel);
  }
  CHECK(sf_channel_send(&channel, item) == -SF_EPIPE);
  CHECK(sf_channel_receive(&channel, item) == -SF_EPIPE);
  CHECK(sf_channel_count(&channel) == 0);
  return 0;
}

static int32_t hold_task(void *unused) {
  (void)unused;
  return sf_park();
}

static int32_t fillers_count;
static sf_task_t fillers[8192];

/* Tasks of every size, from the largest down, until there is no memory left. */
static int32_t use_up_memory(void) {
  for (uint32_t bytes = 8 << 20; bytes >= 1024; bytes /= 2) {
    struct sf_spawn_options options = {.stack_bytes = bytes};
    int32_t error = 0;
    while (error == 0 && fillers_count < 8192) {
      error = sf_spawn(hold_task, NULL, &options, &fillers[fillers_count]);
      if (error == 0) fillers_count++;
    }
    CHECK(error == -SF_ENOMEM);
  }
  return 0;
}

static int32_t free_fillers(void) {
  while (fillers_count > 0) {
    CHECK(sf_cancel(fillers[--fillers_count]) == 0);
    CHECK_JOIN(fillers[fillers_count], -SF_ECANCELED);
  }
  return 0;
}

static int32_t room_task(void *bytes) { return sf_spawn_room(room_task, (uint32_t)bytes); }

LAW(unbounded_without_memory)(void) {
  static struct sf_channel other;
  static uint64_t items[1024];
  int32_t line;
  uint64_t item = 0;
  CHECK(sf_channel_init_unbounded(&channel, 1000, 8) == 0);
  CHECK(sf_channel_init_unbounded(&other, 1000, 8) == 0);
  for (uint64_t i = 0; i < 100; i++) CHECK(sf_channel_send(&channel, &i) == 0);
  if ((line = use_up_memory()) != 0) return line;
  CHECK(sf_channel_send(&other, &item) == -SF_ENOMEM);
  CHECK(sf_channel_try_send(&other, &item) == -SF_ENOMEM);
  CHECK(sf_channel_send_many(&other, items, 3) == -SF_ENOMEM);
  CHECK(sf_channel_try_receive(&other, &item) == -SF_EAGAIN);
  /* What fits goes in, and nothing of what is there is lost. */
  for (uint64_t i = 0; i < 1000; i++) items[i] = 100 + i;
  CHECK(sf_channel_send_many(&channel, items, 1000) == 28);
  CHECK(sf_channel_send(&channel, &item) == -SF_ENOMEM);
  CHECK(sf_channel_receive(&channel, &item) == 0 && item == 0);
  item = 128;
  CHECK(sf_channel_send(&channel, &item) == 0);
  CHECK(sf_channel_send(&channel, &item) == -SF_ENOMEM);
  for (uint64_t i = 1; i <= 128; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == i);
  }
  /* Its memory is room for a task, and whoever waits for that learns of it. */
  CHECK(sf_cancel(fillers[fillers_count - 1]) == 0);
  CHECK_JOIN(fillers[--fillers_count], -SF_ECANCELED);
  sf_task_t task;
  struct sf_spawn_options options = {.stack_bytes = 1024};
  CHECK(sf_spawn(room_task, (void *)1024, &options, &task) == 0);
  settle();
  CHECK(sf_task_poll(task, NULL) == -SF_EAGAIN);
  sf_channel_destroy(&channel);
  CHECK_JOIN(task, 0);
  sf_channel_destroy(&other);
  return free_fillers();
}

/* ── Batches ───────────────────────────────────────────────────────────────────────────────────── */

static int32_t batch_task(void *argument) {
  struct actor *actor = argument;
  int32_t items[8];
  for (int32_t i = 0; i < 8; i++) items[i] = actor->id + i;
  actor->result = actor->timeout == 0
                      ? sf_channel_send_many(&channel, items, 8)
                      : sf_channel_send_many_timeout(&channel, items, 8, actor->timeout);
  actor->amount = sf_checkpoint();
  return actor->result;
}

/* How a batch ends that has sent 3 of 8: 0 closed, 1 closed at once, 2 canceled, 3 timed out. */
LAW(batch_partial)(int32_t capacity, int32_t how) {
  static struct actor batch, other;
  int32_t *buffer = malloc((size_t)capacity * 4 + 1), item;
  CHECK(sf_channel_init(&channel, buffer, (uint32_t)capacity, 4) == 0);
  batch.timeout = how == 3 ? sf_after(SF_SECOND) : 0;
  CHECK(act(&batch, 100, batch_task) == 0);
  CHECK(act(&other, 200, batch_task) == 0);
  settle();
  for (int32_t i = 0; i < 3 - capacity; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 100 + i);
  }
  settle();
  CHECK(sf_task_poll(batch.task, NULL) == -SF_EAGAIN);
  if (how < 2) sf_channel_close(&channel, (uint32_t)how);
  if (how == 2) CHECK(sf_cancel(batch.task) == 0);
  if (how == 3) CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK_JOIN(batch.task, 3);
  /* A request stays pending; a time that was up does not. */
  CHECK(batch.amount == (how == 2 ? -SF_ECANCELED : 0));
  for (int32_t i = 0; how != 1 && i < capacity; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 100 + 3 - capacity + i);
  }
  if (how < 2) {
    CHECK(sf_channel_receive(&channel, &item) == -SF_EPIPE);
    CHECK_JOIN(other.task, -SF_EPIPE);
    return 0;
  }
  /* The next in line goes on. */
  for (int32_t i = 0; i < 8; i++) {
    CHECK(sf_channel_receive(&channel, &item) == 0);
    CHECK(item == 200 + i);
  }
  CHECK_JOIN(other.task, 8);
  return 0;
}

/* None was sent: then the error is returned, and the request is used up. */
LAW(batch_none)(int32_t how) {
  static struct actor batch;
  int32_t buffer[1] = {0}, item;
  CHECK(sf_channel_init(&channel, buffer, 1, 4) == 0);
  CHECK(sf_channel_send(&channel, buffer) == 0);
  batch.timeout = how == 3 ? sf_after(SF_SECOND) : 0;
  CHECK(act(&batch, 100, batch_task) == 0);
  settle();
  if (how < 2) sf_channel_close(&channel, (uint32_t)how);
  if (how == 2) CHECK(sf_cancel(batch.task) == 0);
  if (how == 3) CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK_JOIN(batch.task, how < 2 ? -SF_EPIPE : how == 2 ? -SF_ECANCELED : -SF_ETIMEDOUT);
  CHECK(batch.amount == 0);
  if (how != 1) CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_channel_count(&channel) == 0);
  return 0;
}

LAW(batch_edges)(void) {
  int32_t buffer[4], items[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(sf_channel_init(&channel, buffer, 4, 4) == 0);
  CHECK(sf_channel_send_many(&channel, items, 0) == 0);
  CHECK(sf_channel_send_many(&channel, NULL, 0) == 0);
  CHECK(sf_channel_receive_many(&channel, NULL, 0) == 0);
  CHECK(sf_channel_send_many(&channel, items, 0x40000001u) == -SF_EINVAL);
  CHECK(sf_channel_send_many(&channel, items, UINT32_MAX) == -SF_EINVAL);
  CHECK(sf_channel_receive_many(&channel, items, 0x40000001u) == -SF_EINVAL);
  CHECK(sf_channel_count(&channel) == 0);
  CHECK(sf_channel_send_many(&channel, items, 4) == 4);
  /* What fits is sent before the request counts, and then it stays. */
  int32_t item;
  CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_channel_send_many(&channel, items, 2) == 1);
  CHECK(sf_channel_send_many(&channel, items, 2) == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  CHECK(sf_channel_send_many_timeout(&channel, items, 2, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_channel_receive(&channel, &item) == 0);
  CHECK(sf_channel_send_many_timeout(&channel, items, 2, sf_after(0)) == 1);
  CHECK(sf_checkpoint() == 0);
  CHECK(sf_channel_receive_many(&channel, items, 8) == 4);
  CHECK(sf_channel_receive_many_timeout(&channel, items, 8, sf_after(0)) == -SF_ETIMEDOUT);
  sf_channel_close(&channel, 0);
  CHECK(sf_channel_send_many(&channel, items, 0) == 0);
  CHECK(sf_channel_send_many(&channel, items, 1) == -SF_EPIPE);
  CHECK(sf_channel_receive_many(&channel, items, 1) == -SF_EPIPE);
  return 0;
}

/* ── Selected ──────────────────────────────────────────────────────────────────────────────────── */

static struct sf_channel left, right;

/* Sends to the left or receives from the right, whichever comes first. */
static int32_t select_task(void *argument) {
  struct actor *actor = argument;
  int32_t out = actor->id, in = 0;
  struct sf_arm arms[] = {sf_on_send(&left, &out), sf_on_receive(&right, &in)};
  int32_t which = sf_select(arms, 2);
  if (which < 0) return which;
  actor->result = arms[which].waiter.result;
  actor->amount = in;
  return which;
}

/* Arms stand in line with plain calls, the winner alone has an effect, in either direction. */
LAW(select_channels)(int32_t capacity) {
  static struct actor actors[6];
  int32_t buffers[2][2], item;
  CHECK(sf_channel_init(&left, buffers[0], (uint32_t)capacity, 4) == 0);
  CHECK(sf_channel_init(&right, buffers[1], (uint32_t)capacity, 4) == 0);
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_send(&left, &(int32_t){50 + i}) == 0);
  for (int32_t i = 0; i < 6; i++) CHECK(act(&actors[i], i, select_task) == 0);
  settle();
  CHECK(sf_channel_try_send(&right, &(int32_t){100}) == 0); /* Received by 0. */
  CHECK(sf_cancel(actors[1].task) == 0);
  for (int32_t i = 0; i < capacity; i++) {
    CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 50 + i);
  }
  for (int32_t i = 0; i < capacity; i++) {
    CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 2 + i); /* Sent by 2 and so on. */
  }
  if (capacity == 0) CHECK(sf_channel_try_receive(&left, &item) == 0 && item == 2);
  CHECK_JOIN(actors[0].task, 1);
  CHECK(actors[0].result == 0 && actors[0].amount == 100);
  CHECK_JOIN(actors[1].task, -SF_ECANCELED);
  settle();
  /* Served so far: those up to `next`. Some stand in the buffer of the left channel. */
  int32_t next = 3;
  while (next < 6 && sf_task_poll(actors[next].task, NULL) == 0) next++;
  CHECK(capacity == 0 ? next == 3 : next == 2 + 2 * capacity);
  for (; next < 5; next++) {
    CHECK(sf_channel_try_send(&right, &(int32_t){200 + next}) == 0);
    settle();
    int32_t which;
    CHECK(sf_task_poll(actors[next].task, &which) == 0 && which == 1);
    CHECK(actors[next].amount == 200 + next);
  }
  /* Two selects meet. */
  if (next == 5) {
    struct sf_arm arms[] = {sf_on_send(&right, &(int32_t){7}), sf_on_receive(&left, &item)};
    CHECK(sf_select_try(arms, 2) == 0);
    settle();
    CHECK(sf_task_poll(actors[5].task, NULL) == 0 && actors[5].amount == 7);
  }
  for (int32_t i = 2; i < 6; i++) CHECK(sf_join(actors[i].task, NULL) == 0);
  /* Closed: an arm is ready with EPIPE, at once and while it waits. */
  struct sf_arm arms[] = {sf_on_receive(&right, &item)};
  CHECK(sf_select_try(arms, 1) == -SF_EAGAIN);
  while (sf_channel_try_receive(&left, &item) == 0) {
  }
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_send(&left, &i) == 0);
  for (int32_t i = 0; i < 2; i++) CHECK(act(&actors[i], i, select_task) == 0);
  settle();
  sf_channel_close(&left, 0);
  for (int32_t i = 0; i < 2; i++) {
    CHECK_JOIN(actors[i].task, 0);
    CHECK(actors[i].result == -SF_EPIPE);
  }
  sf_channel_close(&right, 0);
  CHECK(sf_select(arms, 1) == 0 && arms[0].waiter.result == -SF_EPIPE);
  for (int32_t i = 0; i < capacity; i++) CHECK(sf_channel_receive(&left, &item) == 0 && item == i);
  return 0;
}

/* ── On the stack of a task that fails ─────────────────────────────────────────────────────────── */

static struct sf_channel *shared_channel;

static int32_t failing_owner_task(void *unused) {
  (void)unused;
  struct sf_channel own;
  sf_channel_init(&own, NULL, 0, 4);
  shared_channel = &own;
  sf_yield();
  sf_yield();
  __builtin_trap();
}

static int32_t orphan_task(void *argument) {
  struct actor *actor = argument;
  int32_t item = 0;
  return sf_channel_receive(shared_channel, &item);
}

LAW(channel_of_a_failed_task)(void) {
  static struct actor actors[3];
  sf_task_t owner;
  CHECK(sf_spawn(failing_owner_task, NULL, NULL, &owner) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(act(&actors[i], i, orphan_task) == 0);
  CHECK(sf_join(owner, NULL) == -SF_ENOTRECOVERABLE);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(actors[i].task, -SF_EOWNERDEAD);
  return 0;
}

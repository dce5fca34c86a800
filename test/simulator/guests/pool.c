/* pool.c - requests over a pool of connections, with attempts, retries and a deadline for each.
 *
 * A request may be asked again: its number makes it the same one, and a server does it once. Whatever
 * fails or is late costs the connection that it was sent on, because a reply may still come there.
 */
#include "frames.h"
#include "server.h"

enum kind {
  EXECUTED = 1, /* request */
  BEGUN = 2,    /* request */
  ENDED = 3,    /* request, result, milliseconds, attempts, microseconds over its deadline */
  BROKEN = 4,   /* request, enum broken, detail */
  DRAINED = 5,  /* connections opened, closed, permits free, permits of the pool */
};

enum broken { WRONG_ANSWER = 1, WRONG_REQUEST = 2 };

#define PAYLOAD_BYTES_MAX 4000

struct request {
  uint32_t number;
  uint32_t bytes; /* of payload, which follows */
};

struct reply {
  uint32_t number;
  uint32_t answer;
};

static uint32_t answer_of(uint32_t number, const void *payload, uint32_t bytes) {
  return checksum(checksum(CHECKSUM_START, &number, sizeof(number)), payload, bytes);
}

/* ── Server ────────────────────────────────────────────────────────────────────────────────────── */

#define REQUESTS_MAX 1024

static struct {
  struct random random;
  uint32_t slow_ms_max;
  uint32_t rude_permille; /* closes instead of answering */
  struct sf_semaphore workers;
  struct sf_once done[REQUESTS_MAX];
  uint32_t answers[REQUESTS_MAX];
} server;

/* Does the request unless it has been done. Others that ask for it meanwhile wait for this one. */
static int32_t execute(const struct request *request, const void *payload, uint32_t *answer_out) {
  if (request->number >= REQUESTS_MAX) return -SF_ERANGE;
  struct sf_once *once = &server.done[request->number];
  int32_t mine = sf_once_begin(once);
  if (mine < 0) return mine;
  if (mine == 1) {
    int32_t error = sf_semaphore_acquire(&server.workers, 1);
    if (error == 0) {
      error = sf_sleep(random_ms(&server.random, server.slow_ms_max));
      sf_semaphore_release(&server.workers, 1);
    }
    if (error < 0) {
      sf_once_end(once, 0);
      return error;
    }
    server.answers[request->number] = answer_of(request->number, payload, request->bytes);
    report(EXECUTED, request->number, 0, 0, 0, 0);
    sf_once_end(once, 1);
  }
  *answer_out = server.answers[request->number];
  return 0;
}

static int32_t serve_requests(struct connection *connection) {
  uint8_t payload[PAYLOAD_BYTES_MAX];
  struct request request;
  int32_t result;
  while ((result = frame_read_timeout(connection->handle, &request, sizeof(request),
                                      sf_after(30 * SF_SECOND))) == 1) {
    if (request.bytes > sizeof(payload)) return -SF_EMSGSIZE;
    if (request.bytes > 0) {
      result = frame_read(connection->handle, payload, request.bytes);
      if (result != 1) return result;
    }
    if (random_chance(&server.random, server.rude_permille)) return 0;
    struct reply reply = {.number = request.number};
    result = execute(&request, payload, &reply.answer);
    if (result < 0) return result;
    result = sf_write_all(connection->handle, &reply, sizeof(reply));
    if (result < 0) return result;
  }
  return result;
}

int32_t EXPORT(serve)(uint32_t port, uint32_t seed, uint32_t slow_ms_max, uint32_t rude_permille) {
  server.random.state = seed;
  server.slow_ms_max = slow_ms_max;
  server.rude_permille = rude_permille;
  sf_semaphore_init(&server.workers, 8);
  return server_run(port, serve_requests);
}

/* ── Pool ──────────────────────────────────────────────────────────────────────────────────────── */

#define CONNECTIONS_MAX 16

struct pool {
  struct sf_address server;
  uint32_t connections_max;
  uint32_t opened, closed;
  struct sf_semaphore permits; /* one for each connection that may be in use */
  struct sf_channel idle;      /* of sf_handle_t */
  sf_handle_t idle_buffer[CONNECTIONS_MAX];
};

static void pool_init(struct pool *pool, struct sf_address address, uint32_t connections_max) {
  *pool = (struct pool){.server = address, .connections_max = connections_max};
  sf_semaphore_init(&pool->permits, connections_max);
  sf_channel_init(&pool->idle, pool->idle_buffer, CONNECTIONS_MAX, sizeof(sf_handle_t));
}

/* Returns a connection: an idle one, or a new one. */
SF_PARKS static sf_handle_t pool_take(struct pool *pool) {
  int32_t error = sf_semaphore_acquire(&pool->permits, 1);
  if (error < 0) return error;
  sf_handle_t handle;
  if (sf_channel_try_receive(&pool->idle, &handle) == 0) return handle;
  handle = sf_tcp_connect(&pool->server);
  if (handle < 0) sf_semaphore_release(&pool->permits, 1);
  else pool->opened++;
  return handle;
}

/* `usable` 0: a reply may still come on it, or it is broken. */
SF_PARKS static void pool_give(struct pool *pool, sf_handle_t handle, bool usable) {
  if (!usable || sf_channel_try_send(&pool->idle, &handle) < 0) {
    sf_close(handle);
    pool->closed++;
  }
  sf_semaphore_release(&pool->permits, 1);
}

SF_PARKS static void pool_drain(struct pool *pool) {
  sf_handle_t handle;
  while (sf_channel_try_receive(&pool->idle, &handle) == 0) {
    sf_close(handle);
    pool->closed++;
  }
}

/* ── Requests ──────────────────────────────────────────────────────────────────────────────────── */

#define POOLS_MAX 4

static struct {
  struct pool pools[POOLS_MAX];
  uint32_t pools_count;
  uint32_t deadline_ms;
  uint32_t attempt_ms;
  uint32_t hedge_ms; /* 0: no second attempt beside the first */
  struct sf_channel numbers; /* of uint32_t: what is to be asked */
} client;

struct call {
  uint32_t number;
  uint32_t bytes;
  uint32_t attempts;
  struct random random;
  uint8_t payload[PAYLOAD_BYTES_MAX];
};

SF_PARKS static int32_t ask(sf_handle_t handle, const struct call *call) {
  struct request request = {.number = call->number, .bytes = call->bytes};
  struct reply reply;
  int32_t result = sf_write_all(handle, &request, sizeof(request));
  if (result == 0 && call->bytes > 0) result = sf_write_all(handle, call->payload, call->bytes);
  if (result < 0) return result;
  result = frame_read(handle, &reply, sizeof(reply));
  if (result <= 0) return result < 0 ? result : -SF_ECONNRESET;
  if (reply.number != call->number)
    report(BROKEN, call->number, WRONG_REQUEST, reply.number, 0, 0);
  else if (reply.answer != answer_of(call->number, call->payload, call->bytes))
    report(BROKEN, call->number, WRONG_ANSWER, reply.answer, 0, 0);
  return 0;
}

/* One attempt, with one server, in its own time. */
SF_PARKS static int32_t attempt(struct call *call) {
  struct pool *pool =
      &client.pools[random_below(&call->random, client.pools_count)];
  call->attempts++;
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_after(client.attempt_ms * SF_MILLISECOND));
  int32_t result = pool_take(pool);
  if (result >= 0) {
    sf_handle_t handle = result;
    result = ask(handle, call);
    pool_give(pool, handle, result == 0);
  }
  return sf_timeout_end(&scope, result);
}

static int32_t attempt_run(void *call) { return attempt(call); }

/* A second attempt beside the first one once that has taken a while; the first success counts, and
 * the other is canceled. */
SF_PARKS static int32_t attempt_hedged(struct call *call) {
  sf_task_t tasks[2] = {0, 0};
  int32_t results[2] = {-SF_EAGAIN, -SF_EAGAIN};
  const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "attempt"};
  int32_t error = sf_spawn(attempt_run, call, &options, &tasks[0]);
  if (error < 0) return error;
  struct sf_arm arms[] = {sf_on_task(tasks[0], &results[0]),
                          sf_on_timeout(sf_after(client.hedge_ms * SF_MILLISECOND))};
  int32_t which = sf_select(arms, 2);
  if (which == 1) {
    error = sf_spawn(attempt_run, call, &options, &tasks[1]);
    struct sf_arm both[] = {sf_on_task(tasks[0], &results[0]), sf_on_task(tasks[1], &results[1])};
    which = error < 0 ? sf_select(both, 1) : sf_select(both, 2);
    if (which >= 0 && results[which] < 0 && error == 0) {
      /* One has failed: the other may still succeed. */
      int32_t other = 1 - which;
      which = sf_task_wait(tasks[other], &results[other]);
      if (which == 0) which = other;
    }
  }
  int32_t result = which < 0 ? which : results[which];
  for (uint32_t i = 0; i < 2; i++) {
    int32_t ended;
    if (tasks[i] == 0 || sf_cancel_wait(tasks[i], &ended) < 0) continue;
    if (ended == 0 && result < 0 && result != -SF_ECANCELED) result = 0;
  }
  return result;
}

/* Attempts, with growing pauses between them, until one succeeds. */
SF_PARKS static int32_t call_until_done(struct call *call) {
  uint32_t pause_ms = 10;
  for (;;) {
    int32_t result = client.hedge_ms == 0 ? attempt(call) : attempt_hedged(call);
    if (result == 0 || result == -SF_ECANCELED) return result;
    int32_t error = sf_sleep(random_ms(&call->random, pause_ms));
    if (error < 0) return error;
    pause_ms = pause_ms < 500 ? 2 * pause_ms : 1000;
  }
}

SF_PARKS static int32_t call_run(struct call *call) {
  report(BEGUN, call->number, 0, 0, 0, 0);
  uint64_t start_ns = sf_monotonic_ns();
  uint64_t deadline_ns = start_ns + client.deadline_ms * SF_MILLISECOND;
  struct sf_timeout scope;
  sf_timeout_begin(&scope, sf_at(deadline_ns));
  int32_t result = sf_timeout_end(&scope, call_until_done(call));
  uint64_t end_ns = sf_monotonic_ns();
  uint64_t late_ns = end_ns > deadline_ns ? end_ns - deadline_ns : 0;
  report(ENDED, call->number, (uint32_t)result, (uint32_t)((end_ns - start_ns) / SF_MILLISECOND),
         call->attempts, (uint32_t)(late_ns / SF_MICROSECOND));
  return result;
}

static int32_t worker(void *argument) {
  struct call *call = argument;
  uint32_t place = victim_begin();
  int32_t result;
  while ((result = sf_channel_receive(&client.numbers, &call->number)) == 0) {
    call->attempts = 0;
    call->bytes = random_below(&call->random, PAYLOAD_BYTES_MAX + 1);
    pattern_fill(call->payload, call->bytes, call->number, 7);
    if (call_run(call) == -SF_ECANCELED) break;
  }
  victim_end(place);
  free(call);
  return 0;
}

void EXPORT(use_server)(uint32_t ipv4, uint32_t port, uint32_t connections_max) {
  pool_init(&client.pools[client.pools_count++], endpoint(ipv4, port), connections_max);
}

/* Asks `count` requests, from number `first` on, with `workers` at once. */
int32_t EXPORT(run_requests)(uint32_t first, uint32_t count, uint32_t workers, uint32_t seed,
                             uint32_t deadline_ms, uint32_t attempt_ms, uint32_t hedge_ms) {
  struct random random = {.state = seed};
  uint32_t number;
  client.deadline_ms = deadline_ms;
  client.attempt_ms = attempt_ms;
  client.hedge_ms = hedge_ms;
  sf_channel_init(&client.numbers, &number, 1, sizeof(number));
  struct sf_group group;
  sf_group_init(&group, 0, 0);
  for (uint32_t i = 0; i < workers; i++) {
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL) break;
    call->random.state = ((uint64_t)seed << 32) | random_next(&random);
    const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "worker"};
    if (sf_group_spawn(&group, worker, call, &options, NULL) < 0) free(call);
  }
  for (uint32_t i = 0; i < count; i++) {
    uint32_t next = first + i;
    struct sf_arm arms[] = {sf_on_send(&client.numbers, &next), sf_on_group(&group)};
    if (sf_select(arms, 2) != 0) break; /* Nobody is left who would ask. */
  }
  sf_channel_close(&client.numbers, 0);
  int32_t result = sf_group_wait(&group);
  for (uint32_t i = 0; i < client.pools_count; i++) {
    struct pool *pool = &client.pools[i];
    pool_drain(pool);
    report(DRAINED, pool->opened, pool->closed, sf_semaphore_permits(&pool->permits),
           pool->connections_max, 0);
  }
  return result;
}

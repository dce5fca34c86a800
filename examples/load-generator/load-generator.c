/* load-generator.c - measures an echo server, and checks every byte that it sends back.
 *
 * Shows:
 *   - a thousand connections as a thousand tasks of plain code: connect, write, read, close;
 *   - channels as a barrier: tasks report that they are open through one, and the close of another
 *     lets all of them begin at once;
 *   - errors with their names, joined tasks, and a progress task that a cancel ends.
 *
 * Every connection has a byte sequence of its own (byte-sequence.h), so streams that are crossed,
 * repeated or cut short are noticed. Time runs from the moment when all connections are open.
 * Output is JSON lines: {"type":"progress"…} about every second, {"type":"open"…} once all are open,
 * {"type":"result"…} at the end. Exit code: 0; 1 when anything differed or failed; 2 for arguments.
 */
#include <stackful.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"
#include "connection.h"

#define PROBLEMS_PRINTED 10
#define PROGRESS_STACK_BYTES (64 * 1024) /* it calls printf */
#define ARRIVED_CAPACITY 64
/* A task that writes its whole window before it reads must not need the server to have read back:
 * this is well below what the sockets in between hold. */
#define WINDOW_BYTES_MAX 65536

/* What the tasks use. Static: tasks that are canceled on an early return of main still use it. */
static struct load load;

SF_PARKS static int32_t print_progress(void *argument) {
  const uint64_t start_ns = *(const uint64_t *)argument;
  for (uint64_t second = 1;; second++) {
    if (sf_sleep_until(start_ns + second * SF_SECOND) < 0) return 0;
    printf("{\"type\":\"progress\",\"elapsedNs\":%" PRIu64 ",\"connectionsOpen\":%" PRIu32
           ",\"messages\":%" PRIu64 "}\n",
           sf_monotonic_ns() - start_ns, load.open, load.messages);
    fflush(stdout);
  }
}

static void print_problem(const struct connection *connection) {
  static const char *const what[] = {
    [PROBLEM_NONE] = "no problem",
    [PROBLEM_MEMORY] = "allocating its buffers",
    [PROBLEM_CONNECT] = "connecting",
    [PROBLEM_START] = "starting",
    [PROBLEM_WRITE] = "writing",
    [PROBLEM_READ] = "reading",
    [PROBLEM_DIFFERS] = "the bytes differ",
    [PROBLEM_END] = "the server closed the connection before it had sent everything back",
    [PROBLEM_SURPLUS] = "the server sent more than it was given",
    [PROBLEM_SHUTDOWN] = "shutting down",
  };
  fprintf(stderr, "connection %" PRIu32 ": %s", connection->number, what[connection->problem]);
  if (connection->error < 0) {
    fprintf(stderr, ": %s (%s)", error_text(connection->error), error_name(connection->error));
  }
  if (connection->problem == PROBLEM_DIFFERS) {
    fprintf(stderr, ": 0x%02x instead of 0x%02x", connection->actual, connection->expected);
  }
  if (connection->problem >= PROBLEM_WRITE) { /* The ones before come before any byte. */
    fprintf(stderr, " at byte %" PRIu64, connection->received_bytes);
  }
  fprintf(stderr, "\n");
}

/* Starts all connections. Returns how many of them have a task. */
static uint32_t start_connections(struct connection *connections, uint32_t count) {
  for (uint32_t number = 0; number < count; number++) {
    if (connection_start(&connections[number], &load, number) < 0) return number;
  }
  return count;
}

/* Waits until all are open or have failed. Returns 0, or -SF_ECANCELED. */
SF_PARKS static int32_t await_arrivals(uint32_t count) {
  for (uint32_t arrived = 0; arrived < count; arrived++) {
    uint32_t number;
    int32_t result = sf_channel_receive(&load.arrived, &number);
    if (result < 0) return result;
  }
  return 0;
}

/* Joins the tasks, prints the first problems and returns how many there are. `started` of `count`
 * connections have a task; the one after them failed to get one, and those after it never tried. */
SF_PARKS static uint32_t await_results(struct connection *connections, uint32_t started,
                                       uint32_t count) {
  uint32_t problems = 0;
  for (uint32_t i = 0; i < count && i <= started; i++) {
    struct connection *connection = &connections[i];
    int32_t result;
    int32_t error = i < started ? sf_join(connection->task, &result) : 0;
    if (error < 0) connection_problem(connection, PROBLEM_START, error);
    free(connection->buffer);
    free(connection->sent_at_ns);
    if (connection->problem == PROBLEM_NONE) continue;
    if (problems++ < PROBLEMS_PRINTED) print_problem(connection);
  }
  if (problems > PROBLEMS_PRINTED) {
    fprintf(stderr, "and %" PRIu32 " connections more\n", problems - PROBLEMS_PRINTED);
  }
  return problems;
}

static void print_result(uint32_t connections, uint32_t errors, uint64_t elapsed_ns) {
  const struct histogram *latency = &load.latency_ns;
  double seconds = (double)elapsed_ns / 1e9;
  printf("{\"type\":\"result\",\"connections\":%" PRIu32 ",\"messages\":%" PRIu64
         ",\"bytes\":%" PRIu64 ",\"verified\":%s,\"errors\":%" PRIu32 ",\"elapsedNs\":%" PRIu64
         ",\"messagesPerSecond\":%.0f,\"p50Ns\":%" PRIu64 ",\"p90Ns\":%" PRIu64
         ",\"p99Ns\":%" PRIu64 ",\"maxNs\":%" PRIu64 "}\n",
         connections, load.messages, load.messages * load.message_bytes,
         errors == 0 ? "true" : "false", errors, elapsed_ns,
         elapsed_ns == 0 ? 0 : (double)load.messages / seconds, histogram_percentile(latency, 50),
         histogram_percentile(latency, 90), histogram_percentile(latency, 99), latency->max);
}

/* Returns the number of connections that failed. */
SF_PARKS static uint32_t run_load(uint32_t count, uint64_t duration_ns) {
  static uint32_t arrived_buffer[ARRIVED_CAPACITY];
  static uint64_t start_ns;
  sf_task_t progress = 0;

  struct connection *connections = calloc(count, sizeof(*connections));
  if (connections == NULL) {
    fprintf(stderr, "%" PRIu32 " connections: %s\n", count, error_text(-SF_ENOMEM));
    return count;
  }
  sf_channel_init(&load.arrived, arrived_buffer, ARRIVED_CAPACITY, sizeof(uint32_t));
  sf_channel_init(&load.start, NULL, 0, sizeof(uint8_t));
  start_ns = sf_monotonic_ns();
  const struct sf_spawn_options options = { .stack_bytes = PROGRESS_STACK_BYTES,
                                            .name = "progress" };
  sf_spawn(print_progress, &start_ns, &options, &progress);

  uint32_t started = start_connections(connections, count);
  int32_t error = await_arrivals(started);
  uint64_t opened_ns = sf_monotonic_ns();
  if (error == 0) {
    printf("{\"type\":\"open\",\"connectionsOpen\":%" PRIu32 ",\"elapsedNs\":%" PRIu64 "}\n",
           load.open, opened_ns - start_ns);
    fflush(stdout);
  }
  /* Once one has failed, or the load was canceled, the others have nothing to prove. */
  bool go = error == 0 && load.open == count;
  load.deadline_ns = !go ? 0 : duration_ns == 0 ? UINT64_MAX : opened_ns + duration_ns;
  sf_channel_close(&load.start, 0);
  sf_channel_close(&load.arrived, 1);

  uint32_t errors = await_results(connections, started, count);
  uint64_t elapsed_ns = sf_monotonic_ns() - opened_ns;
  if (progress != 0) {
    sf_cancel(progress);
    sf_join(progress, NULL);
  }
  if (error < 0) {
    fprintf(stderr, "waiting for the connections: %s (%s)\n", error_text(error),
            error_name(error));
    errors++;
  }
  print_result(count, errors, elapsed_ns);
  free(connections);
  return errors;
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1";
  uint64_t port = 0;
  uint64_t connections = 1000;
  uint64_t messages = 0;
  uint64_t seconds = 0;
  load.message_bytes = 64;
  load.in_flight = 1;
  const struct argument arguments[] = {
    { .name = "--host", .text = &host },
    { .name = "--port", .number = &port, .number_min = 1, .number_max = 65535 },
    { .name = "--connections", .number = &connections, .number_min = 1, .number_max = 1 << 20 },
    { .name = "--messages", .number = &messages, .number_min = 1, .number_max = UINT32_MAX },
    { .name = "--seconds", .number = &seconds, .number_min = 1, .number_max = 86400 },
    { .name = "--bytes", .number = &load.message_bytes, .number_min = 1,
      .number_max = WINDOW_BYTES_MAX },
    { .name = "--in-flight", .number = &load.in_flight, .number_min = 1,
      .number_max = WINDOW_BYTES_MAX },
  };
  if (!parse_arguments(argc, argv, arguments, sizeof(arguments) / sizeof(*arguments))) return 2;
  if (port == 0) {
    fprintf(stderr, "--port is missing: where does the server listen?\n");
    return 2;
  }
  if (messages != 0 && seconds != 0) {
    fprintf(stderr, "--messages and --seconds: give one of them\n");
    return 2;
  }
  if (load.message_bytes * load.in_flight > WINDOW_BYTES_MAX) {
    fprintf(stderr, "--bytes times --in-flight must be at most %d\n", WINDOW_BYTES_MAX);
    return 2;
  }
  if (messages == 0 && seconds == 0) messages = 100;
  load.messages_each = seconds == 0 ? messages : UINT64_MAX;
  int32_t error =
      sf_address_parse(host, (uint32_t)strlen(host), (uint32_t)port, &load.address);
  if (error < 0) {
    fprintf(stderr, "--host %s: %s (%s)\n", host, error_text(error), error_name(error));
    return 2;
  }
  return run_load((uint32_t)connections, seconds * SF_SECOND) == 0 ? 0 : 1;
}

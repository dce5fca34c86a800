/* packed.c - what a program does that has installed the package: tasks, a channel, timers, a host
 * import that waits, TCP, and a main that prints. */
#include <stdio.h>
#include "law.h"

__attribute__((import_module("env"), import_name("square"))) int32_t host_square(int32_t value);

static struct sf_channel squares;

static int32_t square_task(void *argument) {
  int32_t value = (int32_t)argument;
  if (sf_sleep((value % 3) * SF_MILLISECOND) < 0) return -1;
  int32_t square = host_square(value);
  return sf_channel_send(&squares, &square);
}

/* The sum of the squares below `count`, each worked out by a task of its own. */
int32_t EXPORT(sum_of_squares)(int32_t count) {
  static int32_t buffer[4];
  sf_channel_init(&squares, buffer, 4, sizeof buffer[0]);
  for (int32_t value = 0; value < count; value++)
    if (sf_spawn(square_task, (void *)value, NULL, NULL) < 0) return -1;
  int32_t sum = 0, square;
  for (int32_t value = 0; value < count; value++) {
    if (sf_channel_receive(&squares, &square) < 0) return -2;
    sum += square;
  }
  return sum;
}

static int32_t trap_task(void *unused) {
  (void)unused;
  __builtin_trap();
}

/* A task that nobody waits for fails. */
int32_t EXPORT(lose_a_task)(void) {
  sf_task_t task;
  if (sf_spawn(trap_task, NULL, &(struct sf_spawn_options){.name = "lost"}, &task) < 0) return -1;
  return sf_yield();
}

static int32_t echo_task(void *argument) {
  sf_handle_t connection = sf_tcp_accept((sf_handle_t)argument, NULL);
  char buffer[16];
  int32_t count;
  while ((count = sf_read(connection, buffer, sizeof buffer)) > 0)
    if (sf_write_all(connection, buffer, (uint32_t)count) < 0) break;
  return sf_close(connection);
}

/* The bytes that came back over TCP, or what went wrong. */
int32_t EXPORT(echo)(void) {
  static const char text[] = "there and back again, more than one buffer";
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 0, &address);
  sf_handle_t listener = sf_tcp_listen(&address, 1);
  if (listener < 0) return listener;
  if (sf_local_address(listener, &address) < 0) return -1;
  if (sf_spawn(echo_task, (void *)listener, NULL, NULL) < 0) return -2;
  sf_handle_t connection = sf_tcp_connect(&address);
  if (connection < 0) return connection;
  if (sf_write_all(connection, text, sizeof text) < 0) return -3;
  if (sf_shutdown(connection, SF_SHUTDOWN_WRITE) < 0) return -4;
  char buffer[2 * sizeof text];
  int32_t count = sf_read_full(connection, buffer, sizeof buffer);
  if (count == sizeof text && memcmp(buffer, text, sizeof text) != 0) return -5;
  sf_close(connection);
  sf_close(listener);
  return count;
}

int main(int count, char **arguments) {
  printf("%s says %d\n", arguments[0], count);
  return sum_of_squares(4) == 14 ? 0 : 1;
}

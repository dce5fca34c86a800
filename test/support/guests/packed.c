/* packed.c - what a program does that has installed the package: tasks, a channel, timers, a host
 * import that waits, and a main that prints. */
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

/* What a host without sockets answers. */
int32_t EXPORT(listen)(void) {
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 0, &address);
  return sf_tcp_listen(&address, 1);
}

int main(int count, char **arguments) {
  printf("%s says %d\n", arguments[0], count);
  return sum_of_squares(4) == 14 ? 0 : 1;
}

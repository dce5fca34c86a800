/* deadlock.c - a program that stops for good, and what stackful says then.
 *
 *   philosopher 0 ──▶ fork 0, fork 1
 *   philosopher 1 ──▶ fork 1, fork 2      each holds its first fork and waits for its second
 *   philosopher 2 ──▶ fork 2, fork 0
 *
 *   waiter ──▶ receives orders from a channel that nobody sends to
 *   main   ──▶ joins the first philosopher
 *
 * Nothing can wake any of them: `stackful run` ends with an error that names every task, what it waits
 * for and where.
 */
#include <inttypes.h>
#include <stackful.h>
#include <stdio.h>

#define PHILOSOPHERS 3u

static struct sf_mutex forks[PHILOSOPHERS];
static struct sf_channel orders;

static int32_t take(struct sf_mutex *fork) { return sf_mutex_lock(fork); }

static int32_t dine(uint32_t seat) {
  struct sf_mutex *left = &forks[seat];
  struct sf_mutex *right = &forks[(seat + 1) % PHILOSOPHERS];
  int32_t error = take(left);
  if (error < 0) return error;
  sf_yield(); /* thinks, and the others take theirs */
  error = take(right);
  if (error == 0) sf_mutex_unlock(right);
  sf_mutex_unlock(left);
  return error;
}

static int32_t philosopher(void *seat) { return dine((uint32_t)(uintptr_t)seat); }

static int32_t next_order(uint32_t *order_out) { return sf_channel_receive(&orders, order_out); }

static int32_t wait_tables(void *unused) {
  (void)unused;
  uint32_t order;
  int32_t error;
  while ((error = next_order(&order)) == 0) printf("order %" PRIu32 "\n", order);
  return error;
}

int main(void) {
  sf_task_t first = 0;
  if (sf_channel_init(&orders, NULL, 0, sizeof(uint32_t)) < 0) return 1;
  for (uint32_t seat = 0; seat < PHILOSOPHERS; seat++) {
    char name[32];
    snprintf(name, sizeof(name), "philosopher %" PRIu32, seat);
    const struct sf_spawn_options options = { .name = name };
    sf_task_t *task_out = seat == 0 ? &first : NULL;
    if (sf_spawn(philosopher, (void *)(uintptr_t)seat, &options, task_out) < 0) return 1;
  }
  const struct sf_spawn_options options = { .name = "waiter" };
  if (sf_spawn(wait_tables, NULL, &options, NULL) < 0) return 1;
  return sf_join(first, NULL) < 0;
}

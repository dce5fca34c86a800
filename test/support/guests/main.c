/* main.c - programs: what main does follows from its arguments. */
#include <stdio.h>
#include "law.h"

static int32_t exit_task(void *code) {
  sf_yield();
  exit((int)code);
}

static int32_t exit_when_canceled_task(void *code) {
  if (sf_park() < 0) exit((int)code);
  return 0;
}

static int32_t trap_when_canceled_task(void *unused) {
  (void)unused;
  if (sf_park() < 0) __builtin_trap();
  return 0;
}

static int32_t clean_up_task(void *argument) {
  if (sf_sleep(1000 * SF_SECOND) != -SF_ECANCELED) return 1;
  sf_sleep(SF_MILLISECOND);
  ++*(int32_t *)argument;
  return 0;
}

static int32_t cleaned_up_count;
int32_t EXPORT(cleaned_up)(void) { return cleaned_up_count; }

static int32_t wait_task(void *kind) {
  static struct sf_channel channel;
  int32_t item;
  if (kind == NULL) return sf_park();
  sf_channel_init(&channel, NULL, 0, 4);
  return sf_channel_receive(&channel, &item);
}

static int32_t sleep_task(void *unused) {
  (void)unused;
  return sf_sleep(1000 * SF_SECOND);
}

/* The host's channels. */
static struct sf_channel *from, *to;
void EXPORT(set_channels)(struct sf_channel *of_host, struct sf_channel *to_host) {
  from = of_host;
  to = to_host;
}
static int32_t echo(void) {
  int32_t item;
  sf_spawn(sleep_task, NULL, NULL, NULL);
  while (sf_channel_receive(from, &item) == 0)
    if (sf_channel_send(to, &item) < 0) return 1;
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "echo") == 0) return echo();
  if (strcmp(what, "return") == 0) return atoi(argv[2]);
  if (strcmp(what, "exit") == 0) exit(atoi(argv[2]));
  if (strcmp(what, "trap") == 0) __builtin_trap();
  if (strcmp(what, "print") == 0) {
    printf("first line\n");
    sf_sleep(SF_MILLISECOND);
    printf("%s", argv[2]);
    return 0;
  }
  if (strcmp(what, "exit-from-task") == 0) {
    sf_spawn(exit_task, (void *)atoi(argv[2]), NULL, NULL);
    return sf_park();
  }
  if (strcmp(what, "exit-twice") == 0) {
    for (int32_t i = 0; i < 3; i++) sf_spawn(exit_when_canceled_task, (void *)(20 + i), NULL, NULL);
    sf_yield();
    exit(atoi(argv[2]));
  }
  if (strcmp(what, "exit-then-trap") == 0) {
    for (int32_t i = 0; i < 3; i++) sf_spawn(trap_when_canceled_task, NULL, NULL, NULL);
    sf_yield();
    exit(atoi(argv[2]));
  }
  if (strcmp(what, "leave-tasks") == 0) {
    for (int32_t i = 0; i < 10; i++) sf_spawn(clean_up_task, &cleaned_up_count, NULL, NULL);
    sf_yield();
    return 4;
  }
  if (strcmp(what, "deadlock") == 0) {
    sf_spawn(wait_task, (void *)0, &(struct sf_spawn_options){.name = "waits for unpark"}, NULL);
    sf_spawn(wait_task, (void *)1, &(struct sf_spawn_options){.name = "waits for an item"}, NULL);
    sf_task_t task;
    sf_spawn(wait_task, (void *)0, &(struct sf_spawn_options){.name = "is joined"}, &task);
    return sf_join(task, NULL);
  }
  if (strcmp(what, "sleep") == 0) return sf_sleep(2 * SF_MILLISECOND);
  return 99;
}

/* executors.c - what runs on the executors of a pool. */
#include <stdio.h>

#include "law.h"

__attribute__((import_module("env"), import_name("place"))) int32_t host_place(void);
__attribute__((import_module("env"), import_name("act"))) int32_t host_act(int32_t what);

static int32_t counter;

/* Of this executor's memory alone. */
int32_t EXPORT(count)(void) { return ++counter; }
int32_t EXPORT(place)(void) { return host_place(); }
int32_t EXPORT(park)(void) { return sf_park(); }
int32_t EXPORT(trap)(void) {
  sf_yield();
  __builtin_trap();
}
/* Does in the host what `what` says: 1 leaves the thread, 2 throws where nobody catches it. Then parks. */
int32_t EXPORT(act)(int32_t what) {
  host_act(what);
  return sf_park();
}
/* Says so, and never parks. */
int32_t EXPORT(spin)(void) {
  puts("spinning");
  fflush(stdout);
  volatile int32_t on = 1;
  while (on) {
  }
  return 0;
}
static int32_t sleeper(void *argument) {
  (void)argument;
  return sf_park();
}
/* Leaves `tasks` tasks of its own behind. */
int32_t EXPORT(leave)(int32_t tasks) {
  for (int32_t i = 0; i < tasks; i++) {
    sf_task_t task;
    int32_t error = sf_spawn(sleeper, NULL, NULL, &task);
    if (error < 0) return error;
    sf_detach(task);
  }
  return 0;
}
int32_t EXPORT(on_signal)(int32_t kind) {
  struct sf_signal signal;
  int32_t error = sf_signal_watch(&signal, (uint32_t)kind);
  if (error < 0) return error;
  host_act(0);
  error = sf_signal_wait(&signal);
  sf_signal_unwatch(&signal);
  return error;
}

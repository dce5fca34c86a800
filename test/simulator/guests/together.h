/* together.h - tasks that run at once, and the wait for all of them. */
#ifndef SIMULATOR_TOGETHER_H
#define SIMULATOR_TOGETHER_H

#include <stackful.h>
#include <stdlib.h>

/* Runs all `entries` with one argument; the first that fails cancels the others. 0, or its error. */
SF_PARKS static int32_t run_together(const sf_entry_fn *entries, uint32_t count, void *argument) {
  struct sf_group group;
  sf_group_init(&group, 0, SF_GROUP_FAIL_FAST);
  int32_t error = 0;
  for (uint32_t i = 0; i < count && error == 0; i++)
    error = sf_group_spawn(&group, entries[i], argument, NULL, NULL);
  if (error == 0) return sf_group_wait(&group);
  sf_group_cancel(&group);
  return error;
}

/* Runs `run` with each client of a list from calloc, and frees the list. 0, or the first error. */
SF_PARKS static int32_t run_each(void *clients, uint32_t count, size_t client_bytes,
                                 sf_entry_fn run) {
  struct sf_group group;
  sf_group_init(&group, 0, 0);
  const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "client"};
  for (uint32_t i = 0; i < count; i++)
    sf_group_spawn(&group, run, (char *)clients + i * client_bytes, &options, NULL);
  int32_t result = sf_group_wait(&group);
  free(clients);
  return result;
}

#endif

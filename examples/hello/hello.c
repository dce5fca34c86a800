/* hello.c - a task, a sleep, a result. */
#include <stackful.h>
#include <stdio.h>

static int32_t greet(void *name) {
  for (int32_t round = 1; round <= 3; round++) {
    printf("hello %s, round %d\n", (const char *)name, (int)round);
    if (sf_sleep(10 * SF_MILLISECOND) < 0) return -1;
  }
  return 3;
}

int main(void) {
  sf_task_t tasks[2];
  sf_spawn(greet, "world", &(struct sf_spawn_options){.name = "world"}, &tasks[0]);
  sf_spawn(greet, "again", &(struct sf_spawn_options){.name = "again"}, &tasks[1]);
  int32_t sum = 0;
  for (int32_t i = 0; i < 2; i++) {
    int32_t greetings;
    if (sf_join(tasks[i], &greetings) < 0) return 1;
    sum += greetings;
  }
  printf("%d greetings\n", (int)sum);
  return 0;
}

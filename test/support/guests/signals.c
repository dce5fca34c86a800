/* signals.c - a program that prints the signals it gets. Parameters: the kinds that it watches; the last
 * one ends it. */
#include <stdio.h>
#include "law.h"

NOINLINE static int32_t wait_for(struct sf_signal *signal) { return sf_signal_wait(signal); }

int main(int argc, char **argv) {
  int last = 0;
  struct sf_signal signals[8];
  struct sf_arm arms[8];
  for (int i = 1; i < argc; i++) {
    last = atoi(argv[i]);
    sf_signal_watch(&signals[i - 1], (uint32_t)last);
  }
  printf("ready\n");
  fflush(stdout);
  if (argc == 2) return wait_for(&signals[0]) == 1 ? 0 : 1;
  for (;;) {
    for (int i = 0; i < argc - 1; i++) arms[i] = sf_on_signal(&signals[i]);
    int32_t which = sf_select(arms, (uint32_t)argc - 1);
    if (which < 0) {
      printf("canceled\n");
      return 5;
    }
    int kind = atoi(argv[which + 1]);
    printf("signal %d\n", kind);
    fflush(stdout);
    if (kind == last) return 0;
  }
}

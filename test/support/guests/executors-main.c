/* executors-main.c - a program that runs on several executors: each tells executor 0 its number. Then
 * executor argv[1], if there is one, exits with 3, the others wait for ever. */
#include <stdio.h>

#include "law.h"

#define CHECKED(call) \
  if ((call) < 0) return 1

int main(int argc, char **argv) {
  const uint32_t self = sf_executor_current(), count = sf_executor_count();
  struct sf_shared_channel told;
  CHECKED(sf_shared_channel_open(&told, "told", count, sizeof self));
  CHECKED(sf_shared_channel_send(&told, &self));
  if (self == 0) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
      uint32_t from;
      CHECKED(sf_shared_channel_receive(&told, &from));
      sum += from;
    }
    printf("%u executors, sum %u\n", count, sum);
    fflush(stdout);
  }
  if (argc < 2) return 0;
  if ((uint32_t)atoi(argv[1]) == self) return 3;
  struct sf_signal signal;
  CHECKED(sf_signal_watch(&signal, SF_SIGNAL_USER1));
  printf("executor %u waits\n", self);
  fflush(stdout);
  if (sf_signal_wait(&signal) != 1) return 4;
  printf("executor %u got it\n", self);
  fflush(stdout);
  return 0;
}

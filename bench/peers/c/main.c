/* main.c - the peer program in C: main SCENARIO --NAME=NUMBER... [PATH] */
#include "peer.h"

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
  } scenarios[] = {
    { "file-read", file_read },
    { "file-walk", file_walk },
    { "file-write", file_write },
    { "tcp-echo-load", tcp_echo_load },
  };
  for (size_t i = 0; argc > 2 && i < sizeof(scenarios) / sizeof(*scenarios); i++)
    if (strcmp(argv[1], scenarios[i].name) == 0) return scenarios[i].run(argc - 1, argv + 1);
  fprintf(stderr, "c peer: there is no such scenario\n");
  return 2;
}

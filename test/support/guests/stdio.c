/* stdio.c - a program that copies its standard input to its standard output. With "raw": has its terminal
 * raw, says how large it is, and ends as it is. */
#include <stackful/process.h>
#include <stdio.h>
#include <string.h>

#include "law.h"

NOINLINE static int32_t copy(void) {
  char buffer[4096];
  const sf_handle_t input = sf_stdio(0);
  const sf_handle_t output = sf_stdio(1);
  if (input < 0 || output < 0) return 2;
  for (;;) {
    const int32_t bytes = sf_read(input, buffer, sizeof(buffer));
    if (bytes <= 0) return bytes == 0 ? 0 : 3;
    if (sf_write_all(output, buffer, (uint32_t)bytes) < 0) return 4;
  }
}

NOINLINE static int32_t become_raw(void) {
  struct sf_terminal_size size;
  const sf_handle_t input = sf_stdio(0);
  if (sf_terminal_size(input, &size) < 0) return 5;
  if (sf_terminal_mode(input, SF_TERMINAL_RAW) < 0) return 6;
  printf("%u x %u\n", size.columns, size.rows);
  return 0;
}

int main(int argc, char **argv) {
  return argc > 1 && strcmp(argv[1], "raw") == 0 ? become_raw() : copy();
}

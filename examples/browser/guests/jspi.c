/* jspi.c - the race's guest for JSPI: plain wasm, not linked with stackful. Its C stack is not used: JSPI
 * would not switch that. */

#define EXPORT(name) __attribute__((export_name(#name)))

/* Suspends the caller until the other player calls it; returns what that one passed. */
__attribute__((import_module("env"), import_name("hand_over"))) int hand_over(int value);

EXPORT(play) int play(int rounds) {
  int value = 0;
  for (int round = 0; round < rounds; round++) value = hand_over(value + 1);
  return value;
}

//! C guests with random chains of calls that park at the bottom: locals of every type that live across
//! the calls, arrays on the stack, some of them aligned, and calls aside that do not park.

/** Chains in one guest. */
const CHAINS = 24;
const DEPTH_MAX = 7;

/** Every third function or so is an export, `int32_t (int32_t)`. Equal seeds give equal text. */
export function deepGuest(seed: number): string {
  const random = generator(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const functions: string[] = [];
  for (let chain = 0; chain < CHAINS; chain++) {
    let callee = "wait";
    for (let depth = 1 + below(DEPTH_MAX); depth > 0; depth--) {
      const name = `f_${chain}_${depth}`;
      const exported = depth === 1 || below(3) === 0;
      functions.push(deepFunction(name, callee, exported, below));
      callee = name;
    }
  }
  return `${PRELUDE}\n${functions.join("\n")}`;
}

function deepFunction(
  name: string,
  callee: string,
  exported: boolean,
  below: (limit: number) => number,
): string {
  const array = below(3) > 0;
  const aligned = below(4) === 0 ? ` __attribute__((aligned(${32 << below(3)})))` : "";
  const locals = Array.from({ length: below(9) }, (_, index) => {
    const type = ["int32_t", "int64_t", "double", "float"][below(4)];
    return { type, name: `l${index}` };
  });
  return [
    exported ? `__attribute__((export_name("${name}")))` : "static",
    `__attribute__((noinline)) int32_t ${name}(int32_t seed) {`,
    ...(array ? [`  volatile uint8_t array[${1 + below(700)}]${aligned};`, "  reach(array);"] : []),
    ...(array ? ["  array[0] = (uint8_t)seed;"] : []),
    ...locals.map(
      (local, index) =>
        `  ${local.type} ${local.name} = (${local.type})(seed * ${index + 3} + zero);`,
    ),
    ...(below(3) === 0 ? [`  if (zero) seed += aside_${below(3)}(seed);`] : []),
    ...(below(4) === 0 ? [`  seed += aside_${below(3)}(seed);`] : []),
    `  int32_t sum = ${callee}(seed + 1);`,
    ...(below(4) === 0 ? [`  sum += ${callee}(seed + 2);`] : []),
    ...locals.map((local) => `  sum = sum * 31 + (int32_t)${local.name};`),
    ...(array ? ["  sum += array[0];"] : []),
    "  return sum;",
    "}",
  ].join("\n");
}

const PRELUDE = `
#include <stackful.h>
#define EXPORT(name) __attribute__((export_name(#name))) name
static volatile int32_t zero;
static uint32_t reached = UINT32_MAX;

/* How far down the C stack was seen since the last call of reached_down_to. */
static void reach(volatile void *address) {
  if ((uint32_t)address < reached) reached = (uint32_t)address;
}
uint32_t EXPORT(reached_down_to)(void) {
  uint32_t result = reached;
  reached = UINT32_MAX;
  return result;
}

__attribute__((noinline)) static int32_t aside_0(int32_t seed) {
  volatile uint8_t array[400];
  reach(array);
  array[1] = (uint8_t)seed;
  return array[1] + zero;
}
__attribute__((noinline)) static int32_t aside_1(int32_t seed) {
  volatile int32_t array[40];
  reach(array);
  array[3] = seed;
  return aside_0(array[3]) - zero;
}
__attribute__((noinline)) static int32_t aside_2(int32_t seed) {
  volatile int32_t red_zone[20];
  red_zone[2] = seed;
  return red_zone[2];
}

static struct sf_channel gate;
void EXPORT(set_up)(void) { sf_channel_init(&gate, NULL, 0, 4); }
__attribute__((noinline)) static int32_t wait(int32_t seed) {
  int32_t item;
  reach(&item);
  return (seed & 1 ? sf_sleep(SF_SECOND * 1000) : sf_channel_receive(&gate, &item)) + seed;
}
`;

/** Mulberry32: numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ABI_VERSION } from "../../ts/abi.gen.ts";
import { link } from "../../ts/link/link.ts";
import { readLinkInfo } from "../../ts/link/section.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest } from "../support/build-guest.ts";
import { openRuntime, withRuntime } from "../support/runtime.ts";
import { assemble } from "./assemble.ts";

const YIELD = '(import "stackful" "sf_yield" (func $yield (result i32)))';

test("entry wrappers carry every value type, also several results, across a park", async () => {
  const { wasm } = await link(
    assemble(`(module ${YIELD} (memory 1)
      (func (export "none") (drop (call $yield)))
      (func (export "all") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
        (drop (call $yield))
        (local.get 0) (local.get 1) (local.get 2) (local.get 3))
      (func (export "more_results") (param i32) (result i32 i32 i32)
        (drop (call $yield))
        (local.get 0) (i32.add (local.get 0) (i32.const 1)) (i32.add (local.get 0) (i32.const 2))))`),
  );
  await withRuntime(wasm, {}, async (runtime) => {
    expect(await runtime.spawn("none")).toBe(undefined);
    const values = [-7, -(1n << 63n), 0.5, -1e300] as const;
    expect(await runtime.spawn("all", values)).toEqual(values);
    expect(await runtime.spawn("more_results", [5])).toEqual([5, 6, 7]);
  });
});

test("exports with types that JavaScript cannot pass have no entry", async () => {
  const { wasm, figures } = await link(
    assemble(`(module (memory 1)
      (func (export "vector") (param v128) (result i32) (i32.const 0))
      (func (export "reference") (param externref))
      (func (export "plain") (result i32) (i32.const 3)))`),
  );
  expect(Object.keys(readLinkInfo(wasm).entries)).toEqual(["plain"]);
  expect(figures.entries).toBe(1);
});

test("a guest without a table gets one, and its exports run", async () => {
  const { wasm } = await link(
    assemble(`(module ${YIELD} (memory 1) (func (export "f") (result i32) (call $yield)))`),
  );
  await withRuntime(wasm, {}, async (runtime) => expect(await runtime.spawn("f")).toBe(0));
});

test("a guest's table keeps its functions in their places", async () => {
  const { wasm } = await link(
    assemble(`(module ${YIELD} (memory 1) (type $t (func (result i32)))
      (table 4 4 funcref) (elem (i32.const 1) $one $two)
      (func $one (result i32) (i32.add (call $yield) (i32.const 1)))
      (func $two (result i32) (i32.add (call $yield) (i32.const 2)))
      (func (export "f") (param i32) (result i32) (call_indirect (type $t) (local.get 0))))`),
  );
  await withRuntime(wasm, {}, async (runtime) => {
    expect(await runtime.spawn("f", [1])).toBe(1);
    expect(await runtime.spawn("f", [2])).toBe(2);
    for (const slot of [0, 3, 1_000]) {
      await expect(runtime.spawn("f", [slot]), `slot ${slot}`).rejects.toMatchObject({
        code: "SF_TRAP",
      });
    }
  });
});

test("a guest whose memory has a maximum can be linked", async () => {
  const { wasm } = await link(
    assemble(`(module ${YIELD} (memory 1 2)
      (func (export "f") (result i32) (drop (call $yield)) (memory.size)))`),
  );
  await withRuntime(wasm, {}, async (runtime) => expect(await runtime.spawn("f")).toBe(1));
});

const RECURSION = (moveDown: string): string => `(module ${YIELD} (memory 1)
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (func $down (export "down") (param $depth i32) (result i32) (local $frame i32)
    ${moveDown}
    (local.set $frame (global.get $__stack_pointer))
    (i32.store (local.get $frame) (local.get $depth))
    (if (i32.eqz (local.get $depth)) (then (drop (call $yield)))
      (else (drop (call $down (i32.sub (local.get $depth) (i32.const 1))))))
    (if (i32.ne (i32.load (local.get $frame)) (local.get $depth)) (then (unreachable)))
    (global.set $__stack_pointer (i32.add (local.get $frame) (i32.const 64)))
    (local.get $depth)))`;

describe.each([
  [
    "subtracting",
    "(global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (i32.const 64)))",
  ],
  [
    "adding a negative constant",
    "(global.set $__stack_pointer (i32.add (global.get $__stack_pointer) (i32.const -64)))",
  ],
])("a stack pointer moved down by %s", (_how, moveDown) => {
  test.each([
    ["with names", ["-g"]],
    ["without a name section", []],
  ])("is found, saved and checked: %s", async (_names, flags) => {
    const { wasm } = await link(assemble(RECURSION(moveDown), flags));
    await withRuntime(wasm, {}, async (runtime) => {
      const tasks = [3, 17, 1, 9, 30].map((depth) => runtime.spawn("down", [depth]));
      expect(await Promise.all(tasks)).toEqual([3, 17, 1, 9, 30]);
      await expect(runtime.spawn("down", [1_000], { stackBytes: 16_384 })).rejects.toMatchObject({
        code: "SF_STACK_OVERFLOW",
      });
    });
  });
});

test("a start function that parks is a named error", async () => {
  const { wasm } = await link(
    assemble(`(module ${YIELD} (memory 1) (start $go) (func $go (drop (call $yield)))
      (func (export "f")))`),
  );
  await expect(openRuntime(wasm)).rejects.toMatchObject({ name: "StackfulError" });
});

test("figures are consistent with the modules", async () => {
  const { raw, wasm, figures } = await buildGuest("channels");
  expect(figures.guestBytes).toBe(raw.length);
  expect(figures.linkedBytes).toBe(wasm.length);
  expect(figures.sizeFactor).toBe(figures.linkedBytes / figures.plainBytes);
  expect(figures.plainBytes).toBeLessThan(figures.linkedBytes);
  expect(figures.functionsInstrumented).toBeGreaterThan(0);
  expect(figures.functionsInstrumented).toBeLessThan(figures.functions);
  expect(figures.entries).toBe(Object.keys(readLinkInfo(wasm).entries).length);
  expect(figures.linkMs).toBeGreaterThan(0);
});

test("linking the same module with the same options gives the same module", async () => {
  const { raw, wasm } = await buildGuest("channels");
  expect(Buffer.compare((await link(raw)).wasm, wasm)).toBe(0);
});

test("only functions on a path that may park are instrumented", async () => {
  const pure = Array.from(
    { length: 20 },
    (_, index) => `(func (export "pure${index}") (param i32) (result i32)
      (i32.mul (local.get 0) (i32.const ${index})))`,
  ).join("\n");
  const { figures } = await link(
    assemble(`(module ${YIELD} (memory 1) ${pure}
      (func $inner (result i32) (call $yield))
      (func (export "outer") (result i32) (call $inner)))`),
  );
  // The import itself counts as well.
  expect(figures.functionsInstrumented).toBeLessThanOrEqual(3);
});

test("every level of optimisation gives a module that works", async () => {
  const { raw } = await buildGuest("cancel");
  for (const optimize of [0, 1, 4]) {
    const { wasm } = await link(raw, { optimize });
    await withRuntime(wasm, {}, async (runtime) => {
      expect(await runtime.spawn("a_joiner_passes_it_on", [0]), `level ${optimize}`).toBe(0);
      expect(await runtime.spawn("of_oneself", []), `level ${optimize}`).toBe(0);
    });
  }
}, 120_000);

const PURE = `
#include <stdint.h>
#include <math.h>
#define EXPORT(name) __attribute__((export_name(#name))) name
int32_t EXPORT(i32)(int32_t a, int32_t b) { return b == 0 ? a : (a / (b | 1)) * 31 ^ (a << (b & 31)); }
int64_t EXPORT(i64)(int64_t a, int64_t b) { return (a * 31 + b) ^ (a >> (b & 63)); }
float EXPORT(f32)(float a, float b) { return a * b + sqrtf(fabsf(a)) - b; }
double EXPORT(f64)(double a, double b) { return floor(a * 0.5) + b / (fabs(a) + 1.0); }
uint32_t EXPORT(hash)(int32_t seed, int32_t rounds) {
  static uint32_t table[256];
  volatile uint32_t local[64];
  for (int i = 0; i < 256; i++) table[i] = (uint32_t)(i * seed);
  for (int i = 0; i < 64; i++) local[i] = table[(i * 7) & 255];
  uint32_t hash = 2166136261u;
  for (int i = 0; i < rounds; i++) hash = (hash ^ local[i & 63]) * 16777619u + table[hash & 255];
  return hash;
}
`;

// Goal: linking changes nothing for code that never parks.
// Method: the same random arguments for the module as compiled and for the linked one, called directly
// and as a task.
test("a linked module computes what the unlinked one does", async () => {
  const { raw, wasm } = await buildGuest({ source: PURE });
  const { instance } = await WebAssembly.instantiate(raw, {});
  const plain = instance.exports as Record<string, (...args: unknown[]) => unknown>;
  await withRuntime(wasm, {}, async (runtime) => {
    const linked = runtime.exports as typeof plain;
    const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const cases = fc.oneof(
      fc.tuple(fc.constant("i32"), int, int),
      fc.tuple(fc.constant("i64"), long, long),
      fc.tuple(fc.constant("f32"), fc.float(), fc.float()),
      fc.tuple(fc.constant("f64"), fc.double(), fc.double()),
      fc.tuple(fc.constant("hash"), int, fc.integer({ min: 0, max: 1_000 })),
    );
    const run = fc.asyncProperty(cases, async ([name, a, b]) => {
      const expected = plain[name]!(a, b);
      expect(linked[name]!(a, b)).toEqual(expected);
      expect(await runtime.spawn(name, [a, b])).toEqual(expected);
    });
    await fc.assert(run, { numRuns: 500 });
  });
});

describe("linking on the fly", () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "stackful-cache-"));
    vi.stubEnv("STACKFUL_CACHE", join(cache, "not", "there", "yet"));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true, force: true });
  });
  const text = `(module ${YIELD}
    (import "env" "ask" (func $ask (param i32) (result i32)))
    (memory 1)
    (func (export "f") (param i32) (result i32) (drop (call $yield)) (call $ask (local.get 0))))`;
  const options = { imports: { env: { ask: async (value: number) => value * 2 } } } as const;
  const cached = (): Promise<string[]> => readdir(join(cache, "not", "there", "yet"));

  test("a module that is not linked is linked once and then found by its content", async () => {
    const wasm = assemble(text);
    for (let round = 0; round < 2; round++) {
      await withRuntime(wasm, options, async (runtime) => {
        expect(await runtime.spawn("f", [21])).toBe(42);
      });
      expect(await cached()).toHaveLength(1);
    }
    const path = join(cache, "guest.wasm");
    await writeFile(path, wasm);
    const runtime = await Runtime.create(path, { backend: "node", ...options });
    expect(await runtime.spawn("f", [4])).toBe(8);
    await runtime[Symbol.asyncDispose]();
    expect(await cached()).toHaveLength(1);
  });

  test("other async imports are another module", async () => {
    const wasm = assemble(text);
    await withRuntime(wasm, options, async (runtime) => {
      expect(await runtime.spawn("f", [1])).toBe(2);
    });
    await withRuntime(wasm, { imports: { env: { ask: () => 7 } } }, async (runtime) => {
      expect(await runtime.spawn("f", [1])).toBe(7);
    });
    expect(await cached()).toHaveLength(2);
  });

  test("a cached module that is broken is made anew", async () => {
    const wasm = assemble(text);
    await withRuntime(wasm, options, async () => {});
    const [name] = await cached();
    await writeFile(join(cache, "not", "there", "yet", name!), "");
    await withRuntime(wasm, options, async (runtime) => {
      expect(await runtime.spawn("f", [1])).toBe(2);
    });
  });
});

describe("loading", () => {
  test("a compiled module that was not linked is SF_MODULE", async () => {
    const module = await WebAssembly.compile(assemble("(module (memory 1))"));
    await expect(Runtime.create(module)).rejects.toMatchObject({ code: "SF_MODULE" });
  });

  test("a file that is not there is SF_MODULE", async () => {
    await expect(Runtime.create(join(tmpdir(), "no-such-guest.wasm"))).rejects.toMatchObject({
      code: "SF_MODULE",
    });
  });

  test.each(["bytes", "compiled module"])(
    "one linked for another ABI is SF_MODULE: %s",
    async (form) => {
      const { wasm } = await buildGuest("cancel");
      const other = wasm.slice();
      const at = Buffer.from(other).lastIndexOf(`"abi":${ABI_VERSION},`);
      expect(at).toBeGreaterThan(0);
      other.set(new TextEncoder().encode('"abi":9,'), at);
      const source = form === "bytes" ? other : await WebAssembly.compile(other);
      await expect(openRuntimeFrom(source)).rejects.toMatchObject({ code: "SF_MODULE" });
    },
  );
});

async function openRuntimeFrom(source: Uint8Array | WebAssembly.Module): Promise<void> {
  const runtime = await Runtime.create(source, { backend: "node" });
  await runtime[Symbol.asyncDispose]();
}

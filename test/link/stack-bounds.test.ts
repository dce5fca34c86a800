import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LinkOptions, link } from "../../ts/link/link.ts";
import { cycleThrough, longestPaths, waysTo } from "../../ts/link/longest-paths.ts";
import { readLinkInfo } from "../../ts/link/section.ts";
import type { NoStackBound, StackBound } from "../../ts/link/stack-bounds.ts";
import { buildGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";
import { withRuntime } from "../support/runtime.ts";
import { assemble } from "./assemble.ts";
import { LONGEST_NAME, parkedNeeds, SMALL } from "./stack-need.ts";

const YIELD = '(import "stackful" "sf_yield" (func $yield (result i32)))';
const STACK_POINTER = "(global $__stack_pointer (mut i32) (i32.const 4096))";
/** Nothing is inlined: every function of the text is there to be named. */
const NO_INLINING: LinkOptions = { optimize: 1 };

async function stacksOf(wasm: Uint8Array, options: LinkOptions = NO_INLINING) {
  const { stacks } = await link(wasm, options);
  const find = (name: string) => stacks.find((entry) => entry.name === name)?.stack;
  return {
    bound: (name: string): StackBound => {
      expect(find(name)).toMatchObject({ kind: "bound" });
      return find(name) as StackBound;
    },
    none: (name: string): NoStackBound => {
      expect(find(name)?.kind).not.toBe("bound");
      return find(name) as NoStackBound;
    },
  };
}

const guestOf = (text: string): Uint8Array =>
  assemble(`(module ${YIELD} (memory 1) ${STACK_POINTER} ${text})`);

const down = (bytes: number | string): string =>
  `(global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (i32.const ${bytes})))`;
const up = (bytes: number): string => down(-bytes);

/** What Asyncify saves of a function, besides its locals: the index of the call. */
const CALL_INDEX_BYTES = 4;

describe("a bound", () => {
  test("is the sum over the deepest path, and what every stack has", async () => {
    const { bound } = await stacksOf(
      guestOf(`
        (func $bottom (param $a i64) (param $b i32) (result i64)
          ${down(48)} (drop (call $yield)) ${up(48)}
          (i64.add (local.get $a) (i64.extend_i32_u (local.get $b))))
        (func (export "top") (param $a i32) (param $b f64) (param $c i64) (result i32)
          ${down(2000)}
          (drop (call $bottom (i64.const 1) (i32.const 2)))
          ${up(2000)}
          (i32.add (local.get $a) (i32.trunc_f64_s (local.get $b))))`),
    );
    const { path, fixedBytes, bytes, sizeClassBytes } = bound("top");
    // Red zone, three parameters, the longest name; the latter two in whole 16 bytes.
    expect(fixedBytes).toBe(128 + 96);
    expect(path).toMatchObject([
      // It saves at least its parameter, and holds the arguments on their way.
      { name: "(entry)", cStackBytes: 0 },
      { name: "top", cStackBytes: 2000, frameBytes: CALL_INDEX_BYTES + 4 + 8 },
      { name: "bottom", cStackBytes: 48, frameBytes: CALL_INDEX_BYTES + 8 + 4 },
    ]);
    const [entry] = path;
    expect(entry!.frameBytes).toBeGreaterThanOrEqual(CALL_INDEX_BYTES + 4);
    expect(entry!.frameBytes).toBeLessThanOrEqual(CALL_INDEX_BYTES + 4 + 20);
    expect(bytes).toBe(fixedBytes + entry!.frameBytes + 2000 + 16 + 48 + 16);
    expect(sizeClassBytes).toBe(4096);
  });

  test("is what a parked task has on its stack and the red zone, at every level of optimisation", async () => {
    const wasm = assemble(`(module (import "stackful" "sf_park" (func $park (result i32)))
      (memory 1) ${STACK_POINTER}
      (func $b (param $a i64) (result i64)
        ${down(304)} (drop (call $park)) ${up(304)} (i64.add (local.get $a) (i64.const 1)))
      (func $a (param $a f64) (param $b i64) (result i64)
        ${down(96)}
        (local.set $b (call $b (local.get $b)))
        ${up(96)}
        (i64.add (local.get $b) (i64.trunc_f64_s (local.get $a))))
      (func (export "f") (param f64 i64) (result i64) (call $a (local.get 0) (local.get 1)))
      (func (export "g") (param f64 i64) (result i64) (call $a (local.get 0) (local.get 1))))`);
    for (const optimize of [0, 1, 2, 3, 4]) {
      const { wasm: linked } = await link(wasm, { optimize });
      const info = readLinkInfo(linked);
      await withRuntime(linked, SMALL, async (runtime) => {
        for (const name of ["f", "g"]) {
          const { stackBytes = 0, tableIndex } = info.entries[name]!;
          const task = runtime.spawn(name, [3, 4n], { stackBytes, name: LONGEST_NAME });
          await new Promise((resolve) => setImmediate(resolve));
          const [need] = parkedNeeds(runtime, tableIndex);
          const needed = need!.cStackBytes + need!.frameBytes;
          expect(stackBytes - 128 - needed, `${name} at ${optimize}`).toBeLessThanOrEqual(0);
          expect(stackBytes - 128 - needed, `${name} at ${optimize}`).toBeGreaterThan(-8);
          task.cancel();
          expect(await task).toBe(8n);
        }
      });
    }
  });

  test("counts what is taken at a call, not what was given back before it", async () => {
    const { bound } = await stacksOf(
      guestOf(`
        (func $leaf ${down(100)} (nop) ${up(100)})
        (func (export "f") ${down(1000)} (call $leaf) ${up(1000)} ${down(500)} (call $leaf) ${up(500)})
        (func (export "g") ${down(1000)} ${up(1000)} ${down(500)} (call $leaf) ${up(500)})`),
    );
    expect(bound("f").bytes).toBe(192 + 1100);
    expect(bound("g").bytes).toBe(192 + 1000);
    expect(bound("g").path.map(({ name }) => name)).toEqual(["(entry)", "g"]);
  });

  test("counts the frames of functions that park only", async () => {
    const { bound } = await stacksOf(
      guestOf(`
        (func $leaf (param i64 i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
        (func (export "f") (param $a i64) (result i64)
          ${down(64)}
          (i64.add (call $leaf (local.get $a) (local.get $a) (local.get $a)) (local.get $a))
          ${up(64)})`),
    );
    expect(bound("f").bytes).toBe(128 + 80 + 64);
  });

  test("allows for rounding down to an alignment", async () => {
    const { bound } = await stacksOf(
      guestOf(`
        (func (export "f") (local $saved i32)
          (local.set $saved (global.get $__stack_pointer))
          (global.set $__stack_pointer
            (i32.and (i32.sub (global.get $__stack_pointer) (i32.const 320)) (i32.const -64)))
          (drop (call $yield))
          (global.set $__stack_pointer (local.get $saved)))`),
    );
    const { path } = bound("f");
    expect(path.at(1)).toEqual({
      name: "f",
      cStackBytes: 320 + 63,
      frameBytes: CALL_INDEX_BYTES + 4,
    });
  });

  test("follows the stack pointer through branches and loops", async () => {
    const { bound } = await stacksOf(
      guestOf(`
        (func (export "f") (param $n i32) (local $frame i32)
          (local.set $frame (i32.sub (global.get $__stack_pointer) (i32.const 80)))
          (global.set $__stack_pointer (local.get $frame))
          (block $out
            (loop $again
              (br_if $out (i32.eqz (local.get $n)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              ${down(32)}
              (if (call $yield) (then ${up(32)} (br $out)))
              ${up(32)}
              (br_table $again $again $out (local.get $n))))
          (global.set $__stack_pointer (i32.add (local.get $frame) (i32.const 80))))`),
    );
    expect(bound("f").path.at(1)?.cStackBytes).toBe(112);
  });

  test("follows the stack pointer into exception handlers that put it back", async () => {
    const handler = (first: string): string => `
      (local $frame i32)
      (local.set $frame (i32.sub (global.get $__stack_pointer) (i32.const 96)))
      (global.set $__stack_pointer (local.get $frame))
      (try
        (do (call $thrower))
        (catch_all ${first} (global.set $__stack_pointer (local.get $frame)) (call $leaf)))
      (global.set $__stack_pointer (i32.add (local.get $frame) (i32.const 96)))`;
    const { bound, none } = await stacksOf(
      guestOf(`
        (tag $t)
        (func $leaf ${down(64)} (nop) ${up(64)})
        (func $thrower ${down(2000)} (throw $t))
        (func (export "f") ${handler("")})
        (func (export "g") ${handler("(call $leaf)")})`),
    );
    expect(bound("f").bytes).toBe(192 + 96 + 2000);
    expect(none("g")).toMatchObject({ kind: "variable allocation", functions: ["g"] });
  });

  test("of a leaf function's array is the red zone", async () => {
    const { raw } = await buildGuest({
      source: `#include <stackful.h>
        __attribute__((export_name("f"))) int32_t f(int32_t n) {
          volatile int32_t array[20];
          array[n & 15] = n;
          return array[3];
        }`,
    });
    expect((await stacksOf(raw, {})).bound("f").bytes).toBe(128 + 80);
  });

  test("is in the section, for entries and for the table", async () => {
    const { raw } = await buildGuest({
      source: `#include <stackful.h>
        static int32_t task(void *argument) {
          volatile char array[600];
          int32_t at = (int32_t)(intptr_t)argument & 511;
          array[at] = 1;
          sf_yield();
          return array[at];
        }
        __attribute__((export_name("start"))) int32_t start(void) {
          return sf_spawn(task, NULL, NULL, NULL);
        }`,
    });
    const { wasm, stacks } = await link(raw);
    const info = readLinkInfo(wasm);
    const bounds = new Map(info.stackBounds);
    expect(bounds.size).toBe(info.stackBounds.length);
    const start = info.entries.start!;
    expect(start.stackBytes).toBeGreaterThan(192);
    expect(bounds.get(start.tableIndex)).toBe(start.stackBytes);
    const task = stacks.find(({ name }) => name === "task")!;
    expect(task.exported).toBe(false);
    expect(bounds.get(task.tableIndex)).toBe((task.stack as StackBound).bytes);
    expect(bounds.get(task.tableIndex)).toBeGreaterThanOrEqual(192 + 600);
    expect(bounds.get(task.tableIndex)).toBeLessThanOrEqual(192 + 600 + 64);
  });
});

describe("there is no bound, and the reason names the functions, for", () => {
  test("recursion", async () => {
    const { none } = await stacksOf(
      guestOf(`
        (func $a (param i32) (if (local.get 0) (then (call $b (local.get 0)))))
        (func $b (param i32) (call $c (local.get 0)))
        (func $c (param i32) (drop (call $yield)) (call $a (i32.sub (local.get 0) (i32.const 1))))
        (func $self (param i32) (if (local.get 0) (then (call $self (i32.const 0)))))
        (func (export "f") (call $b (i32.const 3)))
        (func (export "g") (call $self (i32.const 3)))`),
    );
    expect(none("f")).toEqual({
      kind: "recursion",
      functions: ["b", "c", "a"],
      path: ["(entry)", "f", "b"],
      pathOmitted: 0,
    });
    expect(none("g")).toMatchObject({ kind: "recursion", functions: ["self"] });
  });

  test("an indirect call", async () => {
    const { none, bound } = await stacksOf(
      guestOf(`
        (table 2 funcref) (type $t (func))
        (func $indirect (call_indirect (type $t) (i32.const 0)))
        (func (export "f") (call $indirect))
        (func (export "g"))`),
    );
    expect(none("f")).toEqual({
      kind: "indirect call",
      functions: ["indirect"],
      path: ["(entry)", "f", "indirect"],
      pathOmitted: 0,
    });
    expect(bound("g").bytes).toBe(192);
  });

  test.each(["-O0", "-O2"])("an array of variable length, and alloca, at %s", async (flag) => {
    const { raw } = await buildGuest(
      {
        source: `#include <stackful.h>
          #define EXPORT(name) __attribute__((export_name(#name), noinline)) name
          int32_t EXPORT(array)(int32_t n) {
            volatile char array[n];
            array[0] = 1;
            sf_yield();
            return array[0];
          }
          int32_t EXPORT(leaf)(int32_t n) {
            volatile char array[n];
            array[0] = 1;
            return array[n - 1];
          }
          int32_t EXPORT(leaf_with_more)(int32_t n) {
            volatile int32_t fixed[8];
            volatile double array[n];
            fixed[n & 7] = n;
            array[0] = n;
            return (int32_t)array[n - 1] + fixed[3];
          }
          int32_t EXPORT(in_loop)(int32_t n) {
            volatile char *last = NULL;
            for (int32_t i = 0; i < n; i++) {
              last = __builtin_alloca(64);
              last[0] = 1;
              sf_yield();
            }
            return last == NULL;
          }
          int32_t EXPORT(caller)(int32_t n) { return array(n) + 1; }
          int32_t EXPORT(fixed)(int32_t n) { volatile char array[512]; array[n] = 1; return sf_yield(); }`,
      },
      { flags: [flag] },
    );
    const { none, bound } = await stacksOf(raw, {});
    for (const name of ["array", "leaf", "leaf_with_more", "in_loop", "caller"]) {
      expect(none(name).kind, name).toBe("variable allocation");
    }
    expect(none("array").functions).toEqual(["array"]);
    expect(bound("fixed").bytes).toBeLessThan(1024);
    // What has no bound is checked while it runs.
    await withRuntime((await link(raw)).wasm, {}, async (runtime) => {
      for (const name of ["array", "leaf", "leaf_with_more"]) {
        const task = runtime.spawn(name, [5_000], { stackBytes: 4096 });
        await expect(task, name).rejects.toMatchObject({ code: "SF_STACK_OVERFLOW" });
      }
    });
  });

  test("a function that leaves the stack pointer elsewhere", async () => {
    const { none } = await stacksOf(guestOf(`(func (export "f") ${down(16)})`));
    expect(none("f")).toMatchObject({ kind: "variable allocation", functions: ["f"] });
  });
});

describe("the call graph", () => {
  const DEPTH = 200_000;
  const chain = (to: number) =>
    Array.from({ length: DEPTH }, (_, from) =>
      from + 1 < DEPTH ? [{ to: from + 1, weight: 3 }] : to < 0 ? [] : [{ to, weight: 3 }],
    );
  const ends = new Array<number>(DEPTH).fill(5);

  test("may be as deep as it likes", () => {
    const { weights, cycles } = longestPaths(chain(-1), ends, []);
    expect(weights[0]).toBe((DEPTH - 1) * 3 + 5);
    expect(cycles.size).toBe(0);
    expect(waysTo(chain(-1), [DEPTH - 1]).get(0)).toBe(1);
  });

  test("may have a cycle of any length", () => {
    const edges = chain(1);
    const { weights, cycles } = longestPaths(edges, ends, []);
    expect(weights[0]).toBe(undefined);
    expect(cycles.has(0)).toBe(false);
    expect(cycleThrough(edges, 1, cycles.get(1)!)).toHaveLength(DEPTH - 1);
  });

  test("is not walked path by path", () => {
    // Each node calls the next one twice over: 2 ** 40 paths.
    const edges = Array.from({ length: 120 }, (_, node) =>
      node % 3 === 2 || node === 119
        ? [{ to: node + 1, weight: 1 }].filter(({ to }) => to < 120)
        : [1, 2].map((step) => ({ to: node + step, weight: step })).filter(({ to }) => to < 120),
    );
    expect(longestPaths(edges, new Array<number>(120).fill(0), []).weights[0]).toBe(119);
  });
});

describe("stackful link --stack-report", () => {
  test("prints bounds, paths and reasons; as JSON a line each", async () => {
    const input = await place(
      guestOf(`
        (func $deep (param i32) (result i32) ${down(1500)} (drop (call $yield)) ${up(1500)} (local.get 0))
        (func (export "f") (param i32) (result i32) (call $deep (local.get 0)))
        (func $again (param i32) (if (local.get 0) (then (call $again (i32.const 0)))))
        (func (export "g") (call $again (i32.const 3)))`),
    );
    const run = (...args: string[]) =>
      runChild("../ts/cli/main.ts", ["link", "--stack-report", "-O", "1", input, ...args]);
    const text = await run();
    expect(text.stderr).toBe("");
    expect(text.stdout).toMatch(/^f: 1,7\d\d bytes, a stack of 2 KiB$/m);
    expect(text.stdout).toMatch(/^ +1,500 +8 {2}deep$/m);
    expect(text.stdout).toMatch(/^g: no bound: recursion, again > again$/m);
    const json = await run("--json", "-o", `${input}.linked`);
    const [figures, ...lines] = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(figures).toMatchObject({ output: `${input}.linked` });
    expect(lines).toMatchObject([
      { name: "f", exported: true, stack: { kind: "bound", sizeClassBytes: 2048 } },
      { name: "g", exported: true, stack: { kind: "recursion", functions: ["again"] } },
    ]);
    const linked = readLinkInfo(await readFile(`${input}.linked`));
    expect(linked.entries.f!.stackBytes).toBe(lines[0].stack.bytes);
    expect(linked.entries.g!.stackBytes).toBe(undefined);
  });
});

async function place(wasm: Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "stackful-test-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "guest.wasm");
  await writeFile(path, wasm);
  return path;
}

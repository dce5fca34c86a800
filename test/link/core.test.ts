import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PARKING_FUNCTIONS } from "../../ts/link/core-functions.ts";
import { readLinkInfo } from "../../ts/link/section.ts";
import { ByteReader } from "../../ts/link/wasm/bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "../../ts/link/wasm/instructions.ts";
import { functionName, KIND, parseModule, type WasmModule } from "../../ts/link/wasm/module.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { buildGuest } from "../support/build-guest.ts";
import { assemble, runTool } from "./assemble.ts";

const core = new Uint8Array(readFileSync(packageRoot("dist/core.wasm")));
const headers = packageRoot("wasm/include/stackful");
const header = readdirSync(headers)
  .map((name) => readFileSync(join(headers, name), "utf8"))
  .join("\n");

/** Calls of every function, by a walk over its body that must end where the body does. */
function walk(module: WasmModule): Set<number>[] {
  return module.bodies.map((body, index) => {
    const code = new ByteReader(module.bytes, body.start, body.end);
    const calls = new Set<number>();
    for (let groups = code.u32(); groups > 0; groups--) {
      code.u32();
      skipValueType(code);
    }
    let depth = 1;
    while (!code.done) {
      const opcode = code.u8();
      if (opcode === OPCODE.call)
        calls.add(new ByteReader(module.bytes, code.position, body.end).u32());
      skipImmediates(code, opcode);
      if (
        [OPCODE.block, OPCODE.loop, OPCODE.if, OPCODE.try, OPCODE.tryTable].includes(
          opcode as never,
        )
      ) {
        depth++;
      }
      if (opcode === OPCODE.end || opcode === OPCODE.delegate) depth--;
      expect(depth > 0 || code.done, `function ${index} goes on behind its end`).toBe(true);
    }
    expect(code.position, `function ${index}`).toBe(body.end);
    expect(depth, `function ${index}`).toBe(0);
    return calls;
  });
}

test("PARKING_FUNCTIONS are exactly the core's exports that reach start_unwind", () => {
  const module = parseModule(core);
  const calls = walk(module);
  const importsCount = module.functionImports.length;
  const startUnwind = module.functionImports.findIndex((item) => item.name === "start_unwind");
  expect(startUnwind).toBeGreaterThanOrEqual(0);
  const reaching = new Set([startUnwind]);
  for (let size = 0; size !== reaching.size; ) {
    size = reaching.size;
    calls.forEach((callees, offset) => {
      if ([...callees].some((callee) => reaching.has(callee))) reaching.add(importsCount + offset);
    });
  }
  const names = module.exports
    .filter((item) => item.kind === KIND.function && reaching.has(item.index))
    .map((item) => item.name)
    .filter((name) => !name.startsWith("stackful_"));
  expect([...names].sort()).toEqual([...PARKING_FUNCTIONS].sort());
});

test("whatever reaches start_unwind calls it itself, and so is not instrumented and has no frame", () => {
  const module = parseModule(core);
  const calls = walk(module);
  const importsCount = module.functionImports.length;
  const startUnwind = module.functionImports.findIndex((item) => item.name === "start_unwind");
  const direct = new Set(
    calls.flatMap((callees, offset) => (callees.has(startUnwind) ? [importsCount + offset] : [])),
  );
  const indirect = calls.flatMap((callees, offset) =>
    [...callees].some((callee) => direct.has(callee)) && !direct.has(importsCount + offset)
      ? [functionName(module, importsCount + offset)]
      : [],
  );
  expect(indirect).toEqual([]);
});

test("stackful.h marks exactly the parking functions with SF_PARKS", () => {
  const marked = [...header.matchAll(/^SF_PARKS SF_IMPORT\((\w+)\)/gm)].map((match) => match[1]);
  expect(marked.sort()).toEqual([...PARKING_FUNCTIONS].sort());
});

test("every function of stackful.h is in the core", () => {
  const exported = new Set(parseModule(core).exports.map((item) => item.name));
  for (const [, name] of header.matchAll(/SF_IMPORT\((sf_\w+)\)/g)) {
    expect(exported.has(name!), name).toBe(true);
  }
});

test("the core is under 48 KiB", () => {
  expect(core.length).toBeLessThan(48 * 1024);
});

test("the core imports the guest's memory, table and stack pointer, Asyncify's four, the probe, the attempt, and no more", () => {
  const imports = parseModule(core).imports.map(({ module, name }) => `${module}.${name}`);
  expect(imports.sort()).toEqual([
    "asyncify.start_rewind",
    "asyncify.start_unwind",
    "asyncify.stop_rewind",
    "asyncify.stop_unwind",
    "guest.__indirect_function_table",
    "guest.__stack_pointer",
    "guest.memory",
    "stackful_host.attempt",
    "stackful_host.probe",
  ]);
});

test("the core has no data of its own", () => {
  const module = parseModule(core);
  expect(module.sections.has(11)).toBe(false);
  expect(module.memories).toHaveLength(0);
});

const GUESTS = ["tasks", "channels", "timers", "cancel", "memory"];

test.each(GUESTS)("the instruction scanner ends where bodies end: guest %s", async (name) => {
  const { raw, wasm } = await buildGuest(name);
  for (const bytes of [raw, wasm]) {
    const module = parseModule(bytes);
    expect(module.bodies).toHaveLength(module.functions.length);
    walk(module);
  }
});

const CXX_LIKE = `
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>
#define EXPORT(name) __attribute__((export_name(#name))) name
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int EXPORT(sorts)(int n) {
  int *values = calloc((size_t)n, sizeof(int));
  qsort(values, (size_t)n, sizeof(int), compare);
  char text[100];
  snprintf(text, sizeof(text), "%d %g %s", n, sin(n) * pow(n, 1.5), "x");
  int length = (int)strlen(text);
  free(values);
  return length;
}
float EXPORT(vectors)(float *from, int n) {
  v128_t sum = wasm_f32x4_splat(0);
  for (int i = 0; i < n; i += 4) {
    v128_t v = wasm_v128_load(from + i);
    sum = wasm_f32x4_add(sum, wasm_i32x4_shuffle(v, v, 3, 2, 1, 0));
    wasm_v128_store32_lane(from + i, wasm_i8x16_shuffle(v, sum, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31), 2);
  }
  return wasm_f32x4_extract_lane(sum, 1);
}
int EXPORT(saturates)(double d) { return __builtin_wasm_trunc_saturate_s_i32_f64(d); }
`;

test.each([["-O0"], ["-O2"], ["-Oz"], ["-O3"]])(
  "the instruction scanner ends where bodies end: libc, SIMD and bulk memory at %s",
  async (level) => {
    const flags = [level, "-msimd128", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext"];
    const { raw, wasm } = await buildGuest({ source: CXX_LIKE }, { flags });
    walk(parseModule(raw));
    walk(parseModule(wasm));
  },
);

test("the instruction scanner knows every instruction that Binaryen's fuzzer writes", () => {
  // Goal: no instruction is taken for longer or shorter than it is.
  // Method: modules that Binaryen makes of random bytes, with the features that guests may use.
  let seed = 12_345;
  for (let round = 0; round < 40; round++) {
    const bytes = Uint8Array.from({ length: 4_000 }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 24;
    });
    walk(parseModule(fuzz(bytes)));
  }
}, 240_000);

function fuzz(bytes: Uint8Array): Uint8Array {
  return runTool("wasm-opt", "in.bin", bytes, [
    "-ttf",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-threads",
    "--enable-tail-call",
    "--enable-multivalue",
  ]);
}

test("the instruction scanner knows threads, exceptions and references", () => {
  const module = parseModule(
    assemble(`(module (memory 1 2 shared) (table $t 4 externref) (tag $e (param i32))
      (type $f (func (result i32)))
      (func $r (result i32) (i32.const 1))
      (elem declare func $r)
      (func (param externref (ref null $f)) (result i32)
        (table.set $t (i32.const 0) (local.get 0))
        (drop (table.get $t (i32.const 0)))
        (drop (table.grow $t (ref.null extern) (i32.const 1)))
        (table.fill $t (i32.const 0) (ref.null extern) (table.size $t))
        (atomic.fence)
        (drop (i32.atomic.rmw.cmpxchg offset=4 (i32.const 0) (i32.const 1) (i32.const 2)))
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 1) (i64.const 2)))
        (drop (block (result i32)
          (try_table (catch $e 0) (throw $e (i32.const 1)))
          (i32.const 0)))
        (block $null (drop (br_on_null $null (local.get 1))))
        (drop (block $some (result (ref $f)) (br_on_non_null $some (local.get 1)) (unreachable)))
        (drop (select (result externref) (local.get 0) (ref.null extern) (i32.const 1)))
        (ref.is_null (ref.func $r))))`),
  );
  walk(module);
});

test("the scanner steps over a block whose type is a typed reference", () => {
  // block (result (ref null 0)) ref.null 0 end drop end
  const body = Uint8Array.of(0x02, 0x63, 0x00, 0xd0, 0x00, 0x0b, 0x1a, 0x0b);
  const code = new ByteReader(body);
  const opcodes: number[] = [];
  while (!code.done) {
    const opcode = code.u8();
    opcodes.push(opcode);
    skipImmediates(code, opcode);
  }
  expect(opcodes).toEqual([OPCODE.block, OPCODE.refNull, OPCODE.end, 0x1a, OPCODE.end]);
});

test("an unknown instruction is SF_LINK and says where", () => {
  const code = new ByteReader(Uint8Array.of(0xff, 0x0b));
  expect(() => skipImmediates(code, code.u8())).toThrow(
    expect.objectContaining({ code: "SF_LINK", message: expect.stringContaining("0xff") }),
  );
});

test("what a guest does not use is stripped from its linked module", async () => {
  const source = `#include <stackful.h>
    __attribute__((export_name("go"))) int32_t go(void) { return sf_yield(); }`;
  const { wasm } = await buildGuest({ source });
  const module = parseModule(wasm);
  const names = module.bodies.map((_, index) =>
    functionName(module, module.functionImports.length + index),
  );
  const unused = PARKING_FUNCTIONS.filter((name) => name !== "sf_yield");
  expect(names.filter((name) => unused.includes(name))).toEqual([]);
  const exported = parseModule(core).exports.filter((item) => item.name.startsWith("sf_"));
  const kept = exported.filter((item) => names.includes(item.name)).map((item) => item.name);
  // The host's select reaches what arms can wait for; nothing else stays.
  expect(wasm.length).toBeLessThan(core.length * 0.6);
  expect(kept.length).toBeLessThan(exported.length / 3);
});

test("a select has a bound, and whatever polls for it counts", async () => {
  const guest = (body: string): string => `#include <stackful.h>
    static int32_t poll(struct sf_source *source, void *item) { ${body} }
    static struct sf_source source = {.poll = poll};
    __attribute__((export_name("wait"))) int32_t wait(void) { return sf_source_wait(&source, 0); }`;
  const bound = async (body: string): Promise<number | undefined> => {
    const { wasm } = await buildGuest({ source: guest(body) });
    return readLinkInfo(wasm).entries.wait!.stackBytes;
  };
  const small = await bound("return item == 0 && source->reserved == 0;");
  const large = await bound(
    "volatile char room[3000]; for (int i = 0; i < 3000; i++) room[i] = i; return room[*(int *)item];",
  );
  expect(small).toBeGreaterThan(0);
  expect(large! - small!).toBeGreaterThanOrEqual(2_800);
  const deep = "volatile int32_t at = 0; return at == 9 ? 0 : poll(source, item) + at;";
  expect(await bound(deep)).toBe(undefined);
});

import { beforeAll, expect, test } from "vitest";
import { appendLinkInfo, type LinkInfo, readLinkInfo } from "../../ts/link/section.ts";
import { ByteReader } from "../../ts/link/wasm/bytes.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime } from "../support/runtime.ts";

let guest: TestGuest;
let busy: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("dump", { asyncImports: ["env.wait"] });
  busy = await buildGuest("busy", { asyncImports: ["env.wait"], command: true });
});

const env = { wait: Number, look: Number };

const open = (wasm: Uint8Array, options: RuntimeOptions = {}): Promise<Runtime> =>
  openRuntime(wasm, { imports: { env }, ...options });

/** The linked module with other link info. */
function withInfo(wasm: Uint8Array, change: (info: LinkInfo) => LinkInfo): Uint8Array {
  const reader = new ByteReader(wasm, 8);
  const kept: Uint8Array[] = [wasm.subarray(0, 8)];
  while (!reader.done) {
    const start = reader.position;
    const id = reader.u8();
    const content = reader.slice(reader.u32());
    if (id !== 0 || content.name() !== "stackful") kept.push(wasm.subarray(start, content.end));
  }
  return appendLinkInfo(Buffer.concat(kept), change(readLinkInfo(wasm)));
}

test("without paintStacks there are no marks", async () => {
  const runtime = await open(guest.wasm);
  await runtime.spawn("use_then_park", [1_000, 0], { signal: AbortSignal.abort() });
  expect(runtime.stackMarks()).toEqual({});
  await runtime[Symbol.asyncDispose]();
});

test("a mark is never below what was in use at any park, nor above the stack", async () => {
  const used: Record<string, number> = {};
  const sizes: Record<string, number> = {};
  const look = (value: number): number => {
    for (const task of runtime.dump({ stacks: value % 8 === 0 })) {
      used[task.entry] = Math.max(used[task.entry] ?? 0, task.stackUsedBytes);
      sizes[task.entry] = task.stackBytes;
      expect(task.stackHighBytes).toBeGreaterThanOrEqual(task.stackUsedBytes);
      expect(task.stackHighBytes).toBeLessThanOrEqual(task.stackBytes);
    }
    return value;
  };
  const wait = async (value: number): Promise<number> => look(value);
  const runtime: Runtime = await open(busy.wasm, {
    paintStacks: true,
    args: ["500"],
    imports: { env: { look, wait, report: () => {} } },
  });
  expect(await runtime.run()).toBe(0);
  const marks = runtime.stackMarks();
  expect(Object.keys(marks)).toEqual(expect.arrayContaining(["_start", "ping", "pong", "diver"]));
  for (const [entry, bytes] of Object.entries(used)) {
    expect(marks[entry], entry).toBeGreaterThanOrEqual(bytes);
    expect(marks[entry], entry).toBeLessThanOrEqual(sizes[entry]!);
  }
});

test.each([
  [2_000, 0],
  [3_500, 40],
  [100, 40],
  [3_000, 40],
])(
  "%d bytes of C stack, then a wait %d calls deep: the mark knows the larger",
  async (bytes, depth) => {
    const runtime = await open(guest.wasm, { paintStacks: true });
    const deep = runtime.spawn("use_then_park", [bytes, depth], { stackBytes: 4096 });
    // Others, so that its frames must leave their slot and come to lie in its region.
    const others = Array.from({ length: 8 }, () => runtime.spawn("wait_unpark"));
    while (runtime.dump({ stacks: false }).some((task) => task.state !== "parked")) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const inUse = runtime.dump()[0]!.stackUsedBytes;
    for (const task of [deep, ...others]) task.cancel();
    expect(await deep).toBe(-11);
    await Promise.all(others);
    const mark = runtime.stackMarks().use_then_park!;
    expect(mark).toBeGreaterThanOrEqual(Math.max(bytes, inUse));
    expect(mark).toBeLessThanOrEqual(4096);
    await runtime[Symbol.asyncDispose]();
  },
);

test("an overflow does not take a mark above the stack", async () => {
  const runtime = await open(guest.wasm, { paintStacks: true });
  await expect(runtime.spawn("park_below", [2_000], { stackBytes: 4096 })).rejects.toMatchObject({
    code: "SF_STACK_OVERFLOW",
  });
  expect(runtime.stackMarks().park_below).toBeLessThanOrEqual(4096);
  await runtime[Symbol.asyncDispose]();
});

test("a task that names no size gets what the linker found that its entry needs", async () => {
  const bounded = withInfo(guest.wasm, (info) => ({
    ...info,
    entries: {
      ...info.entries,
      wait_join: { ...info.entries.wait_join!, stackBytes: 3_000 },
    },
    // Every function, so that the guest's own spawn finds its entry; one that fits no stack.
    stackBounds: Array.from({ length: 40 }, (_, index) => [index, index === 0 ? 2 ** 30 : 1_500]),
  }));
  const runtime = await open(bounded);
  runtime.spawn("wait_join");
  runtime.spawn("wait_unpark");
  runtime.spawn("wait_join", [], { stackBytes: 100_000 });
  while (runtime.dump({ stacks: false }).some((task) => task.state !== "parked")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const sizes = runtime.dump().map(({ name, stackBytes }) => `${name}: ${stackBytes}`);
  expect(sizes).toEqual([
    "wait_join: 4096",
    `wait_unpark: ${runtime.limits.stackBytes}`,
    "wait_join: 131072",
    "is joined: 2048",
    "is joined: 2048",
  ]);
  expect(runtime.stackBounds()).toMatchObject({ park_task: 1_500 });
  await runtime[Symbol.asyncDispose]();
});

test("main gets what the linker found that it needs", async () => {
  const bounded = withInfo(busy.wasm, (info) => ({
    ...info,
    entries: { _start: { ...info.entries._start!, stackBytes: 60_000 } },
  }));
  const sizes = new Set<number>();
  const look = (value: number): number => {
    sizes.add(runtime.dump({ stacks: false })[0]!.stackBytes);
    return value;
  };
  const runtime: Runtime = await open(bounded, {
    args: ["10"],
    imports: { env: { look, wait: Number, report: () => {} } },
  });
  expect(await runtime.run()).toBe(0);
  expect([...sizes]).toEqual([65_536]);
});

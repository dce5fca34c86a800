import * as fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { TASK } from "../../ts/abi.gen.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { withRuntime } from "../support/runtime.ts";

const MIB = 1024 * 1024;

let guest: TestGuest;
let why: string | undefined;

beforeAll(async () => {
  guest = await buildGuest("trim");
  await run(async (runtime) => {
    why = runtime.trim().reason;
  });
});

/** With a runtime on the best backend, whose guest can call `trim`. */
async function run(
  body: (runtime: Runtime) => Promise<void>,
  options: RuntimeOptions = {},
): Promise<void> {
  const trim = (): void => void opened?.trim();
  let opened: Runtime | undefined;
  await withRuntime(
    guest,
    { backend: "auto", imports: { env: { trim } }, ...options },
    (runtime) => {
      opened = runtime;
      return body(runtime);
    },
  );
}

/** Runs a law of trim.c. */
async function keep(
  runtime: Runtime,
  law: string,
  args: readonly number[] = [],
  stackBytes = 32 * 1024,
): Promise<void> {
  const line = await runtime.spawn(law, args, { stackBytes });
  expect(line, `the law broken at trim.c:${String(line)}`).toBe(0);
}

test("a backend that cannot give memory back says so, and everything stays", async () => {
  const options = { backend: "node" } as const;
  const forced = process.env.STACKFUL_BACKEND;
  delete process.env.STACKFUL_BACKEND;
  try {
    await run(async (runtime) => {
      await keep(runtime, "start", [1000, 4096]);
      await keep(runtime, "end", [-1]);
      const before = runtime.stats;
      expect(runtime.trim()).toEqual({ bytes: 0, reason: expect.stringContaining("node") });
      expect(runtime.stats.regionsBytes).toBe(before.regionsBytes);
      expect(runtime.stats.regionsFreeBytes).toBe(before.regionsFreeBytes);
    }, options);
  } finally {
    if (forced !== undefined) process.env.STACKFUL_BACKEND = forced;
  }
});

describe("on a backend that can", () => {
  const law = (title: string, body: (runtime: Runtime) => Promise<void>): void => {
    test(title, async (context) => {
      if (why !== undefined) context.skip(why);
      await run(body);
    });
  };

  law("after 20,000 tasks their memory goes back, and stale handles are ESRCH", async (runtime) => {
    const first = runtime.stats;
    await keep(runtime, "start", [20_000, 4096]);
    const full = runtime.stats;
    expect(full.regionsBytes - first.regionsBytes).toBeGreaterThan(80 * MIB);
    expect(runtime.trim().bytes).toBe(0);
    await keep(runtime, "end", [-1]);
    expect(runtime.stats.regionsFreeBytes).toBeGreaterThan(80 * MIB);

    const { bytes, reason } = runtime.trim();
    expect(reason).toBeUndefined();
    expect(bytes).toBeGreaterThan(80 * MIB);
    const trimmed = runtime.stats;
    expect(trimmed.regionsBytes).toBeLessThanOrEqual(full.regionsBytes - bytes);
    expect(trimmed.regionsFreeBytes).toBeLessThan(MIB);
    await keep(runtime, "all_stale");

    await keep(runtime, "start", [20_000, 4096]);
    expect(runtime.stats.memoryBytes).toBe(full.memoryBytes);
    expect(runtime.stats.regionsBytes).toBe(full.regionsBytes);
    await keep(runtime, "all_stale");
    await keep(runtime, "end", [-1]);
  });

  law("memory of small tasks serves large ones, and the other way round", async (runtime) => {
    let memoryBytes = 0;
    for (const [count, stackBytes] of [
      [30_000, 1024],
      [500, 65_536],
      [15_000, 2048],
      [30, 1024 * 1024],
      [30_000, 1024],
    ] as const) {
      await keep(runtime, "start", [count, stackBytes]);
      memoryBytes ||= runtime.stats.memoryBytes;
      expect(runtime.stats.memoryBytes).toBe(memoryBytes);
      await keep(runtime, "end", [-1]);
      runtime.trim();
      expect(runtime.stats.regionsFreeBytes).toBeLessThan(MIB);
    }
  });

  law("a second trim finds nothing", async (runtime) => {
    await keep(runtime, "start", [5_000, 4096]);
    await keep(runtime, "end", [-1]);
    expect(runtime.trim().bytes).toBeGreaterThan(16 * MIB);
    const { regionsBytes, regionsFreeBytes } = runtime.stats;
    expect(runtime.trim()).toEqual({ bytes: 0 });
    expect(runtime.stats).toMatchObject({ regionsBytes, regionsFreeBytes });
  });

  law("single free regions between live ones stay in their pools", async (runtime) => {
    await keep(runtime, "start", [20_000, 4096]);
    await keep(runtime, "end", [2]);
    const { regionsBytes, regionsFreeBytes } = runtime.stats;
    expect(runtime.trim()).toEqual({ bytes: 0 });
    expect(runtime.stats).toMatchObject({ regionsBytes, regionsFreeBytes });
    await keep(runtime, "start", [5_000, 4096]);
    expect(runtime.stats.regionsBytes).toBe(regionsBytes);
    await keep(runtime, "end", [-1]);
  });

  law(
    "a stale handle into the middle of a stack is ESRCH, whatever lies there",
    async (runtime) => {
      await keep(runtime, "start", [20_000, 1024]);
      await keep(runtime, "end", [-1]);
      runtime.trim();
      await keep(runtime, "stale_within_a_stack", [], 512 * 1024);
    },
  );

  law("a host import may trim below a running task", async (runtime) => {
    await keep(runtime, "trim_from_a_task", [10_000]);
    await keep(runtime, "all_stale");
  });

  law("memory of a burst goes back unasked", async (runtime) => {
    await keep(runtime, "start", [10_000, 4096]);
    await keep(runtime, "end", [-1]);
    expect(runtime.stats.regionsFreeBytes).toBeGreaterThan(40 * MIB);
    await vi.waitFor(() => expect(runtime.stats.regionsFreeBytes).toBeLessThan(MIB), 30_000);
    await keep(runtime, "all_stale");
  });

  // Goal: whatever order tasks come and go in, a trim takes no memory that somebody uses.
  // Method: every task checks at its end what it wrote into its stack at its start.
  test("random sequences of spawn, end and trim keep every task's stack", async (context) => {
    if (why !== undefined) context.skip(why);
    const step = fc.oneof(
      fc.record({ law: fc.constant("start"), args: startArguments() }),
      fc.record({ law: fc.constant("end"), args: fc.tuple(fc.integer({ min: -1, max: 3 })) }),
      fc.constant({ law: "trim", args: [] }),
      fc.constant({ law: "all_stale", args: [] }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await run(async (runtime) => {
          await keep(runtime, "start", [1, 1024]);
          await keep(runtime, "end", [-1]);
          for (const { law, args } of steps) {
            if (law === "trim") runtime.trim();
            else await keep(runtime, law, args);
          }
          await keep(runtime, "end", [-1]);
          runtime.trim();
          // Only what lies beside the two tasks of this test themselves can be left.
          expect(runtime.stats.regionsBytes).toBeLessThan(MIB / 2);
        });
      }),
      { numRuns: 40 },
    );
  });
});

function startArguments(): fc.Arbitrary<[number, number]> {
  return fc
    .tuple(fc.integer({ min: 1, max: 3 * MIB }), fc.integer({ min: 0, max: 10 }))
    .map(([bytes, sizeClass]) => [
      Math.min(2000, Math.ceil(bytes / (1024 << sizeClass))),
      1024 << sizeClass,
    ]);
}

test("a guest that has damaged its pools is told so, and the host goes on", async (context) => {
  if (why !== undefined) context.skip(why);
  await withRuntime(
    guest,
    { backend: "auto", imports: { env: { trim() {} } } },
    async (runtime) => {
      await keep(runtime, "start", [2000, 1024]);
      await keep(runtime, "end", [-1]);
      const words = new Uint32Array(runtime.memory.buffer);
      // The pool of the smallest class becomes a circle: a region's `next` names the region itself.
      const region = Number(await runtime.spawn("region_of_a_stale_task"));
      words[(region + TASK.next) / 4] = region;
      expect(() => runtime.trim()).toThrow(expect.objectContaining({ code: "SF_TRAP" }));
      expect(() => runtime.spawn("end", [-1])).toThrow(
        expect.objectContaining({ code: "SF_TRAP" }),
      );
    },
  );
});

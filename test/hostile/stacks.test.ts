import { beforeAll, describe, expect, test } from "vitest";
import type { StackfulError } from "../../ts/errors.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { withRuntime } from "../support/runtime.ts";

const KIB = 1024;
let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("hostile", { asyncImports: ["env.wait"] });
});

const imports = { env: { wait: () => new Promise((resolve) => setImmediate(resolve, 0)) } };

/**
 * Starts tasks with canaries on their stacks around a victim, in regions beside its own, and checks
 * that every one but the victim ends well.
 */
async function amongNeighbours(
  stackBytes: number,
  start: (runtime: Runtime) => PromiseLike<unknown>,
): Promise<unknown> {
  return withRuntime(guest, { imports }, async (runtime) => {
    const hold = (): PromiseLike<unknown> & { cancel(): void } =>
      runtime.spawn("hold", [stackBytes >> 1], { stackBytes: stackBytes + 512, name: "neighbour" });
    const neighbours = [hold(), hold(), hold()];
    const busy = runtime.spawn("add", [1, 2]);
    const victim = start(runtime);
    neighbours.push(hold(), hold(), hold());
    const outcome = await victim.then(
      (value) => value,
      (error: unknown) => error,
    );
    expect(await busy).toBe(3);
    for (const neighbour of neighbours) neighbour.cancel();
    expect(await Promise.all(neighbours)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await runtime.spawn("add", [3, 4])).toBe(7);
    return outcome;
  });
}

function expectOverflow(outcome: unknown, guestFunction: RegExp): void {
  expect(outcome).toMatchObject({ code: "SF_STACK_OVERFLOW" });
  const error = outcome as StackfulError;
  expect(error.message).toContain('"victim"');
  expect((error.cause as Error).stack).toMatch(guestFunction);
}

/** What the message says: bytes that were needed, and the size of the stack. */
function figures(outcome: unknown): { needed: number; size: number } {
  const match = /needed (\d+) bytes of (\d+)/.exec((outcome as Error).message);
  expect(match, (outcome as Error).message).not.toBe(null);
  return { needed: Number(match![1]), size: Number(match![2]) };
}

const CLASSES = [1, 2, 4, 16, 64, 256, 1024].map((kib) => kib * KIB);

describe.each(CLASSES)("a stack of %i bytes", (stackBytes) => {
  const options = { stackBytes, name: "victim" };

  test("endless recursion with C stack overflows, and harms nobody", async () => {
    const outcome = await amongNeighbours(stackBytes, (runtime) =>
      runtime.spawn("endless_stack", [], options),
    );
    expectOverflow(outcome, /endless_stack/);
    // So many frames may be more than the engine's own stack holds.
    if (stackBytes >= 512 * KIB && /engine's stack/.test((outcome as Error).message)) return;
    const { needed, size } = figures(outcome);
    expect(needed).toBeGreaterThan(0);
    expect(size).toBeGreaterThanOrEqual(stackBytes);
    expect(size).toBeLessThanOrEqual(2 * stackBytes);
  });

  test.each([1, 16, 100, 1_000])("arrays that do not fit overflow: %i levels", async (levels) => {
    const bytes = Math.ceil((2 * stackBytes + 512) / levels) + 16;
    const outcome = await amongNeighbours(stackBytes, (runtime) =>
      runtime.spawn("stack_user", [levels, bytes], options),
    );
    expectOverflow(outcome, /stack_user/);
    const { needed, size } = figures(outcome);
    expect(needed).toBeGreaterThan(size - 512);
  });

  // Each frame saves at least 8 bytes. A MiB of them is deeper than the engine's own stack.
  const depths = [stackBytes / 4, stackBytes / 8, stackBytes].filter(
    (depth) => depth >= 256 && depth <= 6_000 && depth * 8 > 2 * stackBytes - 1,
  );
  test.each(depths.flatMap((depth) => [0, 1, 2, 3, 5].map((how) => [depth, how] as const)))(
    "saved frames that do not fit overflow: depth %i, parking by %i",
    async (depth, how) => {
      const outcome = await amongNeighbours(stackBytes, (runtime) =>
        runtime.spawn("deep", [depth, how], options),
      );
      expectOverflow(outcome, /deep/);
      const { needed, size } = figures(outcome);
      expect(needed).toBeGreaterThan(size - 512);
    },
  );

  test.each([0x1000_0000, 0x7fff_fff0, 0xffff_0000].map((bytes) => bytes | 0))(
    "a huge alloca overflows: %i",
    async (bytes) => {
      const outcome = await amongNeighbours(stackBytes, (runtime) =>
        runtime.spawn("huge_alloca", [bytes], options),
      );
      expect(outcome).toMatchObject({ name: "StackfulError" });
      expect((outcome as StackfulError).code).toMatch(/SF_STACK_OVERFLOW|SF_TRAP/);
    },
  );
});

test("endless recursion without C stack is SF_STACK_OVERFLOW, and harms nobody", async () => {
  const outcome = await amongNeighbours(16 * KIB, (runtime) =>
    runtime.spawn("endless_frames", [], { name: "victim" }),
  );
  expectOverflow(outcome, /endless_frames/);
});

test.each([5_000, 20_000, 60_000])(
  "an array of %i bytes in a function that calls no other overflows, and harms nobody",
  async (bytes) => {
    const outcome = await amongNeighbours(4 * KIB, (runtime) =>
      runtime.spawn("leaf_array", [bytes], { stackBytes: 4 * KIB, name: "victim" }),
    );
    expectOverflow(outcome, /leaf_array/);
  },
);

test("a hundred tasks overflow one after the other, and others go on", async () => {
  await withRuntime(guest, { imports }, async (runtime) => {
    for (let round = 0; round < 100; round++) {
      const entry = ["endless_stack", "endless_frames", "deep"][round % 3]!;
      const args = entry === "deep" ? [2_000, 0] : [];
      await expect(runtime.spawn(entry, args, { stackBytes: 4096 })).rejects.toMatchObject({
        code: "SF_STACK_OVERFLOW",
      });
    }
    expect(await runtime.spawn("add", [1, 1])).toBe(2);
  });
});

describe.each([
  [0, "unreachable", /unreachable/i],
  [1, "a division by zero", /divide by zero|division/i],
  [2, "a load out of bounds", /out of bounds/i],
  [3, "a store out of bounds", /out of bounds/i],
  [4, "an indirect call out of the table", /table|null|call_indirect/],
  [5, "an indirect call with another type", /signature|null/],
  [6, "a division that overflows", /unrepresentable|overflow/],
] as const)("trap %i: %s", (kind, _what, reason) => {
  test("is SF_TRAP with the guest's stack as its cause, and others go on", async () => {
    const outcome = await amongNeighbours(4096, (runtime) =>
      runtime.spawn("trap", [kind], { name: "victim" }),
    );
    expect(outcome).toMatchObject({ code: "SF_TRAP" });
    const { message, cause } = outcome as StackfulError & { cause: Error };
    expect(message).toContain('"victim"');
    expect(message).toMatch(reason);
    expect(cause.stack).toMatch(/trap/);
  });
});

test("a spawn bomb ends at tasksMax, and others finish", async () => {
  const limits = { tasksMax: 20_000 };
  await withRuntime(guest, { imports, limits }, async (runtime) => {
    const others = Array.from({ length: 50 }, (_, index) => runtime.spawn("add", [index, 1]));
    expect(await runtime.spawn("spawn_bomb")).toBe(-6);
    expect(await Promise.all(others)).toEqual(others.map((_, index) => index + 1));
    while (runtime.stats.tasksLive > 0) {
      runtime.cancel();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await runtime.spawn("add", [1, 1])).toBe(2);
  });
});

describe("a wild pointer", () => {
  test.each([
    "spawn_wild_out",
    "spawn_wild_name",
    "spawn_wild_options",
    "wild_channel",
    "wild_channel_close",
  ])("in %s traps the task that passed it, and leaves nothing behind", async (entry) => {
    const outcome = await amongNeighbours(4096, (runtime) =>
      runtime.spawn(entry, [], { name: "victim" }),
    );
    expect(outcome).toMatchObject({ code: "SF_TRAP" });
  });

  test("as a task's entry traps that task", async () => {
    expect(await amongNeighbours(4096, (runtime) => runtime.spawn("spawn_wild_entry"))).toBe(-56);
  });

  test("as where a join puts its result ends joiner and child, and counts each once", async () => {
    await withRuntime(guest, { imports }, async (runtime) => {
      const joiner = runtime.spawn("join_wild");
      for (let round = 0; round < 5; round++) await runtime.spawn("add", [0, 0]);
      joiner.cancel();
      await joiner.then(
        () => {},
        () => {},
      );
    });
  }, 10_000);

  test("as where a receive puts its item does not leave the receiver behind", async () => {
    await withRuntime(guest, { imports }, async (runtime) => {
      const receiver = runtime.spawn("receive_wild");
      await runtime.spawn("add", [0, 0]);
      await runtime.spawn("send_once", [1]).then(
        () => {},
        () => {},
      );
      receiver.cancel();
      await receiver.then(
        () => {},
        () => {},
      );
    });
  }, 10_000);
});

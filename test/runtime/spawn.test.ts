import { getEventListeners } from "node:events";
import { beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS, type RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { leakCheck, openRuntime, withRuntime } from "../support/runtime.ts";

let guest: TestGuest;
const env = {
  wait: (value: number): number => value,
  wait64: (value: bigint): bigint => value,
  wait_f64: (value: number): number => value,
  wait_void: (): void => {},
  call: (value: number): number => value,
};
const imports = { env };

beforeAll(async () => {
  guest = await buildGuest("exports", { asyncImports: ["env.wait"] });
});

function run<T>(body: (runtime: Runtime) => Promise<T>, options: RuntimeOptions = {}): Promise<T> {
  return withRuntime(guest, { imports, ...options }, body);
}

test("an export of any type can be spawned, and awaiting it gives its result", async () => {
  await run(async (runtime) => {
    expect(await runtime.spawn("nothing")).toBe(undefined);
    expect(await runtime.spawn("add32", [-5, 3])).toBe(-2);
    expect(await runtime.spawn("add32", [0x7fff_ffff, 1])).toBe(-0x8000_0000);
    expect(await runtime.spawn("add64", [-5n, 1n << 62n])).toBe((1n << 62n) - 5n);
    expect(await runtime.spawn("addf", [0.25, 0.5])).toBe(0.75);
    expect(await runtime.spawn("addd", [0.1, 0.2])).toBe(0.1 + 0.2);
    expect(await runtime.spawn("mixed", [1, 2n, 3.5, 4.25, 5, 6n])).toBe(21.75);
  });
});

test("a task can be awaited any number of times, also after its end", async () => {
  await run(async (runtime) => {
    const task = runtime.spawn("add32", [1, 2]);
    expect(await Promise.all([task, task, task.then((value) => value)])).toEqual([3, 3, 3]);
    expect(await task).toBe(3);
    expect(task.status).toBe("ended");
  });
});

test("a task does not run before spawn has returned", async () => {
  await run(async (runtime) => {
    const task = runtime.spawn("nothing");
    expect(task.status).toBe("ready");
    expect(runtime.stats.switches).toBe(0);
    await task;
  });
});

test("many tasks at once each give their own result", async () => {
  await run(async (runtime) => {
    const tasks = Array.from({ length: 5_000 }, (_, index) =>
      runtime.spawn("add32", [index, 1], { stackBytes: 1024 }),
    );
    expect(await Promise.all(tasks)).toEqual(tasks.map((_, index) => index + 1));
  });
});

test("arguments that do not fit are a TypeError, and no task is made", async () => {
  await run(async (runtime) => {
    expect(() => runtime.spawn("add32", [1])).toThrow(TypeError);
    expect(() => runtime.spawn("add32", [1, 2, 3])).toThrow(TypeError);
    expect(() => runtime.spawn("add32", [1, 2n])).toThrow(/argument 2 is i32/);
    expect(() => runtime.spawn("add64", [1n, 2])).toThrow(/argument 2 is i64/);
    expect(() => runtime.spawn("add32", ["1", 2] as never)).toThrow(TypeError);
  });
});

test.each([
  "no_such",
  "memory",
  "sf_spawn",
  "stackful_run",
  "toString",
  "__proto__",
  "constructor",
])("%s is no export: a TypeError that names those that are", async (name) => {
  await run(async (runtime) => {
    expect(() => runtime.spawn(name)).toThrow(TypeError);
    expect(() => runtime.spawn(name)).toThrow(/exports no such function.*add32/);
  });
});

test("stackBytes is a whole number from 1 to 8 MiB", async () => {
  await run(async (runtime) => {
    for (const stackBytes of [0, -1, 1.5, Number.NaN, 8 * 1024 * 1024 + 1, 2 ** 32, Infinity]) {
      expect(() => runtime.spawn("nothing", [], { stackBytes }), String(stackBytes)).toThrow(
        RangeError,
      );
    }
    for (const stackBytes of [1, 1024, 1025, 4 * 1024 * 1024]) {
      await runtime.spawn("nothing", [], { stackBytes });
    }
  });
});

test("a stack of 8 MiB, the largest, can be spawned", async () => {
  await run(async (runtime) => {
    expect(await runtime.spawn("add32", [1, 2], { stackBytes: 8 * 1024 * 1024 })).toBe(3);
  });
});

test("a stack of a power of two takes that much, its name and arguments aside", async () => {
  await run(async (runtime) => {
    const before = runtime.stats.regionsBytes;
    await runtime.spawn("add32", [1, 2], { stackBytes: 65_536, name: "x" });
    expect(runtime.stats.regionsBytes - before).toBeLessThan(65_536 + 1024);
  });
});

test("a task has its name, cut at 64 bytes for the guest", async () => {
  await run(async (runtime) => {
    const address = (await runtime.spawn("scratch_address")) as number;
    const nameInGuest = async (name: string): Promise<string> => {
      const task = runtime.spawn("own_name", [address, 100], { name });
      expect(task.name).toBe(name);
      const length = (await task) as number;
      const bytes = new Uint8Array(runtime.memory.buffer).slice(address, address + length);
      return new TextDecoder().decode(bytes);
    };
    expect(await nameInGuest("worker")).toBe("worker");
    expect(await nameInGuest("größer")).toBe("größer");
    expect(await nameInGuest("n".repeat(100))).toBe("n".repeat(64));
    expect(runtime.spawn("nothing").name).toBe("nothing");
    await runtime.spawn("nothing");
  });
});

test("a signal cancels the task, also when it was aborted before", async () => {
  await run(async (runtime) => {
    const controller = new AbortController();
    const task = runtime.spawn("park", [], { signal: controller.signal });
    controller.abort();
    expect(await task).toBe(-11);
    expect(task.signal.aborted).toBe(true);
    expect(await runtime.spawn("park", [], { signal: controller.signal })).toBe(-11);
  });
});

test("a signal that outlives its tasks does not hold on to them", async () => {
  await run(async (runtime) => {
    const { signal } = new AbortController();
    for (let index = 0; index < 5; index++) await runtime.spawn("nothing", [], { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

test("cancel wakes a parked task, and its result stays its own", async () => {
  await run(async (runtime) => {
    const tasks = [runtime.spawn("park"), runtime.spawn("yield_until_canceled")];
    for (const task of tasks) task.cancel();
    expect(await Promise.all(tasks)).toEqual([-11, 7]);
    for (const task of tasks) task.cancel();
  });
});

test("result is what a task returned, and undefined before and for one that failed", async () => {
  await run(async (runtime) => {
    const [adding, trapping] = [runtime.spawn("add32", [1, 2]), runtime.spawn("trap")];
    expect(adding.result).toBe(undefined);
    await adding;
    await expect(trapping).rejects.toThrow();
    expect([adding.result, trapping.result, trapping.ended]).toEqual([3, undefined, true]);
  });
});

test("cancelAndWait and await using wait for the end and never reject", async () => {
  await run(async (runtime) => {
    const parked = runtime.spawn("park");
    const trapping = runtime.spawn("trap");
    const swallowing = runtime.spawn("ignore_cancels", [2]);
    await Promise.all([parked.cancelAndWait(), trapping.cancelAndWait()]);
    expect([parked.ended, parked.result, trapping.ended]).toEqual([true, -11, true]);
    await parked.cancelAndWait();
    let left = false;
    const block = async (): Promise<void> => {
      await using task = swallowing;
      expect(task.ended).toBe(false);
    };
    const leaving = block().then(() => {
      left = true;
    });
    await runtime.spawn("nothing");
    expect(left).toBe(false);
    swallowing.cancel();
    await leaving;
    expect(swallowing.result).toBe(2);
  });
});

test("one request, one ECANCELED", async () => {
  await run(async (runtime) => {
    const task = runtime.spawn("ignore_cancels", [3]);
    for (let round = 1; round <= 3; round++) {
      await runtime.spawn("nothing");
      expect(task.status).toBe("parked");
      task.cancel();
    }
    expect(await task).toBe(3);
  });
});

test("runtime.cancel reaches every task, the guest's own too", async () => {
  await run(async (runtime) => {
    await runtime.spawn("spawn_parked", [20]);
    const task = runtime.spawn("park");
    await runtime.spawn("nothing");
    expect(runtime.tasks()).toHaveLength(21);
    expect(runtime.tasks()).toContainEqual({ name: "park", waitsFor: "unpark" });
    runtime.cancel();
    expect(await task).toBe(-11);
    await runtime.spawn("nothing");
  });
});

test("a trap is SF_TRAP, names the task and has the guest's stack as its cause", async () => {
  await run(async (runtime) => {
    const failed: unknown = await runtime.spawn("trap", [], { name: "unlucky" }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({
      code: "SF_TRAP",
      message: expect.stringContaining('"unlucky"'),
    });
    expect((failed as { cause: Error }).cause.stack).toMatch(/trap/);
    expect(await runtime.spawn("add32", [1, 1])).toBe(2);
  });
});

test("onTaskFailed hears of the guest's own tasks, not of the host's", async () => {
  const failures: unknown[] = [];
  await run(
    async (runtime) => {
      await expect(runtime.spawn("trap")).rejects.toMatchObject({ code: "SF_TRAP" });
      expect(failures).toEqual([]);
      await runtime.spawn("spawn_trap");
      await runtime.spawn("nothing");
      expect(failures).toEqual([
        expect.objectContaining({
          code: "SF_TRAP",
          message: expect.stringContaining("guest's own"),
        }),
      ]);
    },
    { onTaskFailed: (error) => failures.push(error) },
  );
});

test("strict: a task that fails ends the others with its error", async () => {
  const runtime = await openRuntime(guest, { imports, strict: true });
  const parked = runtime.spawn("park");
  const trapped = runtime.spawn("trap");
  const error: unknown = await trapped.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "SF_TRAP" });
  await expect(parked).rejects.toBe(error);
  expect(() => runtime.spawn("nothing")).toThrow(error as Error);
  await runtime[Symbol.asyncDispose]();
});

test("spawn is SF_LIMIT at tasksMax, and works again once one has ended", async () => {
  await run(
    async (runtime) => {
      const tasks = Array.from({ length: 10 }, () => runtime.spawn("park"));
      expect(() => runtime.spawn("park")).toThrow(
        expect.objectContaining({ code: "SF_LIMIT", errno: "EAGAIN" }),
      );
      for (const task of tasks) task.cancel();
      await Promise.all(tasks);
      await runtime.spawn("nothing");
      expect(await runtime.spawn("spawn_parked", [100])).toBe(-6);
      runtime.cancel();
      await runtime.spawn("nothing");
    },
    { limits: { tasksMax: 10 } },
  );
});

test.each([
  ["tasksMax", 0],
  ["tasksMax", Number.NaN],
  ["stackBytes", 0],
  ["stackBytes", 2 ** 24],
  ["guestMemoryBytes", -1],
  ["guestMemoryBytes", 2 ** 32],
  ["handlesMax", 0],
  ["turnMs", 0],
  ["shutdownMs", -1],
])("limits.%s of %d is a RangeError that names it", async (name, value) => {
  const message = expect.stringContaining(`limits.${name}`) as string;
  await expect(openRuntime(guest, { imports, limits: { [name]: value } })).rejects.toMatchObject({
    name: "RangeError",
    message,
  });
});

test("stats tell backend, turns, switches, tasks and memory", async () => {
  await run(async (runtime) => {
    const before = runtime.stats;
    expect(before).toMatchObject({ backend: "node", tasksLive: 0, handlesOpen: 0, switches: 0 });
    expect(before.memoryBytes).toBeGreaterThan(DEFAULT_LIMITS.guestMemoryBytes);
    const parked = runtime.spawn("park");
    await runtime.spawn("yield_times", [100]);
    const during = runtime.stats;
    expect(during.tasksLive).toBe(1);
    expect(during.switches).toBeGreaterThanOrEqual(100);
    expect(during.schedulerTurns).toBeGreaterThan(0);
    expect(during.regionsBytes).toBeGreaterThan(2 * 16 * 1024);
    expect(during.longestTurnMs).toBeGreaterThan(0);
    expect(during.memoryBytes).toBe(runtime.memory.buffer.byteLength);
    parked.cancel();
    await parked;
  });
});

test("dispose cancels and joins what lives; twice is once", async () => {
  const runtime = await openRuntime(guest, { imports });
  await runtime.spawn("spawn_parked", [50]);
  const tasks = [runtime.spawn("park"), runtime.spawn("sleep_ms", [1_000_000])];
  await runtime.spawn("nothing");
  await Promise.all([runtime[Symbol.asyncDispose](), runtime[Symbol.asyncDispose]()]);
  expect(await Promise.all(tasks)).toEqual([-11, -11]);
  leakCheck(runtime);
  await runtime[Symbol.asyncDispose]();
  expect(() => runtime.spawn("nothing")).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
  expect(() => runtime.channel()).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
});

test("a task that does not end within shutdownMs is SF_DISPOSED", async () => {
  const runtime = await openRuntime(guest, { imports, limits: { shutdownMs: 20 } });
  const task = runtime.spawn("ignore_cancels", [1_000_000_000]);
  await runtime[Symbol.asyncDispose]();
  await expect(task).rejects.toMatchObject({ code: "SF_DISPOSED" });
});

test("a spawn right before dispose is canceled at its first cancel point", async () => {
  const runtime = await openRuntime(guest, { imports });
  const task = runtime.spawn("park");
  await runtime[Symbol.asyncDispose]();
  expect(await task).toBe(-11);
});

// The host's event loop must go round while tasks are ready all the time. Said without a clock: a turn
// is bounded by turnMs, two million switches take many turns, and between two of them setImmediate runs.
test("the host's event loop goes round while tasks never wait", async () => {
  await run(async (runtime) => {
    const tasks = [1, 2].map(() => runtime.spawn("yield_times", [1_000_000]));
    let rounds = 0;
    let over = false;
    void Promise.all(tasks).then(() => {
      over = true;
    });
    await new Promise<void>((resolve) => {
      const round = (): void => {
        rounds++;
        if (over) resolve();
        else setImmediate(round);
      };
      setImmediate(round);
    });
    expect(await Promise.all(tasks)).toEqual([1_000_000, 1_000_000]);
    expect(rounds).toBeGreaterThan(4);
    expect(runtime.stats.schedulerTurns).toBeGreaterThan(4);
  });
});

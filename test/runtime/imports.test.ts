import { beforeAll, describe, expect, test } from "vitest";
import type { HostFunction } from "../../ts/guest/host-imports.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime, withRuntime } from "../support/runtime.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("exports", {
    asyncImports: ["env.wait", "env.wait64", "env.wait_f64", "env.wait_void"],
  });
});

type Env = Partial<Record<"wait" | "wait64" | "wait_f64" | "wait_void" | "call", HostFunction>>;

function withImports(
  env: Env,
  body: (runtime: Runtime) => Promise<void>,
  options: RuntimeOptions = {},
): Promise<void> {
  const defaults = {
    wait: (value: number): number => value,
    wait64: (value: bigint): bigint => value,
    wait_f64: (value: number): number => value,
    wait_void: (): void => {},
    call: (value: number): number => value,
  };
  return withRuntime(guest, { imports: { env: { ...defaults, ...env } }, ...options }, body);
}

/** A promise and what settles it. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

const soon = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(resolve, value));

test("an import that returns a value does not park", async () => {
  await withImports({}, async (runtime) => {
    const before = runtime.stats.switches;
    expect(await runtime.spawn("wait32", [5])).toBe(5);
    expect(runtime.stats.switches - before).toBe(1);
  });
});

test("an import that returns a promise parks, and gives its value: i32, i64, f64, none", async () => {
  const env: Env = {
    wait: (value: number) => soon(value * 2),
    wait64: async (value: bigint) => soon(value * 2n),
    wait_f64: (value: number) => soon(value * 2),
    wait_void: () => soon("ignored"),
  };
  await withImports(env, async (runtime) => {
    expect(await runtime.spawn("wait32", [21])).toBe(42);
    expect(await runtime.spawn("wait64", [1n << 60n])).toBe((1n << 61n) + 1n);
    expect(await runtime.spawn("wait_f64", [1.25])).toBe(3);
    expect(await runtime.spawn("wait_void", [9])).toBe(9);
    expect(await runtime.spawn("wait_in_loop", [50])).toBe(50 * 49);
  });
});

test("a thenable counts as a promise", async () => {
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
  const thenable = { then: (resolve: (value: number) => void) => void setImmediate(resolve, 3) };
  await withImports({ wait: () => thenable }, async (runtime) => {
    expect(await runtime.spawn("wait32", [0])).toBe(3);
  });
});

test("others run while one waits for the host", async () => {
  const gate = deferred<number>();
  await withImports({ wait: () => gate.promise }, async (runtime) => {
    const task = runtime.spawn("wait32", [0]);
    expect(await runtime.spawn("add32", [1, 2])).toBe(3);
    expect(task.status).toBe("parked");
    expect(runtime.tasks()).toEqual([{ name: "wait32", waitsFor: "host promise" }]);
    gate.resolve(8);
    expect(await task).toBe(8);
  });
});

test("1,000 promises at once, settled in another order, go each to its own task", async () => {
  const gates = Array.from({ length: 1_000 }, () => deferred<number>());
  const wait = (index: number): Promise<number> => gates[index]!.promise;
  await withImports({ wait }, async (runtime) => {
    const tasks = gates.map((_, index) => runtime.spawn("wait32", [index]));
    await runtime.spawn("nothing");
    const order = gates.map((_, index) => (index * 617) % 1_000);
    for (const index of order) gates[index]!.resolve(index + 1_000_000);
    expect(await Promise.all(tasks)).toEqual(gates.map((_, index) => index + 1_000_000));
  });
});

describe.each([
  ["an Error", new Error("no such key")],
  ["a TypeError", new TypeError("not a key")],
  ["a RangeError", new RangeError("the key is too long")],
  ["a string", "no key"],
  ["null", null],
] as const)("%s", (_name, reason) => {
  const fails = {
    code: "SF_IMPORT",
    message: expect.stringContaining('"asker"') as string,
    cause: reason,
  };

  test("thrown by an import fails the task with SF_IMPORT and it as the cause", async () => {
    const call = (): never => {
      throw reason;
    };
    await withImports({ call, wait: call }, async (runtime) => {
      const others = runtime.spawn("yield_times", [50]);
      await expect(runtime.spawn("call", [1], { name: "asker" })).rejects.toMatchObject(fails);
      await expect(runtime.spawn("wait32", [1], { name: "asker" })).rejects.toMatchObject(fails);
      expect(await others).toBe(50);
    });
  });

  test("rejected by an import fails the task with SF_IMPORT and it as the cause", async () => {
    const wait = async (): Promise<never> => {
      await soon(0);
      throw reason;
    };
    await withImports({ wait }, async (runtime) => {
      await expect(runtime.spawn("wait32", [1], { name: "asker" })).rejects.toMatchObject(fails);
      expect(await runtime.spawn("add32", [1, 2])).toBe(3);
    });
  });
});

test("a promise from an import that was not declared is SF_IMPORT and names it", async () => {
  await withImports({ call: async () => 1 }, async (runtime) => {
    await expect(runtime.spawn("call", [1])).rejects.toMatchObject({
      code: "SF_IMPORT",
      message: expect.stringContaining("env.call"),
    });
  });
});

test("a value of another type than the guest expects is SF_IMPORT and names the import", async () => {
  const env: Env = { wait: async () => "text", wait64: async () => 5 };
  await withImports(env, async (runtime) => {
    for (const [entry, argument, name] of [
      ["wait32", 1, "env.wait"],
      ["wait64", 1n, "env.wait64"],
    ] as const) {
      await expect(runtime.spawn(entry, [argument])).rejects.toMatchObject({
        code: "SF_IMPORT",
        message: expect.stringContaining(name),
      });
    }
  });
});

test("a missing import is SF_IMPORT and every one is named", async () => {
  const missing = openRuntime(guest, { imports: { env: { wait: () => 0 } } });
  await expect(missing).rejects.toMatchObject({ code: "SF_IMPORT" });
  await expect(missing).rejects.toThrow(/env\.wait64.*env\.wait_f64.*env\.wait_void.*env\.call/);
});

test("an import knows the task that called it, and its signal", async () => {
  let runtime!: Runtime;
  const wait = (): Promise<number> => {
    const { signal } = runtime.current!;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(77)));
  };
  const call = (): number => (runtime.current!.name === "caller" ? 1 : 0);
  await withImports({ wait, call }, async (opened) => {
    runtime = opened;
    expect(runtime.current).toBe(undefined);
    expect(await runtime.spawn("call", [0], { name: "caller" })).toBe(2);
    const task = runtime.spawn("wait32", [0]);
    await runtime.spawn("nothing");
    task.cancel();
    expect(await task).toBe(77);
    expect(runtime.current).toBe(undefined);
  });
});

test("an import that calls an export which wants to park gets SF_IMPORT, and nothing is corrupted", async () => {
  let runtime!: Runtime;
  let caught: unknown;
  const call = (value: number): number => {
    const { park, add32 } = runtime.exports as Record<string, (...args: number[]) => number>;
    for (const attempt of [park!, () => add32!(1, 2)]) {
      try {
        attempt();
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: "SF_IMPORT", message: expect.stringContaining("park") });
    }
    return value * 2;
  };
  await withImports({ call }, async (opened) => {
    runtime = opened;
    const others = [3, 4, 5].map((value) => runtime.spawn("call_between", [value]));
    const waiting = runtime.spawn("yield_times", [50]);
    expect(await Promise.all(others)).toEqual([6, 8, 10]);
    expect(await waiting).toBe(50);
    expect(caught).toBeDefined();
  });
});

test("an import that lets that error through fails its task alone", async () => {
  let runtime!: Runtime;
  const call = (): number => (runtime.exports as { park(): number }).park();
  await withImports({ call }, async (opened) => {
    runtime = opened;
    const others = runtime.spawn("yield_times", [50]);
    await expect(runtime.spawn("call", [1])).rejects.toMatchObject({ code: "SF_IMPORT" });
    expect(await others).toBe(50);
  });
});

test("an export that does not park can be called from an import and from outside", async () => {
  let runtime!: Runtime;
  const call = (value: number): number =>
    (runtime.exports as { use_stack(bytes: number): number }).use_stack(value);
  await withImports({ call }, async (opened) => {
    runtime = opened;
    expect((runtime.exports as { use_stack(bytes: number): number }).use_stack(100)).toBe(3);
    expect(await runtime.spawn("call_between", [100])).toBe(3);
    expect(() => (runtime.exports as { park(): number }).park()).toThrow(
      expect.objectContaining({
        code: "SF_IMPORT",
        message: expect.stringContaining('spawn("park")'),
      }),
    );
    expect(await runtime.spawn("call_between", [100])).toBe(3);
  });
});

test("an overflow that an import caught does not change what a later trap is called", async () => {
  let runtime!: Runtime;
  const call = (value: number): number => {
    expect(() =>
      (runtime.exports as { use_stack(bytes: number): number }).use_stack(value),
    ).toThrow();
    return 0;
  };
  await withImports({ call }, async (opened) => {
    runtime = opened;
    await expect(
      runtime.spawn("call_then_trap", [100_000], { stackBytes: 4096 }),
    ).rejects.toMatchObject({ code: "SF_TRAP" });
    expect(await runtime.spawn("add32", [1, 2])).toBe(3);
  });
});

test("frames that overflow while waiting for a promise fail the task with SF_STACK_OVERFLOW", async () => {
  const gate = deferred<number>();
  await withImports({ wait: () => gate.promise }, async (runtime) => {
    const task = runtime.spawn("deep_wait", [500], { stackBytes: 1024, name: "deep" });
    await runtime.spawn("nothing");
    gate.resolve(1);
    await expect(task).rejects.toMatchObject({ code: "SF_STACK_OVERFLOW" });
    expect(await runtime.spawn("deep_wait", [500], { stackBytes: 1 << 20 })).toBe(501);
  });
}, 10_000);

test("an import can spawn, cancel and close while the guest runs", async () => {
  let runtime!: Runtime;
  const spawned: PromiseLike<unknown>[] = [];
  const call = (value: number): number => {
    spawned.push(runtime.spawn("add32", [value, 1]));
    runtime.cancel();
    return value;
  };
  await withImports({ call }, async (opened) => {
    runtime = opened;
    const channel = runtime.channel();
    const receiver = channel.receive();
    const parked = runtime.spawn("park");
    await runtime.spawn("nothing");
    expect(await runtime.spawn("call", [4])).toBe(5);
    expect(await parked).toBe(-11);
    expect(await Promise.all(spawned)).toHaveLength(1);
    channel.close();
    expect(await receiver).toBe(undefined);
  });
});

test("a promise that settles after its runtime ended is ignored", async () => {
  const gate = deferred<number>();
  const runtime = await openRuntime(guest, {
    imports: {
      env: {
        wait: () => gate.promise,
        wait64: () => 0n,
        wait_f64: () => 0,
        wait_void: () => {},
        call: () => 0,
      },
    },
    limits: { shutdownMs: 20 },
  });
  const task = runtime.spawn("wait32", [0]);
  await runtime.spawn("nothing");
  await runtime[Symbol.asyncDispose]();
  await expect(task).rejects.toMatchObject({ code: "SF_DISPOSED" });
  gate.resolve(1);
  await soon(0);
});

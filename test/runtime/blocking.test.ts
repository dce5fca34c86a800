import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";
import { withRuntime } from "../support/runtime.ts";

const WORK = new URL("./blocking-work.mjs", import.meta.url);

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("hostile", { asyncImports: ["env.wait"] });
});

const shared = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));

/** Lets `count` of those that hold go on. */
function letGo(counts: Int32Array, count: number): void {
  Atomics.add(counts, 2, count);
  Atomics.notify(counts, 2);
}

async function withThreads(
  blockingThreads: number,
  body: (runtime: Runtime) => Promise<void>,
  wait: () => Promise<number> = async () => 0,
): Promise<void> {
  const options = {
    imports: { env: { wait } },
    limits: { blockingThreads },
    backend: "node",
  } as const;
  await withRuntime(guest, options, body);
}

/** Resolves when `count` calls hold a thread each. */
function held(counts: Int32Array, count: number): Promise<void> {
  return vi.waitFor(() => expect(Atomics.load(counts, 0)).toBe(count), { timeout: 30_000 });
}

describe("runtime.blocking", () => {
  test("resolves to what the function returns, and what its promise resolves to", async () => {
    await withThreads(2, async (runtime) => {
      expect(await runtime.blocking<number>(WORK, "double", [21])).toBe(42);
      const value = new Map([["key", new Uint8Array([1, 2])]]);
      expect(await runtime.blocking(WORK.href, "later", [value])).toEqual({ value });
    });
  });

  test("has a task of the guest wait, and others go on meanwhile", async () => {
    const counts = shared(3);
    let runtime: Runtime;
    const wait = async (): Promise<number> => {
      await runtime.blocking(WORK, "hold", [counts]);
      return await runtime.blocking<number>(WORK, "double", [20]);
    };
    await withThreads(
      1,
      async (opened) => {
        runtime = opened;
        const waits = runtime.spawn("deep", [2, 6]);
        await held(counts, 1);
        expect(await runtime.spawn("add", [1, 2])).toBe(3);
        letGo(counts, 1);
        expect(await waits).toBe(42);
      },
      wait,
    );
  });

  test("runs no more at once than limits.blockingThreads, and in the end all", async () => {
    const counts = shared(3);
    await withThreads(2, async (runtime) => {
      const calls = Array.from({ length: 7 }, () => runtime.blocking(WORK, "hold", [counts]));
      await held(counts, 2);
      letGo(counts, calls.length);
      await Promise.all(calls);
      expect([...counts]).toEqual([0, 2, 0]);
    });
  });

  test("a call that waits for a thread never begins once it is canceled", async () => {
    const [counts, marks] = [shared(3), shared(1)];
    await withThreads(1, async (runtime) => {
      const first = runtime.blocking(WORK, "hold", [counts]);
      const abort = new AbortController();
      const second = runtime.blocking(WORK, "mark", [marks], { signal: abort.signal });
      const third = runtime.blocking(WORK, "mark", [marks]);
      await held(counts, 1);
      const reason = new Error("not wanted");
      abort.abort(reason);
      await expect(second).rejects.toBe(reason);
      letGo(counts, 1);
      await Promise.all([first, third]);
      expect(marks[0]).toBe(1);
      const late = runtime.blocking(WORK, "mark", [marks], { signal: abort.signal });
      await expect(late).rejects.toBe(reason);
      expect(await runtime.blocking(WORK, "double", [1])).toBe(2);
      expect(marks[0]).toBe(1);
    });
  });

  test("a call that runs for ever is canceled, and its thread is another's", async () => {
    const counts = shared(1);
    await withThreads(1, async (runtime) => {
      const abort = new AbortController();
      const call = runtime.blocking(WORK, "spin", [counts], { signal: abort.signal });
      const next = runtime.blocking(WORK, "double", [4]);
      await vi.waitFor(() => expect(counts[0]).toBeGreaterThan(0), { timeout: 30_000 });
      abort.abort("enough");
      await expect(call).rejects.toBe("enough");
      expect(await next).toBe(8);
    });
  });

  test("a cancel after the end changes nothing", async () => {
    await withThreads(1, async (runtime) => {
      const abort = new AbortController();
      const options = { signal: abort.signal };
      expect(await runtime.blocking(WORK, "double", [1], options)).toBe(2);
      abort.abort();
      expect(await runtime.blocking(WORK, "double", [2])).toBe(4);
    });
  });

  test("errors come back as they were", async () => {
    await withThreads(1, async (runtime) => {
      const failed = (how: string): Promise<unknown> =>
        runtime.blocking(WORK, "fail", [how]).catch((error: unknown) => error);
      const range = await failed("range");
      expect(range).toBeInstanceOf(RangeError);
      expect(range).toMatchObject({ message: "out of range", cause: "a cause" });
      expect((range as Error).stack).toContain("blocking-work.mjs");
      expect(await failed("file")).toMatchObject({ code: "ENOENT", syscall: "open" });
      expect(await failed("own")).toMatchObject({ name: "OwnError", detail: { depth: 2 } });
      expect(await failed("value")).toEqual({ no: "error" });
      expect(await failed("a function")).toMatchObject({ name: "DataCloneError" });
    });
  });

  test("what cannot be called is an error of that call alone", async () => {
    await withThreads(1, async (runtime) => {
      await expect(runtime.blocking(WORK, "nothing")).rejects.toThrow(TypeError);
      await expect(runtime.blocking(WORK, "double", [() => 1])).rejects.toThrow("clone");
      await expect(runtime.blocking("./relative.mjs", "double")).rejects.toThrow(TypeError);
      await expect(runtime.blocking(new URL("./none.mjs", WORK), "double")).rejects.toThrow("none");
      expect(await runtime.blocking(WORK, "double", [3])).toBe(6);
    });
  });

  test("a thread that ends is an error of its call, and not of the next", async () => {
    await withThreads(1, async (runtime) => {
      const call = runtime.blocking(WORK, "exit", [3]);
      const next = runtime.blocking(WORK, "double", [5]);
      await expect(call).rejects.toMatchObject({ code: "SF_IO" });
      expect(await next).toBe(10);
    });
  });

  test("ends with its runtime: what runs, what waits, and every thread", async () => {
    const counts = shared(1);
    const calls: Promise<unknown>[] = [];
    await withThreads(1, async (runtime) => {
      calls.push(runtime.blocking(WORK, "spin", [counts]), runtime.blocking(WORK, "double", [1]));
      for (const call of calls) call.catch(() => {});
      await vi.waitFor(() => expect(counts[0]).toBeGreaterThan(0), { timeout: 30_000 });
      await runtime[Symbol.asyncDispose]();
      const last = counts[0];
      await expect(runtime.blocking(WORK, "double", [1])).rejects.toMatchObject({
        code: "SF_DISPOSED",
      });
      expect(counts[0]).toBe(last);
    });
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "SF_DISPOSED" });
  });

  test("a runtime that ends does not wait for the call of a task", async () => {
    const counts = shared(1);
    let runtime: Runtime;
    const wait = async (): Promise<number> => await runtime.blocking(WORK, "spin", [counts]);
    await withThreads(
      1,
      async (opened) => {
        runtime = opened;
        const task = runtime.spawn("deep", [1, 6]);
        const ended = expect(task).rejects.toThrow("before the call did");
        await vi.waitFor(() => expect(counts[0]).toBeGreaterThan(0), { timeout: 30_000 });
        await runtime[Symbol.asyncDispose]();
        await ended;
      },
      wait,
    );
  });

  test("an idle thread does not keep the process", async () => {
    const { code, hung, stdout } = await runChild("runtime/blocking-child.ts", []);
    expect({ code, hung, stdout }).toEqual({ code: 0, hung: false, stdout: "42\n" });
  });
});

import { expect, test } from "vitest";
import { ExecutorPool } from "../../ts/executors/pool.ts";
import type { PoolOptions } from "../../ts/executors/pool-options.ts";
import * as inBrowsers from "../../ts/executors/start-thread.browser.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { openPool, until, withPool } from "./pools.ts";

const load = guestOfFile("executors");
const run = async (
  options: PoolOptions,
  body: (pool: ExecutorPool) => Promise<void>,
): Promise<void> => withPool(await load(), options, body);

test("every executor runs the same module in a memory of its own", async () => {
  await run({}, async (pool) => {
    expect(pool.executors).toBe(2);
    expect(pool.running).toEqual([0, 1]);
    expect(await pool.spawn("count", [], { on: 0 })).toBe(1);
    expect(await pool.spawn("count", [], { on: 0 })).toBe(2);
    expect(await pool.spawn("count", [], { on: 1 })).toBe(1);
    expect(await pool.spawn("place", [], { on: 0 })).toBe(200);
    expect(await pool.spawn("place", [], { on: 1 })).toBe(201);
  });
});

test("auto takes the executor with the fewest tasks, and goes round among equals", async () => {
  await run({ executors: 3 }, async (pool) => {
    const tasks = Array.from({ length: 6 }, () => pool.spawn("park"));
    expect(tasks.map(({ executor }) => executor)).toEqual([0, 1, 2, 0, 1, 2]);
    await tasks[1]!.cancelAndWait();
    await tasks[4]!.cancelAndWait();
    expect(pool.spawn("park").executor).toBe(1);
    expect(pool.spawn("park").executor).toBe(1);
    expect(pool.spawn("park").executor).toBe(2);
    expect(() => pool.spawn("park", [], { on: 3 })).toThrow(RangeError);
    expect(() => pool.spawn("park", [], { on: -1 })).toThrow(RangeError);
  });
});

test("a task is joined, canceled and aborted as one of a runtime", async () => {
  await run({}, async (pool) => {
    const task = pool.spawn("park", [], { on: 1, name: "parked" });
    expect([task.name, task.executor, task.status]).toEqual(["parked", 1, "running"]);
    task.cancel();
    expect(await task).toBeLessThan(0);
    expect([task.status, task.ended]).toEqual(["ended", true]);

    const abort = new AbortController();
    const aborted = pool.spawn("park", [], { signal: abort.signal });
    abort.abort();
    expect(await aborted).toBeLessThan(0);
    expect(await pool.spawn("park", [], { signal: abort.signal })).toBeLessThan(0);
  });
});

test("what a spawn is refused for its task is rejected with", async () => {
  await run({ limits: { tasksMax: 1 } }, async (pool) => {
    await expect(pool.spawn("nothing")).rejects.toThrow(TypeError);
    await expect(pool.spawn("act")).rejects.toThrow("it takes 1 arguments, not 0");
    await expect(pool.spawn("park", [], { stackBytes: 0 })).rejects.toThrow(RangeError);
    const parked = pool.spawn("park", [], { on: 0 });
    await expect(pool.spawn("park", [], { on: 0 })).rejects.toMatchObject({
      code: "SF_LIMIT",
      errno: "EAGAIN",
    });
    await parked.cancelAndWait();
  });
});

test("a task that traps fails alone, with the stack of the guest", async () => {
  await run({}, async (pool) => {
    const parked = pool.spawn("park", [], { on: 0 });
    const failed = pool.spawn("trap", [], { on: 0 });
    const error = await failed.then(
      () => new Error("it has returned"),
      (error) => error as Error,
    );
    expect(error).toMatchObject({ code: "SF_TRAP", name: "StackfulError" });
    expect((error.cause as Error).stack).toContain("trap");
    expect(parked.ended).toBe(false);
    expect(pool.running).toEqual([0, 1]);
  });
});

test("one table has the tasks of all executors, and figures are told for each", async () => {
  await run({}, async (pool) => {
    const tasks = [0, 1, 1].map((on, index) => pool.spawn("park", [], { on, name: `t${index}` }));
    const all = await until(
      () => pool.tasks(),
      (lines) => lines.every(({ waitsFor }) => waitsFor === "unpark"),
    );
    expect(all.map(({ name, executor }) => `${name} on ${executor}`).sort()).toEqual([
      "t0 on 0",
      "t1 on 1",
      "t2 on 1",
    ]);
    const dump = await pool.dump();
    expect(dump.map(({ name, executor }) => `${name} on ${executor}`)).toEqual([
      "t0 on 0",
      "t1 on 1",
      "t2 on 1",
    ]);
    expect(dump[0]!.stack).toContain("park");
    const stats = await pool.stats();
    expect(stats.map(({ executor, tasksLive }) => [executor, tasksLive])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    pool.cancel();
    await Promise.all(tasks);
  });
});

test("a signal reaches the guest on every executor", async () => {
  await run({ raisesSignals: true }, async (pool) => {
    expect(await pool.raise("SIGUSR1")).toBe(false);
    const watching = [0, 1].map((on) => pool.spawn("on_signal", [5], { on }));
    await until(
      () => pool.tasks(),
      (lines) => lines.filter(({ waitsFor }) => waitsFor === "signal").length === 2,
    );
    expect(await pool.raise("SIGUSR1")).toBe(true);
    expect(await Promise.all(watching)).toEqual([1, 1]);
    await expect(pool.raise("SIGKILL" as "SIGINT")).rejects.toThrow(TypeError);
  });
});

test("disposing cancels and joins on every executor, the guest's own tasks too", async () => {
  const pool = await openPool(await load());
  const parked = [0, 1].map((on) => pool.spawn("park", [], { on }));
  await Promise.all([0, 1].map((on) => pool.spawn("leave", [10], { on })));
  await pool[Symbol.asyncDispose]();
  for (const task of parked) expect(await task).toBeLessThan(0);
  expect(pool.running).toEqual([]);
  expect(() => pool.spawn("park")).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
  await pool[Symbol.asyncDispose]();
});

test("disposing ends a thread whose guest never lets go of it", async () => {
  const errors: string[] = [];
  const lines: string[] = [];
  let spinning = (): void => {};
  const pool = await openPool(await load(), {
    limits: { shutdownMs: 0 },
    onCrash: ({ code }) => void errors.push(code),
    onOutput: (stream, line, executor) => {
      lines.push(`${stream} of ${executor}: ${line}`);
      spinning();
    },
  });
  const started = new Promise<void>((resolve) => {
    spinning = resolve;
  });
  const spins = pool.spawn("spin", [], { on: 1 });
  await started;
  expect(lines).toEqual(["stdout of 1: spinning"]);
  await pool[Symbol.asyncDispose]();
  await expect(spins).rejects.toMatchObject({ code: "SF_EXECUTOR" });
  expect(errors).toEqual(["SF_EXECUTOR"]);
});

test("options with functions are refused by name", async () => {
  const { wasm } = await load();
  const create = (options: object) => ExecutorPool.create(wasm, options as PoolOptions);
  await expect(create({ imports: { env: {} } })).rejects.toThrow("options.imports");
  await expect(create({ backend: { open: () => {} } })).rejects.toThrow("options.backend");
  await expect(create({ executors: 0 })).rejects.toThrow(RangeError);
  await expect(create({ executors: 1.5 })).rejects.toThrow(RangeError);
});

test("a browser refuses by name", () => {
  const refused = expect.objectContaining({ code: "SF_EXECUTOR", errno: "ENOSYS" });
  for (const call of Object.values(inBrowsers)) expect(call).toThrow(refused);
});

test("a pool that cannot start says why, and leaves no thread", async () => {
  const guest = await load();
  await expect(openPool(guest, { imports: "node:no-such-module" })).rejects.toMatchObject({
    code: "SF_IMPORT",
  });
  await expect(openPool(guest, { imports: "node:path" })).rejects.toMatchObject({
    code: "SF_IMPORT",
  });
});

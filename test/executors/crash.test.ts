import { expect, test } from "vitest";
import type { StackfulError } from "../../ts/errors.ts";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import type { PoolOptions } from "../../ts/executors/pool-options.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { withPool } from "./pools.ts";

const load = guestOfFile("executors");

interface Crash {
  readonly error: StackfulError;
  readonly executor: number;
}

/** Runs `body` with a pool and its next crash. */
async function withCrashes(
  options: PoolOptions,
  body: (pool: ExecutorPool, crashes: readonly Crash[], next: Promise<Crash>) => Promise<void>,
): Promise<void> {
  const crashes: Crash[] = [];
  let crashed!: (crash: Crash) => void;
  const next = new Promise<Crash>((resolve) => {
    crashed = resolve;
  });
  const onCrash = (error: StackfulError, executor: number): void => {
    crashes.push({ error, executor });
    crashed({ error, executor });
  };
  await withPool(await load(), { ...options, onCrash }, (pool) => body(pool, crashes, next));
}

/** What must hold after executor 1 of two has crashed. */
async function othersGoOn(pool: ExecutorPool, crashes: readonly Crash[]): Promise<void> {
  expect(crashes.length).toBe(1);
  expect(crashes[0]).toMatchObject({ executor: 1, error: { code: "SF_EXECUTOR" } });
  expect(pool.running).toEqual([0]);
  expect(() => pool.spawn("count", [], { on: 1 })).toThrow(crashes[0]!.error);
  const tasks = [1, 2, 3].map(() => pool.spawn("count"));
  expect(tasks.map(({ executor }) => executor)).toEqual([0, 0, 0]);
  expect(await Promise.all(tasks)).toEqual([1, 2, 3]);
  expect((await pool.stats()).map(({ executor }) => executor)).toEqual([0]);
}

test.each([
  ["its thread is left", 1, "its thread has ended"],
  ["an exception is not caught", 2, "thrown on purpose"],
])("an executor crashes alone when %s; its tasks are rejected", async (_, what, why) => {
  await withCrashes({}, async (pool, crashes, next) => {
    const there = pool.spawn("park", [], { on: 0 });
    const parked = pool.spawn("park", [], { on: 1 });
    const acting = pool.spawn("act", [what], { on: 1 });
    const { error } = await next;
    expect(error.message).toContain(`executor 1 crashed: `);
    expect(error.message).toContain(why);
    await expect(parked).rejects.toBe(error);
    await expect(acting).rejects.toBe(error);
    await othersGoOn(pool, crashes);
    expect(there.ended).toBe(false);
  });
});

test("in strict mode a task that fails is the end of its executor alone", async () => {
  await withCrashes({ strict: true }, async (pool, crashes, next) => {
    const parked = pool.spawn("park", [], { on: 1 });
    await expect(pool.spawn("trap", [], { on: 1 })).rejects.toMatchObject({ code: "SF_TRAP" });
    await expect(parked).rejects.toMatchObject({ code: "SF_TRAP" });
    expect((await next).error.cause).toMatchObject({ code: "SF_TRAP" });
    await othersGoOn(pool, crashes);
  });
});

test("when every executor has crashed a spawn says so", async () => {
  await withCrashes({ executors: 1 }, async (pool, _, next) => {
    pool.spawn("act", [1]);
    const { error } = await next;
    expect(() => pool.spawn("count")).toThrow(error);
    expect(await pool.tasks()).toEqual([]);
  });
});

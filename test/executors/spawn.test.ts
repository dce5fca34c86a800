import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { withRuntime } from "../support/runtime.ts";
import { until, withPool } from "./pools.ts";

const load = guestOfFile("shared-channels");

const [AUTO, LOCAL] = [-1, -2];
const TOLD_BYTES = 20;

/** Has executor 0 spawn tasks; what they say: executor and numbers, in the order of the numbers. */
async function tellers(pool: ExecutorPool, placement: number, count: number): Promise<number[][]> {
  const told = pool.channel({ item: TOLD_BYTES, capacity: 4 });
  expect(await pool.spawn("spawn_tellers", [told.id, placement, count], { on: 0 })).toBe(0);
  const all: number[][] = [];
  for (let index = 0; index < count; index++) {
    const view = new DataView((await told.receive())!.buffer);
    all.push([4, 8, 12, 16].map((at) => view.getInt32(at, true)));
  }
  return all.toSorted((a, b) => a[1]! - b[1]!);
}

const numbersOf = (told: readonly number[][]) => told.map(([, ...numbers]) => numbers);
const expectedNumbers = (count: number) =>
  Array.from({ length: count }, (_, index) => [index, 2 * index, 3 * index]);

test("a guest starts tasks where it says, with their arguments", async () => {
  await withPool(await load(), { executors: 3 }, async (pool) => {
    for (const [placement, executor] of [
      [2, 2],
      [1, 1],
      [0, 0],
      [LOCAL, 0],
    ] as const) {
      const told = await tellers(pool, placement, 10);
      expect(told.map(([on]) => on)).toEqual(Array.from({ length: 10 }, () => executor));
      expect(numbersOf(told)).toEqual(expectedNumbers(10));
    }
    const spread = await tellers(pool, AUTO, 30);
    expect(numbersOf(spread)).toEqual(expectedNumbers(30));
    expect(new Set(spread.map(([on]) => on))).toEqual(new Set([0, 1, 2]));
    const live = await until(
      () => pool.stats(),
      (stats) => stats.every(({ tasksLive }) => tasksLive === 0),
    );
    expect(live.length).toBe(3);
  });
});

test("one that fails elsewhere is reported, and an executor that has crashed takes none", async () => {
  const failures: string[] = [];
  let failed = (): void => {};
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      failed = resolve;
    });
  const onTaskFailed = ({ code }: { code: string }, executor: number): void => {
    failures.push(`${code} on ${executor}`);
    failed();
  };
  await withPool(await load(), { onTaskFailed, onCrash: () => {} }, async (pool) => {
    const reported = next();
    expect(await pool.spawn("spawn_trap", [1], { on: 0 })).toBe(0);
    await reported;
    expect(failures).toEqual(["SF_TRAP on 1"]);
    const channel = pool.channel();
    const dying = pool.spawn("receive_then_act", [channel.id, 1], { on: 1 });
    await channel.send(0);
    await expect(dying).rejects.toMatchObject({ code: "SF_EXECUTOR" });
    expect(await pool.spawn("spawn_trap", [1], { on: 0 })).toBe(-ERRNO.ESRCH);
    const told = await tellers(pool, AUTO, 5);
    expect(told.map(([on]) => on)).toEqual([0, 0, 0, 0, 0]);
  });
});

test("in a runtime alone every placement is this one", async () => {
  const failures: string[] = [];
  let failed = (): void => {};
  const options = {
    imports: { env: { act: () => 0 } },
    onTaskFailed: ({ code }: { code: string }) => {
      failures.push(code);
      failed();
    },
  };
  await withRuntime(await load(), options, async (runtime) => {
    for (const placement of [AUTO, LOCAL, 0]) {
      const reported = new Promise<void>((resolve) => {
        failed = resolve;
      });
      expect(await runtime.spawn("spawn_trap", [placement])).toBe(0);
      await reported;
    }
    expect(failures).toEqual(["SF_TRAP", "SF_TRAP", "SF_TRAP"]);
    expect(await runtime.spawn("spawn_trap", [1])).toBe(-ERRNO.EINVAL);
  });
});

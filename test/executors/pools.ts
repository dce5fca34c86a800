//! Pools for tests.

import { expect } from "vitest";
import { ExecutorPool } from "../../ts/executors/pool.ts";
import type { PoolOptions } from "../../ts/executors/pool-options.ts";
import type { TestGuest } from "../support/build-guest.ts";

const REGISTER = new URL("../support/register-ts.mjs", import.meta.url).href;

/** A pool of two, unless `options` say otherwise, whose leftovers are cut short. */
export function openPool(guest: TestGuest, options: PoolOptions = {}): Promise<ExecutorPool> {
  return ExecutorPool.create(guest.wasm, {
    executors: 2,
    imports: new URL("./imports.mjs", import.meta.url),
    onTaskFailed: () => {},
    onCrash: (error) => {
      throw error;
    },
    execArgv: ["--import", REGISTER],
    ...options,
    limits: { shutdownMs: 1_000, ...options.limits },
  });
}

/** Runs `body` with a pool, and disposes of it. */
export async function withPool(
  guest: TestGuest,
  options: PoolOptions,
  body: (pool: ExecutorPool) => Promise<void>,
): Promise<void> {
  const pool = await openPool(guest, options);
  try {
    await body(pool);
  } finally {
    await pool[Symbol.asyncDispose]();
  }
  expect(pool.running).toEqual([]);
}

/** Asks until the answer passes: what changes without telling can only be asked for. */
export async function until<T>(ask: () => Promise<T>, passes: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
  }
}

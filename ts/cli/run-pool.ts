//! `stackful run --executors`: main on several threads.

import { ExecutorPool } from "../executors/pool.ts";
import type { PoolOptions } from "../executors/pool-options.ts";
import { handleSignals } from "./signals.ts";
import { formatStats } from "./stats.ts";

interface Reports {
  readonly dumpOn: NodeJS.Signals | undefined;
  /** "json", else a table for each executor. */
  readonly stats: string | undefined;
}

/** Runs main on every executor. @returns the exit code. */
export async function runPool(
  path: string,
  options: PoolOptions,
  { dumpOn, stats }: Reports,
): Promise<number> {
  const pool = await ExecutorPool.create(path, {
    ...options,
    onCrash: (error) => void process.stderr.write(`stackful: ${error.message}\n`),
  });
  const release = handleSignals(pool, dumpOn);
  try {
    return await pool.run();
  } finally {
    release();
    if (stats !== undefined) await printStats(pool, stats);
    await pool[Symbol.asyncDispose]();
  }
}

async function printStats(pool: ExecutorPool, how: string): Promise<void> {
  for (const stats of await pool.stats()) {
    const text = `executor ${stats.executor}\n${formatStats(stats)}`;
    process.stderr.write(how === "json" ? `${JSON.stringify(stats)}\n` : text);
  }
}

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Resident bytes of this process. On Linux from smaps_rollup, which is exact, where the counter
 * behind `process.memoryUsage` may lag behind by some pages.
 */
export function residentBytes(): number {
  if (process.platform !== "linux") return process.memoryUsage.rss();
  const line = /^Rss:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"));
  return line === null ? process.memoryUsage.rss() : Number(line[1]) * 1024;
}

/** Collects now, so that garbage of before does not count as growth. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}

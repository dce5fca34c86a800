import { collectGarbage, residentBytes } from "../memory.ts";
import { type Params, param, type Sample } from "../scenario.ts";

async function task(woken: Promise<number>): Promise<number> {
  return await woken;
}

/** Async functions that await a promise each. */
export async function parkedInJs(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  collectGarbage();
  const before = residentBytes();

  const release: ((value: number) => void)[] = [];
  const joins: Promise<number>[] = [];
  for (let i = 0; i < tasks; i++) {
    const woken = new Promise<number>((resolve) => release.push(resolve));
    joins.push(task(woken));
  }
  await undefined;
  collectGarbage();
  const after = residentBytes();

  for (const [i, wake] of release.entries()) wake(i);
  let sum = 0;
  for (const join of joins) sum += await join;
  return { metrics: { "bytes/task": (after - before) / tasks }, checksum: String(sum) };
}

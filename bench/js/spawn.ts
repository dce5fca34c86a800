import { type Params, param, type Sample } from "../scenario.ts";

/** Awaits once, so that it runs after its spawner as a task does, not within the call. */
async function task(result: number): Promise<number> {
  await undefined;
  return result;
}

/** One batch at a time: spawn all of it, then join all of it. */
export async function spawnInJs(params: Params): Promise<Sample> {
  const [tasks, batch] = [param(params, "tasks"), param(params, "batch")];
  const joins: Promise<number>[] = [];
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let first = 0; first < tasks; first += batch) {
    const end = Math.min(tasks, first + batch);
    for (let i = first; i < end; i++) joins.push(task(i));
    for (const join of joins) sum += await join;
    joins.length = 0;
  }
  const ns = Number(process.hrtime.bigint() - start);
  return { metrics: { "ns/task": ns / tasks }, checksum: String(sum) };
}

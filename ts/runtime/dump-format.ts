//! A dump for people: a table of the tasks, then their stacks, each once.

import { tableLines } from "../table.ts";
import type { TaskDump } from "./dump.ts";

export interface FormatOptions {
  /** Tasks in the table, and different stacks. @defaultValue 100 */
  readonly limit?: number;
}

/** A task of a runtime, or of an executor of a pool. */
export type DumpedTask = TaskDump & { readonly executor?: number };

const HEAD = ["id", "name", "state", "waits for", "waits", "age", "stack", "switches"];
const RIGHT = new Set([0, 4, 5, 6, 7, 8]);

/** Longest cell of a table. */
const CELL_MAX = 60;

export function formatDump(
  tasks: readonly DumpedTask[],
  { limit = 100 }: FormatOptions = {},
): string {
  const shown = tasks.slice(0, limit);
  const painted = shown.some((task) => task.stackHighBytes !== undefined);
  const pooled = shown.some((task) => task.executor !== undefined);
  const head = pooled ? [...HEAD, "executor"] : HEAD;
  const rows = [head, ...shown.map((task) => row(task, painted))];
  const lines = [
    summary(tasks),
    "",
    ...tableLines(rows, (column) => RIGHT.has(column)),
    ...more(tasks.length - limit, "tasks"),
  ];
  const groups = byStack(tasks);
  for (const group of groups.slice(0, limit)) lines.push("", ...block(group));
  lines.push(...more(groups.length - limit, "different stacks"));
  return `${lines.join("\n")}\n`;
}

function summary(tasks: readonly TaskDump[]): string {
  const counts = new Map<string, number>();
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
  const what = tasks.length === 1 ? "1 task" : `${tasks.length} tasks`;
  return states === "" ? what : `${what}: ${states}`;
}

function row(task: DumpedTask, painted: boolean): string[] {
  const high = painted ? ` (at most ${task.stackHighBytes})` : "";
  return [
    String(task.id),
    cut(task.name),
    task.state,
    cut(task.waitsFor),
    duration(task.waitsMs),
    duration(task.ageMs),
    `${task.stackUsedBytes}${high} of ${task.stackBytes}`,
    String(task.switches),
    ...(task.executor === undefined ? [] : [String(task.executor)]),
  ];
}

/** In the order of the first task that has the stack. Tasks that are in no function are left out. */
function byStack(tasks: readonly DumpedTask[]): DumpedTask[][] {
  const groups = new Map<string, DumpedTask[]>();
  for (const task of tasks) {
    if (task.stack.length === 0 && task.stackError === undefined) continue;
    const key = task.stackError ?? task.stack.join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [task]);
    else group.push(task);
  }
  return [...groups.values()];
}

function block(group: readonly DumpedTask[]): string[] {
  const first = group[0]!;
  const what = first.state === "running" ? "runs" : `waits for ${first.waitsFor}`;
  const where = first.executor === undefined ? "" : ` on executor ${first.executor}`;
  const others = group.length > 1 ? ` (${group.length - 1} more with the same stack)` : "";
  const frames = first.stackError === undefined ? first.stack : [`(${first.stackError})`];
  return [
    `task ${first.id} "${first.name}"${where} ${what}${others}`,
    ...frames.map((name) => `    ${name}`),
  ];
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`... and ${count} more ${what}`] : [];
}

function cut(text: string): string {
  return text.length <= CELL_MAX ? text : `${text.slice(0, CELL_MAX - 3)}...`;
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 2 * 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

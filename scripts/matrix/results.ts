//! What the matrix knows: for each JavaScript runtime and backend, how many laws held there.

import { readFileSync, writeFileSync } from "node:fs";
import type { BackendName } from "../../ts/host/backend.ts";
import { packageRoot } from "../../ts/package-files.ts";

/** The columns. kqueue runs over a shim here, in test/conformance alone. */
export const COLUMNS: readonly BackendName[] = [
  "uring",
  "epoll",
  "poll",
  "node",
  "deno",
  "sim",
  "none",
];

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One suite's run. */
export interface SuiteResult extends Counts {
  /** How often each reason of a skip was given. */
  readonly reasons: Readonly<Record<string, number>>;
  /** What failed: titles, and the first line of the message. */
  readonly failures: readonly string[];
}

export interface Cell {
  readonly backend: BackendName;
  /** What the runtime lacks for this backend; then nothing ran. */
  readonly lacks?: string;
  /** test/hosts/shared-suite.ts. */
  readonly guests?: SuiteResult;
  /** test/conformance/BACKEND.test.ts. */
  readonly conformance?: SuiteResult;
}

export interface Row {
  readonly runtime: string;
  /** Absent when the runtime is not here. */
  readonly version?: string;
  /** Why nothing of it ran. */
  readonly skipped?: string;
  readonly cells: readonly Cell[];
}

const FILE = packageRoot("docs/matrix.json");

export function readResults(): Row[] {
  return JSON.parse(readFileSync(FILE, "utf8")) as Row[];
}

export function writeResults(rows: readonly Row[]): void {
  writeFileSync(FILE, `${JSON.stringify(rows, undefined, 2)}\n`);
}

/** `before`, with what `now` has run in its place; in the order of `order`. */
export function mergeResults(
  before: readonly Row[],
  now: readonly Row[],
  order: readonly string[],
): Row[] {
  const rows = new Map(before.map((row) => [row.runtime, row]));
  for (const row of now) {
    if (row.skipped !== undefined) continue;
    const kept = rows.get(row.runtime)?.cells ?? [];
    const cell = (name: BackendName): Cell | undefined =>
      [...row.cells, ...kept].find(({ backend }) => backend === name);
    const cells = COLUMNS.flatMap((name) => cell(name) ?? []);
    rows.set(row.runtime, { ...row, cells });
  }
  return order.flatMap((name) => rows.get(name) ?? []);
}

export function suitesOf(cell: Cell): SuiteResult[] {
  return [cell.guests, cell.conformance].filter((suite) => suite !== undefined);
}

export function failuresOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ runtime, cells }) =>
    cells.flatMap((cell) =>
      suitesOf(cell).flatMap(({ failures }) =>
        failures.map((failure) => `${runtime}, ${cell.backend}: ${failure}`),
      ),
    ),
  );
}

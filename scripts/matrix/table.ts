//! The matrix as text: for a terminal, and for the README.

import type { BackendName } from "../../ts/host/backend.ts";
import { tableLines } from "../../ts/table.ts";
import { type Cell, COLUMNS, type Row, type SuiteResult, suitesOf } from "./results.ts";
import { UNSUPPORTED } from "./run-tests.ts";

/** What backends with operations that they do not have are made of. */
const MADE_OF: Readonly<Partial<Record<BackendName, string>>> = {
  node: "node:fs, node:net and node:dgram have",
  deno: "Deno's API has",
  sim: "a simulated world has",
};

/** What the terminal gets: a line for each runtime and backend. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [["runtime", "backend", "guests", "conformance", "reasons"]];
  for (const { runtime, version, skipped, cells } of rows) {
    const name = version === undefined ? runtime : nameOf(runtime, version);
    if (skipped !== undefined) lines.push([name, "", "", "", `skipped: ${skipped}`]);
    for (const cell of cells) {
      const reasons = cell.lacks === undefined ? countedReasons(suitesOf(cell)) : [cell.lacks];
      const counts = [cell.guests, cell.conformance].map(formatCounts);
      lines.push([name, cell.backend, ...counts, reasons.join("; ")]);
    }
  }
  return tableLines(lines).join("\n");
}

/** "Node 20" and "20.20.2" are "Node 20.20.2". */
function nameOf(runtime: string, version = "unknown"): string {
  return `${runtime.replace(/ \d+$/, "")} ${version}`;
}

/** passed/failed/skipped */
export function formatCounts(suite: SuiteResult | undefined): string {
  return suite === undefined ? "-" : `${suite.passed}/${suite.failed}/${suite.skipped}`;
}

function countedReasons(suites: readonly SuiteResult[]): string[] {
  return suites.flatMap(({ reasons }) =>
    Object.entries(reasons).map(([reason, count]) => `${count}: ${reason}`),
  );
}

/** What stands between the README's markers. */
export function formatReadme(rows: readonly Row[]): string {
  const notes = new Notes();
  const head = `| laws that hold | ${COLUMNS.join(" | ")} |`;
  const rule = `|---|${COLUMNS.map(() => "---|").join("")}`;
  const lines = rows.map((row) => {
    const cells = COLUMNS.map((name) => formatCell(row, name, notes));
    return `| ${nameOf(row.runtime, row.version)} | ${cells.join(" | ")} |`;
  });
  return [head, rule, ...lines, "", ...notes.lines].join("\n");
}

function formatCell({ cells }: Row, name: string, notes: Notes): string {
  const cell = cells.find(({ backend }) => backend === name);
  if (cell === undefined) return "not run";
  if (cell.lacks !== undefined) return `— ${notes.mark(cell.lacks)}`;
  const suites = suitesOf(cell);
  const sum = (key: "passed" | "failed"): number =>
    suites.reduce((total, suite) => total + suite[key], 0);
  const all = reasonsOf(cell)
    .map((reason) => notes.mark(reason))
    .join("");
  if (sum("failed") > 0) return `${sum("failed")} failed ${all}`.trimEnd();
  return (sum("passed") === 0 ? `— ${all}` : `ok ${sum("passed")} ${all}`).trimEnd();
}

/** Each once; the operations that the backend does not have are one. */
function reasonsOf(cell: Cell): string[] {
  const all = suitesOf(cell).flatMap(({ reasons }) => Object.keys(reasons));
  const missing = all.filter((reason) => reason.startsWith(UNSUPPORTED));
  const operations = new Set(missing.map((reason) => reason.slice(UNSUPPORTED.length)));
  const others = all.filter((reason) => !reason.startsWith(UNSUPPORTED));
  if (operations.size > 0) {
    const has = MADE_OF[cell.backend] ?? `backend ${cell.backend} has`;
    others.unshift(`${has} no ${[...operations].sort().join(", ")}`);
  }
  return [...new Set(others)];
}

/** Reasons, numbered in the order in which they come. */
class Notes {
  readonly #numbers = new Map<string, number>();

  mark(reason: string): string {
    const number = this.#numbers.get(reason) ?? this.#numbers.size + 1;
    this.#numbers.set(reason, number);
    return `<sup>${number}</sup>`;
  }

  get lines(): string[] {
    return [...this.#numbers].map(([reason, number]) => `<sup>${number}</sup> ${reason}<br>`);
  }
}

const BLOCK = /(<!-- matrix -->\n)[\s\S]*?(\n<!-- matrix -->)/;

/** @throws {Error} when it has no markers. */
export function replaceBlock(readme: string, block: string): string {
  if (!BLOCK.test(readme)) throw new Error("README.md has no <!-- matrix --> markers");
  return readme.replace(BLOCK, (_all, begin: string, end: string) => begin + block + end);
}

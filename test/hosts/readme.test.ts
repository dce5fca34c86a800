//! What the README says of the runtimes is what was counted.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COLUMNS, failuresOf, readResults, suitesOf } from "../../scripts/matrix/results.ts";
import { RUNTIMES } from "../../scripts/matrix/runtimes.ts";
import { formatReadme, replaceBlock } from "../../scripts/matrix/table.ts";
import { packageRoot } from "../../ts/package-files.ts";

const rows = readResults();

test("the README's table is that of docs/matrix.json", () => {
  const readme = readFileSync(packageRoot("README.md"), "utf8");
  expect(readme).toBe(replaceBlock(readme, formatReadme(rows)));
});

test("every runtime was counted on every backend, and nothing failed", () => {
  expect(rows.map(({ runtime }) => runtime)).toEqual(RUNTIMES.map(({ name }) => name));
  for (const { cells } of rows) expect(cells.map(({ backend }) => backend)).toEqual(COLUMNS);
  expect(failuresOf(rows)).toEqual([]);
});

test("every cell without laws, and every skip, has a reason", () => {
  for (const { cells } of rows) {
    for (const cell of cells) {
      const suites = suitesOf(cell);
      const passed = suites.reduce((sum, suite) => sum + suite.passed, 0);
      const reasons = suites.flatMap((suite) => Object.keys(suite.reasons));
      expect(passed > 0 || cell.lacks !== undefined || reasons.length > 0).toBe(true);
      expect(reasons).not.toContain("no reason given");
    }
  }
});

//! What `npm run matrix` counts.

import { expect, test } from "vitest";
import {
  failuresOf,
  mergeResults,
  type Row,
  type SuiteResult,
} from "../../scripts/matrix/results.ts";
import { countResults, runTests } from "../../scripts/matrix/run-tests.ts";
import { formatReadme, replaceBlock } from "../../scripts/matrix/table.ts";

const suite = (passed: number, more: Partial<SuiteResult> = {}): SuiteResult => {
  return { passed, failed: 0, skipped: 0, reasons: {}, failures: [], ...more };
};
const result = (title: string, status: string, failureMessages: string[] = []) => {
  return { ancestorTitles: [], title, status, failureMessages };
};

test("skips are counted by their reasons, one without a reason too", () => {
  const skips = ["a [skipped: no x]", "b [skipped: no x]", "c"];
  const counted = countResults([
    ...skips.map((title) => result(title, "skipped")),
    result("d", "passed"),
    result("e", "failed", ["Error: why\n  at once"]),
  ]);
  expect(counted).toEqual({
    passed: 1,
    failed: 1,
    skipped: 3,
    reasons: { "no x": 2, "no reason given": 1 },
    failures: ["e: Error: why"],
  });
});

test("a run that ends without a report has failed", async () => {
  const command = [process.execPath, "--no-such-flag"] as const;
  const { passed, failures } = await runTests({ command, file: "test/none.test.ts" });
  expect({ passed, failures }).toEqual({
    passed: 0,
    failures: [expect.stringMatching(/^test\/none\.test\.ts ended with 9: .*no-such-flag/)],
  });
});

test("a run that ends well, and without a report, has failed", async () => {
  const command = [process.execPath, "--eval", "0", "--"] as const;
  const { failures } = await runTests({ command, file: "test/none.test.ts" });
  expect(failures).toEqual(["test/none.test.ts ended with 0: "]);
});

test("what did not run stays as it was", () => {
  const before: Row[] = [
    {
      runtime: "Node 20",
      version: "20.1.0",
      cells: [
        { backend: "node", guests: suite(1) },
        { backend: "none", lacks: "nothing" },
      ],
    },
    { runtime: "Bun", version: "1.0.0", cells: [] },
  ];
  const now: Row[] = [
    { runtime: "Bun", skipped: "not installed", cells: [] },
    { runtime: "Node 20", version: "20.2.0", cells: [{ backend: "node", guests: suite(2) }] },
  ];
  expect(mergeResults(before, now, ["Bun", "Node 20"])).toEqual([
    before[1],
    {
      runtime: "Node 20",
      version: "20.2.0",
      cells: [
        { backend: "node", guests: suite(2) },
        { backend: "none", lacks: "nothing" },
      ],
    },
  ]);
});

test("a failure shows in its cell and in the list", () => {
  const rows: Row[] = [
    {
      runtime: "Node 20",
      version: "20.2.0",
      cells: [
        { backend: "uring", guests: suite(3, { failed: 1, failures: ["a: why"] }) },
        { backend: "poll", guests: suite(3) },
        { backend: "node", guests: suite(3), conformance: suite(4) },
        { backend: "deno", lacks: "no Deno" },
        { backend: "sim", guests: suite(0, { skipped: 1, reasons: { "no world": 1 } }) },
        { backend: "none", guests: suite(2, { skipped: 1, reasons: { "no Deno": 1 } }) },
      ],
    },
  ];
  expect(failuresOf(rows)).toEqual(["Node 20, uring: a: why"]);
  expect(replaceBlock("x\n<!-- matrix -->\nold\n<!-- matrix -->\ny", formatReadme(rows))).toBe(
    [
      "x",
      "<!-- matrix -->",
      "| laws that hold | uring | epoll | poll | node | deno | sim | none |",
      "|---|---|---|---|---|---|---|---|",
      "| Node 20.2.0 | 1 failed | not run | ok 3 | ok 7 | — <sup>1</sup> | — <sup>2</sup> | ok 2 <sup>1</sup> |",
      "",
      "<sup>1</sup> no Deno<br>",
      "<sup>2</sup> no world<br>",
      "<!-- matrix -->",
      "y",
    ].join("\n"),
  );
});

test("the operations that a backend does not have are one reason", () => {
  const reasons = { "unsupported: POLL": 3, "no x": 1, "unsupported: LOCK": 1 };
  const guests = suite(1, { reasons: { "unsupported: POLL": 1 } });
  const conformance = suite(1, { skipped: 5, reasons });
  const cells = [{ backend: "node", guests, conformance }] as const;
  expect(
    formatReadme([{ runtime: "Node 20", version: "20.2.0", cells }])
      .split("\n")
      .slice(4),
  ).toEqual([
    "<sup>1</sup> node:fs, node:net and node:dgram have no LOCK, POLL<br>",
    "<sup>2</sup> no x<br>",
  ]);
});

test("a skipped law says which operation the backend does not have", () => {
  const law = { ...result("a law", "skipped"), meta: { unsupported: "PIPE" } };
  expect(countResults([law]).reasons).toEqual({ "unsupported: PIPE": 1 });
});

//! Runs a test file by vitest inside a JavaScript runtime, and counts what came of it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../test/support/run-program.ts";
import { packageRoot } from "../../ts/package-files.ts";
import type { SuiteResult } from "./results.ts";

/** A machine may be busy with something else. */
const LIMIT_MS = 900_000;

export interface TestRun {
  /** The program and its flags: a script comes next. */
  readonly command: readonly [string, ...string[]];
  readonly file: string;
  /** Only what is below a `describe` of this name. Absent: everything. */
  readonly within?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What is looked at of vitest's JSON. */
interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}

export interface TestResult {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
  readonly failureMessages?: readonly string[] | null;
}

export async function runTests({ command, file, within, env }: TestRun): Promise<SuiteResult> {
  const directory = mkdtempSync(join(tmpdir(), "stackful-matrix-"));
  const output = join(directory, "report.json");
  try {
    const [program, ...flags] = command;
    const vitest = packageRoot("node_modules/vitest/vitest.mjs");
    const args = [...flags, vitest, "run", "--reporter=json", `--outputFile=${output}`, file];
    const { STACKFUL_BACKEND: _any, ...outer } = process.env;
    const { code, hung, stderr } = await runProgram(program, args, {
      cwd: packageRoot(),
      env: { ...outer, ...env },
      limitMs: LIMIT_MS,
    });
    const counted = count(readReport(output), within);
    if (code === 0 || counted.failed > 0) return counted;
    const why = hung ? "did not end" : `ended with ${code}: ${lastLine(stderr)}`;
    return { ...counted, failed: 1, failures: [`${file} ${why}`] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Nothing when the run ended before it could write one. */
function readReport(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return { testResults: [] };
  }
}

function count({ testResults }: Report, within: string | undefined): SuiteResult {
  const results = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ ancestorTitles }) => within === undefined || ancestorTitles.includes(within));
  const broken = testResults.filter(({ assertionResults }) => assertionResults.length === 0);
  const files = broken.map(({ message }) => ({
    ancestorTitles: [],
    title: "the file does not load",
    status: "failed",
    failureMessages: [message],
  }));
  return countResults([...results, ...files]);
}

/** Titles of skipped tests end in their reason. */
export function countResults(results: readonly TestResult[]): SuiteResult {
  const reasons: Record<string, number> = {};
  const failures: string[] = [];
  let passed = 0;
  let skipped = 0;
  for (const { title, status, failureMessages } of results) {
    if (status === "passed") passed++;
    else if (status === "failed") failures.push(`${title}: ${firstLine(failureMessages?.[0])}`);
    else {
      skipped++;
      const reason = /\[skipped: (.*)\]$/s.exec(title)?.[1] ?? "no reason given";
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
  }
  return { passed, failed: failures.length, skipped, reasons, failures };
}

const firstLine = (text = ""): string => text.trim().split("\n")[0]!;
const lastLine = (text: string): string => text.trim().split("\n").at(-1)!;

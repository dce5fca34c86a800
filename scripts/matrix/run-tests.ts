//! Runs a test file by vitest inside a JavaScript runtime, and counts what came of it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../test/support/run-program.ts";
import { packageRoot } from "../../ts/package-files.ts";
import type { SuiteResult } from "./results.ts";

/** What the reason begins with, and the name of the operation ends. */
export const UNSUPPORTED = "unsupported: ";

/** A machine may be busy with something else. */
const LIMIT_MS = 900_000;

export interface TestRun {
  /** The program and its flags: a script comes next. */
  readonly command: readonly [string, ...string[]];
  readonly file: string;
  /** Of vitest. */
  readonly flags?: readonly string[];
  /** Only what is below a `describe` of this name. Absent: everything. */
  readonly within?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After which it is ended. */
  readonly limitMs?: number;
}

/** What is looked at of vitest's JSON. */
export interface Report {
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
  /** What the test says of itself. */
  readonly meta?: { readonly operations?: readonly string[]; readonly unsupported?: string };
}

export async function runTests({ within, ...run }: TestRun): Promise<SuiteResult> {
  const { report, broken } = await runVitest({
    ...run,
    ...(within === undefined ? {} : { pattern: `^${within} ` }),
  });
  const counted = count(report, within);
  if (broken === undefined || counted.failed > 0) return counted;
  return { ...counted, failed: 1, failures: [`${run.file} ${broken}`] };
}

/** `pattern`: a regular expression for what runs; the rest is skipped. `broken`: how the run ended, if not well. */
export async function runVitest({
  command,
  file,
  flags: own = [],
  env,
  pattern,
  limitMs = LIMIT_MS,
}: Omit<TestRun, "within"> & { readonly pattern?: string }): Promise<{
  report: Report;
  broken: string | undefined;
}> {
  const directory = mkdtempSync(join(tmpdir(), "stackful-matrix-"));
  const output = join(directory, "report.json");
  try {
    const [program, ...flags] = command;
    const vitest = packageRoot("node_modules/vitest/vitest.mjs");
    const only = pattern === undefined ? [] : [`--testNamePattern=${pattern}`];
    const reporter = ["--reporter=json", `--outputFile=${output}`];
    const args = [...flags, vitest, "run", ...reporter, ...only, ...own, file];
    const { STACKFUL_BACKEND: _any, ...outer } = process.env;
    const { code, hung, stderr } = await runProgram(program, args, {
      cwd: packageRoot(),
      env: { ...outer, ...env },
      limitMs,
    });
    const how = hung ? "did not end" : `ended with ${code}: ${lastLine(stderr)}`;
    const report = readReport(output);
    // Bun ends well when nothing is left that would wake it, whatever was awaited.
    const well = code === 0 && report !== undefined;
    return { report: report ?? { testResults: [] }, broken: well ? undefined : how };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Undefined when the run ended before it could write one. */
function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

/** Of a skipped test: its title ends in it, or it says which operation the backend has not. */
export function reasonOf({ title, meta }: TestResult): string {
  if (meta?.unsupported !== undefined) return `${UNSUPPORTED}${meta.unsupported}`;
  return /\[skipped: (.*)\]$/s.exec(title)?.[1] ?? "no reason given";
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

export function countResults(results: readonly TestResult[]): SuiteResult {
  const reasons: Record<string, number> = {};
  const failures: string[] = [];
  let passed = 0;
  let skipped = 0;
  for (const result of results) {
    const { title, status, failureMessages } = result;
    if (status === "passed") passed++;
    else if (status === "failed") failures.push(`${title}: ${firstLine(failureMessages?.[0])}`);
    else {
      skipped++;
      const reason = reasonOf(result);
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
  }
  return { passed, failed: failures.length, skipped, reasons, failures };
}

const firstLine = (text = ""): string => text.trim().split("\n")[0]!;
const lastLine = (text: string): string => text.trim().split("\n").at(-1)!;

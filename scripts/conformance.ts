//! `npm run conformance`: every operation on every backend, by the laws that it takes part in.

import { parseArgs } from "node:util";
import { findDeno, NO_DENO } from "../test/support/programs.ts";
import { runInWine } from "../test/support/wine.ts";
import { OPERATIONS } from "../ts/host/capability.ts";
import { tableLines } from "../ts/table.ts";
import { type Report, reasonOf, runVitest, type TestResult } from "./matrix/run-tests.ts";
import { installWindows } from "./windows.ts";

const USAGE = `usage: npm run conformance -- [--json]

Runs test/conformance here, in Deno where there is one, and in Windows Node where there are Wine and a compiler
for Windows. Prints for each operation and backend how many of the laws that submit the operation passed and
failed; then why laws were skipped, and how many.
`;

const WINE_LIMIT_MS = 1_800_000;

interface Count {
  passed: number;
  failed: number;
}

interface Backend {
  readonly name: string;
  readonly operations: Map<string, Count>;
  readonly laws: Count;
  readonly skips: Map<string, number>;
  readonly failures: string[];
}

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});

async function run(): Promise<{ backends: Backend[]; broken: string[] }> {
  const backends = new Map<string, Backend>();
  const broken: string[] = [];
  const add = async (command: readonly [string, ...string[]], file: string): Promise<void> => {
    const { report, broken: how } = await runVitest({ command, file });
    for (const result of resultsOf(report)) count(backends, result);
    if (how !== undefined) broken.push(`${command[0]}: ${how}`);
  };
  await add([process.execPath], "test/conformance");
  const deno = findDeno();
  if (deno === undefined) {
    backendOf(backends, "deno").skips.set(NO_DENO, 1);
  } else {
    await add([deno, "run", "-A"], "test/conformance/deno.test.ts");
  }
  const windows = installWindows();
  if (typeof windows === "string") {
    backendOf(backends, "iocp").skips.set(windows, 1);
  } else {
    const { results, broken: how } = await runInWine(windows, { limitMs: WINE_LIMIT_MS });
    for (const result of results) count(backends, result);
    if (how !== undefined) broken.push(`wine: ${how}`);
  }
  return { backends: [...backends.values()], broken };
}

/** Not that Deno or Windows keeps the laws: they are counted one by one. */
function resultsOf({ testResults }: Report): TestResult[] {
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(
      ({ title, ancestorTitles: [suite = ""] }) =>
        !(RUN_ELSEWHERE.includes(suite) && title.startsWith("keeps")),
    );
}

const RUN_ELSEWHERE = ["deno backend", "iocp backend"];

function backendOf(backends: Map<string, Backend>, name: string): Backend {
  let backend = backends.get(name);
  if (backend === undefined) {
    const laws = { passed: 0, failed: 0 };
    backend = { name, operations: new Map(), laws, skips: new Map(), failures: [] };
    backends.set(name, backend);
  }
  return backend;
}

function count(backends: Map<string, Backend>, result: TestResult): void {
  const name = /^(.*) backend\b/.exec(result.ancestorTitles[0] ?? "")?.[1];
  if (name === undefined) return;
  const backend = backendOf(backends, name);
  if (result.status !== "passed" && result.status !== "failed") {
    const reason = reasonOf(result);
    backend.skips.set(reason, (backend.skips.get(reason) ?? 0) + 1);
    return;
  }
  backend.laws[result.status]++;
  if (result.status === "failed") backend.failures.push(result.title);
  for (const operation of result.meta?.operations ?? []) {
    const counted = backend.operations.get(operation) ?? { passed: 0, failed: 0 };
    counted[result.status]++;
    backend.operations.set(operation, counted);
  }
}

/** "passed", or "passed/failed". */
function cell(counted: Count | undefined): string {
  if (counted === undefined) return "-";
  return counted.failed === 0 ? `${counted.passed}` : `${counted.passed}/${counted.failed} failed`;
}

function format(backends: readonly Backend[]): string {
  const rows = [
    ["", ...backends.map(({ name }) => name)],
    ...OPERATIONS.map((operation) => [
      operation.toLowerCase().replaceAll("_", " "),
      ...backends.map(({ operations }) => cell(operations.get(operation))),
    ]),
    ["laws", ...backends.map(({ laws }) => cell(laws))],
    ["skipped", ...backends.map(({ skips }) => String(sum(skips)))],
  ];
  const lines = tableLines(rows, (column) => column > 0);
  for (const { name, skips } of backends) {
    for (const [reason, times] of skips) lines.push(`skipped on ${name}: ${times}: ${reason}`);
  }
  return lines.join("\n");
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, one) => total + one, 0);
}

function toJson(backends: readonly Backend[]): unknown {
  return backends.map(({ name, operations, laws, skips, failures }) => ({
    backend: name,
    operations: Object.fromEntries(operations),
    laws,
    skipped: Object.fromEntries(skips),
    failures,
  }));
}

if (values.help) {
  process.stdout.write(USAGE);
} else {
  const { backends, broken } = await run();
  const text = values.json ? JSON.stringify(toJson(backends), undefined, 2) : format(backends);
  process.stdout.write(`${text}\n`);
  for (const { name, failures } of backends) {
    for (const title of failures) process.stderr.write(`failed on ${name}: ${title}\n`);
  }
  for (const how of broken) process.stderr.write(`${how}\n`);
  const held = backends.every(({ failures }) => failures.length === 0);
  process.exitCode = held && broken.length === 0 ? 0 : 1;
}

//! `npm run matrix -- [RUNTIME …]`: the same guests on every JavaScript runtime, on each of its backends.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildHostGuests } from "../test/hosts/guests.ts";
import { packageRoot } from "../ts/package-files.ts";
import {
  COLUMNS,
  failuresOf,
  mergeResults,
  type Row,
  readResults,
  writeResults,
} from "./matrix/results.ts";
import { runRow } from "./matrix/run-row.ts";
import { install, RUNTIMES } from "./matrix/runtimes.ts";
import { formatReadme, formatTable, replaceBlock } from "./matrix/table.ts";

const USAGE = `usage: npm run matrix -- [RUNTIME …] [options]

Runs test/hosts and test/conformance inside each runtime, and prints the table; on stderr a line for
each backend as soon as it has run. RUNTIME is one of
${RUNTIMES.map(({ key }) => key).join(", ")}; all of them without one. A runtime is found in
STACKFUL_NODE22, STACKFUL_DENO, STACKFUL_CHROMIUM and so on, in PATH, or where --install puts it.

  --backend NAME   only this one: ${COLUMNS.join(", ")}; may be given again
  --install        have npm install the runtimes that are not there, below dist/runtimes
  --json           print what was counted as JSON
  --write          put it into docs/matrix.json and README.md, after each runtime; what did not run
                   stays as it was
  --help           this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: "string", multiple: true, default: [] },
    install: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function check(what: string, given: readonly string[], known: readonly string[]): void {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong === undefined) return;
  process.stderr.write(`matrix: no such ${what}: ${wrong} (one of ${known.join(", ")})\n`);
  process.exit(2);
}

async function run(): Promise<Row[]> {
  const backends = COLUMNS.filter((n) => !values.backend.length || values.backend.includes(n));
  const runtimes = RUNTIMES.filter(({ key }) => !positionals.length || positionals.includes(key));
  // Not every runtime has the compiler.
  await buildHostGuests();
  const rows: Row[] = [];
  for (const runtime of runtimes) {
    if (values.install && runtime.find() === undefined) install(runtime);
    const row = await runRow(runtime, backends, (text) =>
      process.stderr.write(`matrix: ${text}\n`),
    );
    rows.push(row);
    // At once, for a run that is stopped.
    if (values.write) write([row]);
  }
  return rows;
}

function write(rows: readonly Row[]): void {
  const order = RUNTIMES.map(({ name }) => name);
  const merged = mergeResults(readResults(), rows, order);
  writeResults(merged);
  const readme = packageRoot("README.md");
  writeFileSync(readme, replaceBlock(readFileSync(readme, "utf8"), formatReadme(merged)));
}

if (values.help) {
  process.stdout.write(USAGE);
} else {
  check(
    "runtime",
    positionals,
    RUNTIMES.map(({ key }) => key),
  );
  check("backend", values.backend, COLUMNS);
  const rows = await run();
  const text = values.json ? JSON.stringify(rows, undefined, 2) : formatTable(rows);
  process.stdout.write(`${text}\n`);
  const failures = failuresOf(rows);
  for (const failure of failures) process.stderr.write(`failed: ${failure}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

//! Runs what one JavaScript runtime has.

import { HostsPage } from "../../test/hosts/run-page.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import { type Cell, COLUMNS, type Row, type SuiteResult, suitesOf } from "./results.ts";
import { countResults, runTests } from "./run-tests.ts";
import { type MatrixRuntime, versionOf } from "./runtimes.ts";
import { formatCounts } from "./table.ts";

/** One suite on one backend. */
type Run = (backend: BackendName) => Promise<SuiteResult>;

/** @param say - is told of each backend what came of it, as soon as it has run. */
export async function runRow(
  runtime: MatrixRuntime,
  backends: readonly BackendName[],
  say: (text: string) => void,
): Promise<Row> {
  const { name, key, flags } = runtime;
  const program = runtime.find();
  if (program === undefined) {
    const hint = runtime.package === undefined ? "" : `; run npm run matrix -- --install ${key}`;
    return { runtime: name, skipped: `not installed${hint}`, cells: [] };
  }
  if (flags === undefined) return runPageRow(runtime, program, backends, say);
  const command: [string, ...string[]] = [program, ...flags];
  const guests: Run = (backend) =>
    runTests({
      command,
      file: "test/hosts/hosts.test.ts",
      within: `backend ${backend}`,
      env: { STACKFUL_BACKEND: backend },
    });
  const conformance: Run = (backend) =>
    runTests({
      command,
      file: `test/conformance/${backend}.test.ts`,
      // Not once more with other settings.
      within: `${backend} backend`,
    });
  const cells = await runCells(runtime, backends, say, { guests, conformance });
  return { runtime: name, version: versionOf(program), cells };
}

async function runPageRow(
  runtime: MatrixRuntime,
  program: string,
  backends: readonly BackendName[],
  say: (text: string) => void,
): Promise<Row> {
  await using page = await HostsPage.open(program);
  const guests: Run = async (backend) => {
    const results = await page.run(backend);
    return countResults(
      results.map(({ title, skipped, failure }) => ({
        ancestorTitles: [],
        title: skipped === undefined ? title : `${title} [skipped: ${skipped}]`,
        status: skipped === undefined ? (failure === undefined ? "passed" : "failed") : "skipped",
        failureMessages: failure === undefined ? [] : [failure],
      })),
    );
  };
  const cells = await runCells(runtime, backends, say, { guests });
  return { runtime: runtime.name, version: page.version, cells };
}

/** One after the other. */
async function runCells(
  { name, lacks }: MatrixRuntime,
  backends: readonly BackendName[],
  say: (text: string) => void,
  runs: { readonly guests: Run; readonly conformance?: Run },
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const backend of COLUMNS.filter((column) => backends.includes(column))) {
    const why = lacks[backend];
    if (why !== undefined) {
      cells.push({ backend, lacks: why });
      continue;
    }
    const began = performance.now();
    const [guests, conformance] = await Promise.all([
      runs.guests(backend),
      runs.conformance?.(backend),
    ]);
    const cell = { backend, guests, ...(conformance === undefined ? {} : { conformance }) };
    cells.push(cell);
    const seconds = Math.round((performance.now() - began) / 1000);
    const counts = [guests, conformance].map(formatCounts).join(", ");
    say(`${name}, backend ${backend}: passed/failed/skipped ${counts}, ${seconds} s`);
    for (const failure of suitesOf(cell).flatMap(({ failures }) => failures)) {
      say(`  failed: ${failure}`);
    }
  }
  return cells;
}

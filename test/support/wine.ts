//! Runs the laws of the iocp backend in Windows Node, under Wine.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestResult } from "../../scripts/matrix/run-tests.ts";
import type { Windows } from "../../scripts/windows.ts";
import { packageRoot } from "../../ts/package-files.ts";

export interface WineRun {
  readonly limitMs: number;
  /** Only laws whose titles match this regular expression. Default: all. */
  readonly pattern?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface WineResult {
  readonly results: TestResult[];
  /** How the run ended, if not well. */
  readonly broken: string | undefined;
}

/** The tests must be compiled. */
export async function runInWine(
  { wine, env, node }: Windows,
  { limitMs, pattern = "", env: more = {} }: WineRun,
): Promise<WineResult> {
  const directory = mkdtempSync(join(tmpdir(), "stackful-wine-"));
  const results = join(directory, "results.txt");
  // Node does not start there with a pipe of Linux.
  const output = join(directory, "output.txt");
  const written = openSync(output, "w");
  try {
    const main = packageRoot("dist/test/windows/main.js");
    const child = spawn(wine, [node, `Z:${main}`, `Z:${results}`, pattern], {
      env: { ...process.env, ...env, ...more },
      stdio: ["ignore", written, written],
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    clearTimeout(limit);
    const how = `ended with ${code ?? signal}: ${readFileSync(output, "utf8").slice(-2000)}`;
    return read(results, how);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A law that began and has no result ended the process. */
function read(path: string, how: string): WineResult {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const results: TestResult[] = [];
  let begun: string | undefined;
  for (const line of lines) {
    const told = JSON.parse(line) as string | TestResult;
    begun = typeof told === "string" ? told : undefined;
    if (typeof told !== "string") results.push(told);
  }
  return { results, broken: begun === "" ? undefined : `${begun}: ${how}` };
}

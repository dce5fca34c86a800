//! Runs a TypeScript file of the tests in a process of its own, on the runtime that the tests run on.

import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { packageRoot } from "../../ts/package-files.ts";
import {
  type ProgramOptions,
  type ProgramResult,
  type RunningProgram,
  startProgram,
} from "./run-program.ts";

export type ChildResult = ProgramResult;
export type RunningChild = RunningProgram;

export interface ChildOptions extends ProgramOptions {
  readonly nodeArgs?: readonly string[];
}

/** `file` is relative to test/. A child that hangs is ended after `limitMs`. */
export function runChild(
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  return startChild(file, args, options).ended;
}

/** The same, for a child that something is to happen to while it runs. */
export function startChild(
  file: string,
  args: readonly string[],
  { nodeArgs = [], ...options }: ChildOptions = {},
): RunningChild {
  return startProgram(...childCommand(file, args, nodeArgs), options);
}

/** The program, and its arguments. */
export function childCommand(
  file: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
): [command: string, args: string[]] {
  const path = packageRoot(`test/${file}`);
  const runtime = jsRuntime();
  if (runtime === "deno") {
    return [process.execPath, ["run", "-A", "--import-map", platformMap(), path, ...args]];
  }
  // Nothing tells Bun that #platform is elsewhere than package.json says: it gets what is compiled.
  if (runtime === "bun") {
    return [process.execPath, [packageRoot(`dist/test/${file.replace(/\.ts$/, ".js")}`), ...args]];
  }
  const loader = pathToFileURL(packageRoot("test/support/register-ts.mjs")).href;
  return [process.execPath, [...nodeArgs, "--import", loader, path, ...args]];
}

/** What package.json says of `imports`, for sources that are not compiled, as Deno reads it. */
function platformMap(): string {
  const imports: Record<string, string> = {};
  const sources = packageRoot("ts/");
  for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" })) {
    const name = /^(.*)\.browser\.ts$/.exec(file)?.[1];
    if (name === undefined) continue;
    imports[`#platform/${name}`] = pathToFileURL(`${sources}${name}.ts`).href;
  }
  return `data:application/json,${encodeURIComponent(JSON.stringify({ imports }))}`;
}

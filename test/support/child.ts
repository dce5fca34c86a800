//! Runs a TypeScript file of the tests in a process of its own.

import { pathToFileURL } from "node:url";
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
  const loader = pathToFileURL(packageRoot("test/support/register-ts.mjs")).href;
  return startProgram(
    process.execPath,
    [...nodeArgs, "--import", loader, packageRoot(`test/${file}`), ...args],
    options,
  );
}

//! Deno, for tests that start it: named by STACKFUL_DENO, on PATH, or installed for this checkout.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { packageRoot } from "../../ts/package-files.ts";

/** Why tests of Deno are skipped where there is none. */
export const NO_DENO = "there is no deno on PATH, and STACKFUL_DENO names none";

/** The program; undefined when there is none. */
export function findDeno(): string | undefined {
  const { STACKFUL_DENO: named, PATH = "" } = process.env;
  if (named) return named;
  const directories = [...PATH.split(delimiter), packageRoot("dist/runtimes/node_modules/.bin")];
  return directories.map((directory) => join(directory, "deno")).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

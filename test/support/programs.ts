//! Programs of this machine that tests and scripts start.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a program: what `variable` names, or one of `names` in PATH. */
export function findProgram(variable: string, names: readonly string[]): string | undefined {
  const named = process.env[variable];
  if (named) return named;
  const directories = (process.env.PATH ?? "").split(delimiter).filter((path) => path !== "");
  return directories
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why what needs Deno is skipped where there is none. */
export const NO_DENO = "no deno in PATH, and STACKFUL_DENO names none";

export function findDeno(): string | undefined {
  return findProgram("STACKFUL_DENO", ["deno"]);
}

/** Why what needs a browser is skipped where there is none. */
export const NO_CHROMIUM = "no chromium in PATH, and STACKFUL_CHROMIUM names none";

export function findChromium(): string | undefined {
  return findProgram("STACKFUL_CHROMIUM", ["chromium", "chromium-browser", "google-chrome"]);
}

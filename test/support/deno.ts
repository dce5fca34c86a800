//! Deno, for tests that start it.

import { findProgram } from "../package/runtimes.ts";

/** Why tests of Deno are skipped where there is none. */
export const NO_DENO = "no deno in PATH, and STACKFUL_DENO names none";

/** The program; undefined when there is none. */
export function findDeno(): string | undefined {
  return findProgram("STACKFUL_DENO", ["deno"]);
}

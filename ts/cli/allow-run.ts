//! --allow-run and --allow-run-env: the programs that a guest may start.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { RuntimeGrants } from "../runtime/options.ts";
import { UsageError } from "./arguments.ts";

/** What --allow-run says alone. */
export const ANY = "*";

/**
 * @param programs - Values of --allow-run: programs with commas between, or ANY.
 * @param variables - Values of --allow-run-env: names with commas between, or ANY.
 * @throws {UsageError} when there is no such program.
 */
export function parseProcesses(
  programs: readonly string[] = [],
  variables: readonly string[] = [],
): Pick<RuntimeGrants, "processes"> {
  const names = variables.flatMap((value) => value.split(","));
  if (programs.length === 0 && names.length === 0) return {};
  if (programs.length === 0) throw new UsageError("--allow-run-env: of which --allow-run?");
  if (programs.includes(ANY)) return { processes: true };
  const paths = programs.flatMap((value) => value.split(",").map(findProgram));
  const environment = names.includes(ANY) ? true : names;
  return { processes: { programs: paths, environment } };
}

/** The absolute path of a program: as it is, or by its name in PATH. */
function findProgram(name: string): string {
  if (name.includes("/")) return resolve(name);
  const directories = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
  const found = directories.map((directory) => join(directory, name)).find(isProgram);
  if (found === undefined || name === "") {
    throw new UsageError(`--allow-run=${name}: there is no such program in PATH`);
  }
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

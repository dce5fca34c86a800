//! The host's functions of an executor: functions cannot go to another thread, so each imports them.

import { StackfulError } from "../errors.ts";
import type { HostImports } from "../guest/host-imports.ts";

/** What the module of the host's functions is told. */
export interface ExecutorPlace {
  /** Which executor this is: 0 to executors - 1. */
  readonly executor: number;
  readonly executors: number;
}

/** The export `imports` of a module with the host's functions. */
export type ImportsModule = HostImports | ((place: ExecutorPlace) => HostImports);

/** @throws {StackfulError} SF_IMPORT when there is no such module, or it does not export them. */
export async function loadImports(
  url: string,
  { executor, executors }: ExecutorPlace,
): Promise<HostImports> {
  let loaded: { readonly imports?: ImportsModule };
  try {
    loaded = (await import(url)) as { readonly imports?: ImportsModule };
  } catch (cause) {
    const message = `loading the imports of executor ${executor}: ${url}: ${String(cause)}`;
    throw new StackfulError("SF_IMPORT", message, { cause });
  }
  const imports = loaded.imports;
  if (typeof imports === "function") return imports({ executor, executors });
  if (typeof imports === "object") return imports;
  const message = `loading the imports of executor ${executor}: ${url} exports no imports`;
  throw new StackfulError("SF_IMPORT", message, {
    hint: "export const imports = { module: { name: function } }, or a function that makes them",
  });
}

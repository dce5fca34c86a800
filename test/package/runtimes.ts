//! JavaScript runtimes besides this one, where they are installed.

import { findProgram } from "../support/programs.ts";

export interface InstalledRuntime {
  readonly name: string;
  /** Runs a file of JavaScript, which comes next. Undefined: not installed; `reason` says so. */
  readonly command?: readonly [string, ...string[]];
  readonly reason?: string;
}

/**
 * This Node; each Node that a variable STACKFUL_NODE22, STACKFUL_NODE24 and so on names; Deno and Bun, from
 * STACKFUL_DENO and STACKFUL_BUN or else from PATH.
 */
export function installedRuntimes(): InstalledRuntime[] {
  const nodes = Object.entries(process.env)
    .filter(([name, path]) => /^STACKFUL_NODE\d+$/.test(name) && path)
    .map(([name, path]): InstalledRuntime => {
      return { name: name.replace("STACKFUL_NODE", "Node "), command: [path!] };
    });
  return [
    { name: `this Node (${process.versions.node})`, command: [process.execPath] },
    ...nodes,
    found("Deno", "deno", ["run", "--allow-all", "--no-prompt"]),
    found("Bun", "bun", []),
  ];
}

function found(name: string, program: string, args: readonly string[]): InstalledRuntime {
  const variable = `STACKFUL_${name.toUpperCase()}`;
  const path = findProgram(variable, [program]);
  if (path !== undefined) return { name, command: [path, ...args] };
  return { name, reason: `no ${program} in PATH, and ${variable} names none` };
}

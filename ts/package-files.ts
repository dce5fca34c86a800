//! Finds the files that ship inside this package (core.wasm, headers, the addon), whether the code
//! runs from ts/ (tests) or from dist/ts/ (installed). In a bundle it finds none: they are not in it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StackfulError } from "./errors.ts";

// Without a look at the files: not every host allows that.
const [, root] = /^(.*?)\/(?:dist\/)?ts\/package-files\.[jt]s$/.exec(import.meta.url) ?? [];

/** Whether a bundler has put this file into one of its own, which is elsewhere. */
export const bundled = root === undefined;

/**
 * The absolute path of `file` inside the package, e.g. `packageRoot("dist/core.wasm")`.
 *
 * @throws {StackfulError} SF_TOOLCHAIN in a bundle.
 */
export function packageRoot(file = ""): string {
  if (root !== undefined) return join(fileURLToPath(root), file);
  throw new StackfulError("SF_TOOLCHAIN", `finding ${file}: this program is a bundle without it`, {
    hint: "link guests before you bundle, or leave stackful out of the bundle",
  });
}

export interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<"binaryen" | "@yowasp/clang", string>>;
}

/** This package's package.json. */
export function packageManifest(): Manifest {
  return JSON.parse(readFileSync(packageRoot("package.json"), "utf8")) as Manifest;
}

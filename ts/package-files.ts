//! Finds the files that ship inside this package (core.wasm, headers, the addon), whether the code
//! runs from ts/ (tests) or from dist/ts/ (installed).

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let root: string | undefined;

/** The absolute path of `file` inside the package, e.g. `packageRoot("dist/core.wasm")`. */
export function packageRoot(file = ""): string {
  if (root === undefined) {
    let directory = dirname(fileURLToPath(import.meta.url));
    while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
    root = directory;
  }
  return join(root, file);
}

export interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<"binaryen" | "@yowasp/clang", string>>;
}

/** This package's package.json. */
export function packageManifest(): Manifest {
  return JSON.parse(readFileSync(packageRoot("package.json"), "utf8")) as Manifest;
}

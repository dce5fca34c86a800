//! Finds the files that ship inside this package (core.wasm, headers, the addon), whether the code
//! runs from ts/ (tests) or from dist/ts/ (installed).

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let root: string | undefined;

/** The absolute path of `file` inside the package, e.g. `packageRoot("dist/core.wasm")`. */
export function packageRoot(file = ""): string {
  root ??= findRoot();
  return join(root, file);
}

function findRoot(): string {
  const own = fileURLToPath(import.meta.url);
  // Where it is known without a look at the files: not every host allows that.
  const known = /^(.*?)[/\\](?:dist[/\\])?ts[/\\]package-files\.[jt]s$/.exec(own)?.[1];
  if (known !== undefined) return known;
  let directory = dirname(own);
  while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
  return directory;
}

export interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<"binaryen" | "@yowasp/clang", string>>;
}

/** This package's package.json. */
export function packageManifest(): Manifest {
  return JSON.parse(readFileSync(packageRoot("package.json"), "utf8")) as Manifest;
}

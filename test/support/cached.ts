//! Modules that take a while to make, kept by what they were made from.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { packageRoot } from "../../ts/package-files.ts";

const CACHE = packageRoot("dist/test-guests");

/** What `make` gave for the same `inputs` before, or gives now. */
export async function cached(
  name: string,
  inputs: readonly (Uint8Array | string)[],
  make: () => Promise<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input);
  mkdirSync(CACHE, { recursive: true });
  const path = `${CACHE}/${name}-${hash.digest("hex").slice(0, 24)}.wasm`;
  if (!existsSync(path)) {
    const temporary = `${path}.${process.pid}`;
    await writeFile(temporary, await make());
    await rename(temporary, path);
  }
  return new Uint8Array(await readFile(path));
}

/** The files of a directory whose names match. */
export function texts(directory: string, pattern = /./): Uint8Array[] {
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map(({ name }) => name);
  return names.sort().map((name) => readFileSync(`${directory}/${name}`));
}

/** What every guest includes. */
export function headerTexts(): Uint8Array[] {
  const include = packageRoot("wasm/include");
  return [...texts(include, /\.h$/), ...texts(`${include}/stackful`, /\.h$/)];
}

/** What makes a linked module of a compiled one, but for the core. */
export function linkerTexts(): Uint8Array[] {
  return [
    ...texts(packageRoot("ts/link"), /\.ts$/),
    ...texts(packageRoot("ts/link/wasm"), /\.ts$/),
  ];
}

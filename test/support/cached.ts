//! Modules that take a while to make, kept by what they were made from.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { packageRoot } from "../../ts/package-files.ts";

const CACHE = packageRoot("dist/test-guests");

/** What `make` gave for the same `inputs` before, or gives now. */
export async function cached(
  ...what: Parameters<typeof cachedFile>
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(await cachedFile(...what)));
}

/** The same, as a file. */
export async function cachedFile(
  name: string,
  inputs: readonly (Uint8Array | string)[],
  make: () => Promise<Uint8Array>,
): Promise<string> {
  const path = `${cachePath(name, inputs)}.wasm`;
  if (!existsSync(path)) await place(path, await make());
  return path;
}

/** Where what is made from `inputs` is kept: the path, without the end of its name. */
export function cachePath(name: string, inputs: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input);
  mkdirSync(CACHE, { recursive: true });
  return `${CACHE}/${name}-${hash.digest("hex").slice(0, 24)}`;
}

/** Writes a file at once: another process may be making the same, or reading it. */
export async function place(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
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
    readFileSync(packageRoot("dist/net.wasm")),
    ...texts(packageRoot("ts/link"), /\.ts$/),
    ...texts(packageRoot("ts/link/wasm"), /\.ts$/),
  ];
}

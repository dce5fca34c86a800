//! The guest of the model, linked with the core as it ships or with a faulty one.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { link } from "../../ts/link/link.ts";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";

const GUEST = packageRoot("test/model/guest");
const INCLUDE = packageRoot("wasm/include");
const CACHE = packageRoot("dist/test-guests");

/** The linked module; with `core` in place of dist/core.wasm when that is given. */
export async function buildModel(core?: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = core ?? readFileSync(packageRoot("dist/core.wasm"));
  const raw = await cached("model-guest", [...sourceTexts()], compileGuest);
  return cached("model", [raw, bytes, ...linkerTexts()], async () => {
    const { wasm } = await link(raw, core === undefined ? {} : { core });
    return wasm;
  });
}

function compileGuest(): Promise<Uint8Array> {
  return compile({
    sources: [`${GUEST}/model.c`],
    includes: [GUEST, INCLUDE],
    flags: ["--target=wasm32-wasip1", "-mexec-model=reactor", "-O2", "-Wall"],
  });
}

function* texts(directory: string, pattern: RegExp): Generator<Uint8Array> {
  for (const name of readdirSync(directory).sort()) {
    if (pattern.test(name)) yield readFileSync(`${directory}/${name}`);
  }
}

function* sourceTexts(): Generator<Uint8Array> {
  yield* texts(GUEST, /./);
  yield* texts(INCLUDE, /\.h$/);
  yield* texts(`${INCLUDE}/stackful`, /\.h$/);
}

function* linkerTexts(): Generator<Uint8Array> {
  yield* texts(packageRoot("ts/link"), /\.ts$/);
  yield* texts(packageRoot("ts/link/wasm"), /\.ts$/);
}

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

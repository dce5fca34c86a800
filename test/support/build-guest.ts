//! Compiles and links the guests of the tests, once per content.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LinkFigures, type LinkOptions, link } from "../../ts/link/link.ts";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";

export interface GuestOptions extends LinkOptions {
  /** @defaultValue ["-O2"] */
  readonly flags?: readonly string[];
  /** Has a main. @defaultValue false */
  readonly command?: boolean;
}

export interface TestGuest {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The linked module, as a file. */
  readonly path: string;
  /** The module as the compiler wrote it. */
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly figures: LinkFigures;
}

const GUESTS = packageRoot("test/support/guests");
const CACHE = packageRoot("dist/test-guests");

/**
 * The linked module of test/support/guests/`name`.c, or of C text.
 *
 * Guests without a main are reactors: every function they export can be spawned.
 */
export async function buildGuest(
  name: string | { readonly source: string },
  options: GuestOptions = {},
): Promise<TestGuest> {
  const source = typeof name === "string" ? join(GUESTS, `${name}.c`) : undefined;
  const text = typeof name === "string" ? readFileSync(source!, "utf8") : name.source;
  const key = createHash("sha256")
    .update(text)
    .update(JSON.stringify(options))
    .update(await toolsHash())
    .digest("hex")
    .slice(0, 24);
  const base = join(CACHE, `${typeof name === "string" ? name : "text"}-${key}`);
  const paths = { raw: `${base}.raw.wasm`, figures: `${base}.json`, linked: `${base}.wasm` };
  if (!existsSync(paths.linked)) await make(text, options, base, paths);
  return {
    wasm: await readBytes(paths.linked),
    path: paths.linked,
    raw: await readBytes(paths.raw),
    figures: JSON.parse(await readFile(paths.figures, "utf8")) as LinkFigures,
  };
}

async function make(
  text: string,
  options: GuestOptions,
  base: string,
  paths: { raw: string; figures: string; linked: string },
): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const source = `${base}.c`;
  await place(source, text);
  const { flags = ["-O2"], command = false, ...linkOptions } = options;
  const raw = await compile({
    sources: [source],
    includes: [GUESTS, packageRoot("wasm/include")],
    flags: [
      "--target=wasm32-wasip1",
      ...(command ? [] : ["-mexec-model=reactor"]),
      "-Wall",
      "-Wno-unused-function",
      "-Wno-infinite-recursion",
      ...flags,
    ],
  });
  const { wasm, figures } = await link(raw, linkOptions);
  await place(paths.raw, raw);
  await place(paths.figures, JSON.stringify(figures));
  // Last: its presence says that the others are there.
  await place(paths.linked, wasm);
}

/** Another worker may be making the same guest. */
async function place(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

let tools: string | undefined;

/** What a linked guest depends on besides its own source. */
async function toolsHash(): Promise<string> {
  if (tools !== undefined) return tools;
  const hash = createHash("sha256");
  for (const name of ["core", "net"]) hash.update(await readFile(packageRoot(`dist/${name}.wasm`)));
  const directories = ["wasm/include", "wasm/include/stackful", "ts/link", "ts/link/wasm"];
  for (const directory of [...directories.map((name) => packageRoot(name)), GUESTS]) {
    for (const name of readdirSync(directory).sort()) {
      if (/\.(h|ts)$/.test(name)) hash.update(name).update(readFileSync(join(directory, name)));
    }
  }
  tools = hash.digest("hex");
  return tools;
}

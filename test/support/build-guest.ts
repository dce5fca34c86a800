//! Compiles and links the guests of the tests, once per content.

import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LinkFigures, type LinkOptions, link } from "../../ts/link/link.ts";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { cachePath, headerTexts, linkerTexts, place, texts } from "./cached.ts";

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
  const base = cachePath(typeof name === "string" ? name : "text", [
    text,
    JSON.stringify(options),
    ...tools(),
  ]);
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

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

let toolTexts: readonly Uint8Array[] | undefined;

/** What a linked guest depends on besides its own source. */
function tools(): readonly Uint8Array[] {
  toolTexts ??= [
    readFileSync(packageRoot("dist/core.wasm")),
    ...linkerTexts(),
    ...headerTexts(),
    ...texts(GUESTS, /\.h$/),
  ];
  return toolTexts;
}

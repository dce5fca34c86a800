//! The coroutine core with a fault put into it on purpose.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileCore } from "../../scripts/build-core.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { cached } from "./cached.ts";

const CORE = packageRoot("wasm/core");

/** A text of a file of wasm/core, which must be there once, and what is put in its place. */
export interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** @param name - of a directory for the copy of the sources. */
export function faultyCore(name: string, faults: readonly Replacement[]): Promise<Uint8Array> {
  const directory = packageRoot(
    `dist/test-guests/core-${name.replaceAll(" ", "-")}-${process.pid}`,
  );
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(CORE, directory, { recursive: true });
  const texts = new Map<string, string>();
  for (const { file, find, replace } of faults) {
    const original = readFileSync(join(CORE, file), "utf8");
    if (original.split(find).length !== 2) {
      throw new Error(`wasm/core/${file} must hold this once: ${find}`);
    }
    texts.set(
      file,
      (texts.get(file) ?? original).replace(find, () => replace),
    );
  }
  for (const [file, text] of texts) writeFileSync(join(directory, file), text);
  const inputs = [...texts.values(), readFileSync(packageRoot("dist/core.wasm"))];
  return cached("faulty-core", inputs, () =>
    compileCore(directory, ["-O1", "-Wno-unused"]),
  ).finally(() => rmSync(directory, { recursive: true, force: true }));
}

//! Text to wasm, with every feature that Binaryen knows.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** @param flags - further arguments for wasm-as, e.g. "-g" to keep names. */
export function assemble(text: string, flags: readonly string[] = ["-g"]): Uint8Array<ArrayBuffer> {
  return runTool("wasm-as", "in.wat", text, ["--all-features", ...flags]);
}

/** Runs one of Binaryen's tools on `input`, and returns what it wrote. */
export function runTool(
  tool: string,
  inputName: string,
  input: string | Uint8Array,
  flags: readonly string[],
): Uint8Array<ArrayBuffer> {
  const directory = mkdtempSync(join(tmpdir(), "stackful-test-"));
  const path = join(dirname(createRequire(import.meta.url).resolve("binaryen")), "bin", tool);
  try {
    writeFileSync(join(directory, inputName), input);
    const output = join(directory, "out.wasm");
    execFileSync(process.execPath, [path, join(directory, inputName), "-o", output, ...flags]);
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

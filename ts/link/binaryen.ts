//! Loads Binaryen when linking needs it. It is a development dependency of whoever links, never of who
//! runs a linked module, so its absence is an error with a remedy.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type Binaryen from "binaryen";
import { StackfulError } from "../errors.ts";
import { jsRuntime } from "../js-runtime.ts";
import { FEATURE_FLAGS } from "./features.ts";
import { installCommand } from "./peers.ts";

export type BinaryenApi = typeof Binaryen;

/** @throws {StackfulError} SF_TOOLCHAIN when the package is not installed. */
export async function loadBinaryen(): Promise<BinaryenApi> {
  try {
    return (await import("binaryen")).default;
  } catch (cause) {
    throw missing(cause);
  }
}

/** Binaryen's wasm-merge: it is not part of the JavaScript API, so it runs as a process. */
export async function mergeModules(
  modules: readonly { readonly name: string; readonly wasm: Uint8Array }[],
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "stackful-merge-"));
  try {
    const output = join(directory, "merged.wasm");
    const args: string[] = [];
    for (const { name, wasm } of modules) {
      const file = join(directory, `${name}.wasm`);
      await writeFile(file, wasm);
      args.push(file, name);
    }
    await runTool("wasm-merge", [...args, "-o", output, "-g", ...FEATURE_FLAGS]);
    return await readFile(output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a CommonJS program, the next argument, whose file name has no extension for Deno to tell it by. */
const RUN_COMMONJS =
  'import { createRequire } from "node:module";' +
  "process.argv.splice(1, 1); createRequire(process.argv[1])(process.argv[1]);";

async function runTool(tool: string, args: readonly string[]): Promise<void> {
  let path: string;
  try {
    path = join(dirname(createRequire(import.meta.url).resolve("binaryen")), "bin", tool);
  } catch (cause) {
    throw missing(cause);
  }
  try {
    const deno = ["run", "-A", `data:text/javascript,${encodeURIComponent(RUN_COMMONJS)}`];
    const command = [...(jsRuntime() === "deno" ? deno : []), path, ...args];
    await promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 24 });
  } catch (cause) {
    const stderr = (cause as { stderr?: string }).stderr?.trim();
    throw new StackfulError("SF_LINK", `linking: ${tool} failed: ${stderr ?? String(cause)}`, {
      cause,
    });
  }
}

function missing(cause: unknown): StackfulError {
  return new StackfulError("SF_TOOLCHAIN", "linking: the package binaryen is not installed", {
    hint: `${installCommand("binaryen")}, or ship modules that are linked already`,
    cause,
  });
}

//! C and C++ to wasm, with the npm toolchain (@yowasp/clang, which runs in any Node) or a wasi-sdk
//! that WASI_SDK_PATH names.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import { promisify } from "node:util";
import type { Tree } from "@yowasp/clang";
import { StackfulError } from "../errors.ts";
import { installCommand } from "./peers.ts";

export interface CompileOptions {
  /** C, C++, assembler and object files. */
  readonly sources: readonly string[];
  /** Directories for #include. */
  readonly includes: readonly string[];
  /** Further arguments for clang: -O2, -D…, -Wl,…. */
  readonly flags: readonly string[];
}

/**
 * Compiles and links `sources` into one module.
 *
 * @throws {StackfulError} SF_TOOLCHAIN with the compiler's own messages when it fails, or when there is
 *   no compiler.
 */
export async function compile(options: CompileOptions): Promise<Uint8Array> {
  for (const source of options.sources) {
    if (!existsSync(source)) {
      throw new StackfulError("SF_TOOLCHAIN", `compiling ${source}: there is no such file`);
    }
  }
  const sdk = process.env.WASI_SDK_PATH;
  return sdk === undefined || sdk === "" ? compileWithNpm(options) : compileWithSdk(sdk, options);
}

/** Where the host's files stand in the npm toolchain's own file system, which has a /usr already. */
const HOST_ROOT = "/host";

function driver(options: CompileOptions): "clang" | "clang++" {
  return options.sources.some((source) => /\.(cc|cpp|cxx|C)$/.test(source)) ? "clang++" : "clang";
}

function clangArguments(options: CompileOptions, root: string): string[] {
  return [
    ...options.includes.flatMap((directory) => ["-I", root + resolve(directory)]),
    ...options.flags,
    ...options.sources.map((source) => root + resolve(source)),
    "-o",
    "a.wasm",
  ];
}

async function compileWithSdk(sdk: string, options: CompileOptions): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "stackful-build-"));
  try {
    const compiler = join(sdk, "bin", driver(options));
    await promisify(execFile)(compiler, clangArguments(options, ""), { cwd: directory });
    return await readFile(join(directory, "a.wasm"));
  } catch (cause) {
    const text = (cause as { stderr?: string }).stderr || String(cause);
    throw new StackfulError("SF_TOOLCHAIN", `compiling with ${sdk}: ${text.trim()}`, { cause });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compileWithNpm(options: CompileOptions): Promise<Uint8Array> {
  let clang: typeof import("@yowasp/clang");
  try {
    clang = await import("@yowasp/clang");
  } catch (cause) {
    throw new StackfulError(
      "SF_TOOLCHAIN",
      "compiling: the package @yowasp/clang is not installed",
      {
        hint: `${installCommand("@yowasp/clang")}, or set WASI_SDK_PATH to a wasi-sdk`,
        cause,
      },
    );
  }
  const sources = options.sources.map((source) => resolve(source));
  const files = sourceTree(
    sources,
    options.includes.map((directory) => resolve(directory)),
  );
  let messages = "";
  const decoder = new TextDecoder();
  const collect = (bytes: Uint8Array | null): void => {
    if (bytes !== null) messages += decoder.decode(bytes, { stream: true });
  };
  try {
    // Without arguments it only loads itself, silently when asked so.
    await clang.runLLVM(null as never, undefined, { fetchProgress: () => {} });
    const command = clang.commands[driver(options)];
    const output = await command(clangArguments(options, HOST_ROOT), files, {
      stdout: collect,
      stderr: collect,
    });
    const wasm = output?.["a.wasm"];
    if (wasm instanceof Uint8Array) return wasm;
  } catch (cause) {
    if (messages === "") messages = String(cause);
  }
  throw new StackfulError(
    "SF_TOOLCHAIN",
    `compiling: ${messages.replaceAll(`${HOST_ROOT}/`, "/").trim()}`,
  );
}

const INCLUDE = /^(\s*#\s*include\s*)["<]([^">]+)[">]/gm;

/**
 * The npm toolchain sees a file system of its own. This one holds the sources and whatever they
 * #include, directly or not, below HOST_ROOT; the system headers are there already.
 */
function sourceTree(sources: readonly string[], includes: readonly string[]): Tree {
  const tree: Tree = {};
  const seen = new Set<string>();
  const pending = [...sources];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (/\.(o|a|wasm)$/.test(path)) {
      place(tree, HOST_ROOT + path, readFileSync(path));
      continue;
    }
    const text = readFileSync(path, "latin1").replace(
      INCLUDE,
      (line, start: string, name: string) => {
        const found = [dirname(path), ...includes]
          .map((directory) => (isAbsolute(name) ? name : normalize(join(directory, name))))
          .find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
        if (found === undefined) return line;
        pending.push(found);
        // That file system does not resolve "..".
        return name.includes("..") ? `${start}"${HOST_ROOT}${found}"` : line;
      },
    );
    place(tree, HOST_ROOT + path, Buffer.from(text, "latin1"));
  }
  return tree;
}

function place(tree: Tree, path: string, content: Uint8Array): void {
  const parts = path.split(/[\\/]/).filter((part) => part !== "");
  let directory = tree;
  for (const part of parts.slice(0, -1)) directory = (directory[part] ??= {}) as Tree;
  directory[parts.at(-1)!] = content;
}

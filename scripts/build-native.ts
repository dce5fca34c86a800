//! Builds dist/native/<platform>-<arch>/stackful.node from native/src/ with one call of a C compiler.
//!
//! No node-gyp: it wants Node's own headers and downloads them where they are missing, and the addon
//! needs only those of Node-API. Where nothing can be built, everything runs on another backend, so
//! that is a result and not an error; the reason is kept for the message of whoever asks for this one.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { addonFile, addonReasonFile } from "../ts/host/native/addon.ts";
import { packageRoot } from "../ts/package-files.ts";
import { ABI_HEADERS } from "./gen-abi.ts";

export interface NativeBuild {
  readonly status: "built" | "fresh" | "skipped";
  readonly file: string;
  /** Why there is no addon. Set only with "skipped". */
  readonly reason?: string;
}

export interface NativeBuildOptions {
  /** Builds even when nothing changed. Default false. */
  readonly force?: boolean;
}

const FLAGS = [
  "-O2",
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wpedantic",
  "-Werror",
  "-fPIC",
  "-fvisibility=hidden",
  "-shared",
  "-pthread",
  // Node unloads an addon with the last worker that used it, while its event loop may still call it.
  "-Wl,-z,nodelete",
];

/**
 * Builds the addon for this machine, unless it is up to date.
 *
 * @throws {Error} when the compiler fails; the message is what it printed.
 */
export function buildNative({ force = false }: NativeBuildOptions = {}): NativeBuild {
  const file = addonFile();
  if (process.platform !== "linux") {
    return skipped(file, `io_uring is Linux's; this is ${process.platform}`);
  }
  const compiler = findCompiler();
  if (compiler === undefined) {
    return skipped(file, "no C compiler was found ($CC, cc, gcc, clang)");
  }
  const sources = sourceFiles();
  const includes = [packageRoot("native/src"), packageRoot("wasm/include"), napiHeaders()];
  const key = cacheKey([...sources.all, ...ABI_HEADERS], compiler);
  const stamp = `${file}.key`;
  const fresh = existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === key;
  if (fresh && !force) return { status: "fresh", file };

  mkdirSync(dirname(file), { recursive: true });
  // Another process may be loading the old one, or building this one.
  const temporary = `${file}.${process.pid}`;
  const [command = "cc", ...ownFlags] = compiler;
  const includeFlags = includes.map((directory) => `-I${directory}`);
  const { status, stderr, error } = spawnSync(
    command,
    [...ownFlags, ...FLAGS, ...includeFlags, "-o", temporary, ...sources.units],
    { encoding: "utf8" },
  );
  if (status !== 0) {
    rmSync(temporary, { force: true });
    throw new Error(`build ${file}: ${command} failed\n${stderr}`, { cause: error });
  }
  renameSync(temporary, file);
  writeFileSync(stamp, key);
  rmSync(addonReasonFile(), { force: true });
  return { status: "built", file };
}

function skipped(file: string, reason: string): NativeBuild {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(addonReasonFile(), reason);
  return { status: "skipped", file, reason };
}

/** The command and flags of its own: $CC may have both ("zig cc", "gcc -m64"). */
export function findCompiler(): readonly string[] | undefined {
  const wanted = process.env.CC?.split(" ").filter((word) => word !== "") ?? [];
  const candidates = [wanted, ["cc"], ["gcc"], ["clang"]];
  return candidates.find(([command]) => command !== undefined && isExecutable(command));
}

function isExecutable(command: string): boolean {
  const directories = command.includes("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  return directories.some((directory) => {
    try {
      const path = join(directory, command);
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false; // Not there, which is what was asked.
    }
  });
}

function sourceFiles(): { all: readonly string[]; units: readonly string[] } {
  const directory = packageRoot("native/src");
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  const all = names.filter((name) => /\.[ch]$/.test(name)).map((name) => join(directory, name));
  return { all, units: all.filter((path) => path.endsWith(".c")) };
}

function napiHeaders(): string {
  const main = createRequire(import.meta.url).resolve("node-api-headers");
  return join(dirname(main), "include");
}

function cacheKey(files: readonly string[], compiler: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify([FLAGS, compiler]));
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { status, file, reason } = buildNative({ force: process.argv.includes("--force") });
  process.stdout.write(`${file}: ${status}${reason === undefined ? "" : `: ${reason}`}\n`);
}

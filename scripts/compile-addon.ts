//! Compiles the sources of native/src/ that a system has, with one call of a C compiler.

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
import { basename, delimiter, dirname, join } from "node:path";
import { packageRoot } from "../ts/package-files.ts";
import { ABI_HEADERS } from "./gen-abi.ts";

/** Whose system calls the addon is for. "kqueue": those of macOS and the BSDs. */
export type NativeSystem = "linux" | "kqueue" | "windows";

export interface AddonCompilation {
  /** What is made. */
  readonly file: string;
  readonly system: NativeSystem;
  /** The command, and flags of its own. */
  readonly compiler: readonly string[];
  /** Of the linker, for the system it links for. */
  readonly linkerFlags: readonly string[];
  /** What else is compiled with it: flags, directories of headers, sources. */
  readonly flags?: readonly string[];
  readonly includes?: readonly string[];
  readonly units?: readonly string[];
}

const FLAGS = [
  "-O2",
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wpedantic",
  "-Werror",
  "-fvisibility=hidden",
  "-shared",
  // The same bytes in whichever directory the sources are.
  `-ffile-prefix-map=${packageRoot()}=`,
];

const POSIX_FLAGS = ["-fPIC", "-pthread"];

const SYSTEM_FLAGS: Readonly<Record<NativeSystem, readonly string[]>> = {
  linux: POSIX_FLAGS,
  kqueue: POSIX_FLAGS,
  windows: [
    "-U_WIN32_WINNT", // Some compilers say it on their own.
    "-D_WIN32_WINNT=0x0A00",
    "-D__USE_MINGW_ANSI_STDIO=1",
    "-D_FILE_OFFSET_BITS=64",
    // Found when the addon is loaded: see addon/node-api.c.
    "-DNAPI_EXTERN=",
    `-I${packageRoot("native/src/windows/include")}`,
  ],
};

/** Behind the sources. */
const SYSTEM_LIBRARIES: Readonly<Record<NativeSystem, readonly string[]>> = {
  linux: [],
  kqueue: [],
  windows: ["-lws2_32", "-lmswsock", "-lntdll", "-ladvapi32"],
};

const POSIX: readonly NativeSystem[] = ["linux", "kqueue"];

/** What only some systems have, by the path in native/src/. */
const ONLY: readonly (readonly [RegExp, readonly NativeSystem[]])[] = [
  [/^uring\//, ["linux"]],
  [/^ready\/epoll\.c$/, ["linux"]],
  [/^ready\/kqueue\.c$/, ["kqueue"]],
  [/^ready\//, POSIX],
  [/^(iocp\/|windows\/|calls\/spawn-windows\.c$)/, ["windows"]],
  [/^addon\/host-loop\.c$/, POSIX],
  [/^engine\/(platform|doorbell|descriptor|open-again|released|terminal)\.c$/, POSIX],
  [/^calls\/(moving|passing|pipe-signal|poll|spawn|unix)\.c$/, POSIX],
];

/**
 * Makes the addon, unless it is up to date.
 *
 * @throws {Error} when the compiler fails; the message is what it printed.
 */
export function compileAddon(what: AddonCompilation, force = false): "built" | "fresh" {
  const { file } = what;
  if (!force && isFresh(what)) return "fresh";
  // Another process may be loading the old one, or building this one. The name is the same, because
  // some linkers write it into the file.
  const directory = `${file}.${process.pid}`;
  const temporary = join(directory, basename(file));
  mkdirSync(directory, { recursive: true });
  try {
    runCompiler(what, temporary);
    renameSync(temporary, file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  writeFileSync(stampOf(file), cacheKey(what));
  return "built";
}

function runCompiler(what: AddonCompilation, output: string): void {
  const { file, system, compiler, includes = [], units = [] } = what;
  const own = nativeSources().filter((path) => path.endsWith(".c") && isFor(path, system));
  const directories = [
    packageRoot("native/src"),
    packageRoot("wasm/include"),
    napiHeaders(),
    ...includes,
  ];
  const [command = "cc"] = compiler;
  const includeFlags = directories.map((path) => `-I${path}`);
  const args = [
    ...flagsOf(what),
    ...includeFlags,
    "-o",
    output,
    ...own,
    ...units,
    ...SYSTEM_LIBRARIES[system],
  ];
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`build ${file}: ${command} failed\n${stderr}`, { cause: error });
}

/** Whether it is what `compileAddon` would make. Needs no compiler. */
export function isFresh(what: AddonCompilation): boolean {
  const stamp = stampOf(what.file);
  if (!existsSync(what.file) || !existsSync(stamp)) return false;
  return readFileSync(stamp, "utf8") === cacheKey(what);
}

/** What the file was made of; without it the file is out of date. */
export function stampOf(file: string): string {
  return `${file}.key`;
}

function flagsOf({ system, compiler, flags = [], linkerFlags }: AddonCompilation): string[] {
  return [...compiler.slice(1), ...FLAGS, ...SYSTEM_FLAGS[system], ...flags, ...linkerFlags];
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

function nativeSources(): string[] {
  return filesOf(packageRoot("native/src"), /\.[ch]$/);
}

function isFor(path: string, system: NativeSystem): boolean {
  const name = path.slice(packageRoot("native/src").length + 1);
  return ONLY.every(([pattern, only]) => only.includes(system) || !pattern.test(name));
}

function filesOf(directory: string, pattern: RegExp): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return names.filter((name) => pattern.test(name)).map((name) => join(directory, name));
}

function napiHeaders(): string {
  const main = createRequire(import.meta.url).resolve("node-api-headers");
  return join(dirname(main), "include");
}

function cacheKey(what: AddonCompilation): string {
  const { compiler, includes = [], units = [] } = what;
  // The same compiler may be at several places.
  const command = [basename(compiler[0] ?? "cc"), ...flagsOf(what)];
  const hash = createHash("sha256").update(JSON.stringify(command));
  const headers = includes.flatMap((directory) => filesOf(directory, /\.h$/));
  for (const file of [...nativeSources(), ...ABI_HEADERS, ...units, ...headers]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest("hex");
}

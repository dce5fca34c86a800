//! Builds dist/native/<platform>-<arch>/stackful.node from native/src/ with one call of a C compiler.
//!
//! No node-gyp: it wants Node's own headers and downloads them where they are missing, and the addon
//! needs only those of Node-API. Where nothing can be built, everything runs on another backend, so
//! that is a result and not an error; the reason is kept for the message of whoever asks for this one.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { addonFile, addonReasonFile } from "../ts/host/native/addon.ts";
import { compileAddon, findCompiler, type NativeSystem } from "./compile-addon.ts";

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

interface Platform {
  readonly system: NativeSystem;
  readonly linkerFlags: readonly string[];
}

// Node unloads an addon with the last worker that used it, while its event loop may still call it.
const STAYS_LOADED = "-Wl,-z,nodelete";

const PLATFORMS: Readonly<Record<string, Platform>> = {
  linux: { system: "linux", linkerFlags: [STAYS_LOADED] },
  // There a library with threads of its own is never unloaded; Node-API is found when it is loaded.
  darwin: { system: "kqueue", linkerFlags: ["-Wl,-undefined,dynamic_lookup"] },
  freebsd: { system: "kqueue", linkerFlags: [STAYS_LOADED] },
};

/**
 * Builds the addon for this machine, unless it is up to date.
 *
 * @throws {Error} when the compiler fails; the message is what it printed.
 */
export function buildNative({ force = false }: NativeBuildOptions = {}): NativeBuild {
  const file = addonFile();
  const platform = PLATFORMS[process.platform];
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

//! Loads the native addon and types what it exports.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ABI_VERSION } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { bundled, packageRoot } from "../../package-files.ts";
import type { Capability } from "../capability.ts";

declare const handleBrand: unique symbol;

/** One opened backend. Valid until `close`. */
export interface AddonHandle {
  readonly [handleBrand]: true;
}

/**
 * The exports of native/src/addon/binding.c. A number that stands for success or failure is >= 0, or a
 * negated errno of abi.h.
 */
export interface Addon {
  readonly abiVersion: number;
  /**
   * -ENOSYS when this build has no mechanism of that name. `counters` has COUNTER.length elements, which every
   * `turn` writes. `wakeByThread`: where the event loop is not libuv's; then a `turn` that waits is not ended by
   * what happens in the event loop.
   */
  open(
    mechanism: string,
    handlesMax: number,
    entries: number,
    counters: Float64Array,
    wakeByThread: boolean,
  ): AddonHandle | number;
  grantDirectory(
    handle: AddonHandle,
    hostPath: string,
    guestPath: string,
    readOnly: boolean,
  ): number;
  /** `bytes`: empty for any address. `port`: -1 for any. */
  grantEndpoint(handle: AddonHandle, use: number, bytes: Uint8Array, port: number): number;
  /** Fills `out` with indexes into CAPABILITIES, by operation code. */
  capabilities(handle: AddonHandle, out: Uint8Array): void;
  /** `which`: of RESOLVER. */
  grantNames(handle: AddonHandle, which: number, text: Uint8Array): number;
  /** The descriptor that stands for stream `number`, 0 to 2: not owned. */
  grantStdio(handle: AddonHandle, number: number, fd: number): number;
  /** Lists are strings, each with a zero at its end. `list`: of programs; with `any` of directories. */
  grantPrograms(
    handle: AddonHandle,
    list: Uint8Array,
    any: boolean,
    variables: Uint8Array,
    anyVariable: boolean,
  ): number;
  /** Makes a descriptor a handle, which owns a duplicate or, with `owned`, itself. Returns the handle. */
  adopt(handle: AddonHandle, fd: number, transfers: boolean, owned: boolean): number;
  /** `moves`: the memory may be elsewhere once it has grown. */
  bind(handle: AddonHandle, memory: Uint8Array, shared: number, moves: boolean): number;
  /** Returns completions delivered. Infinity waits for as long as is ever waited: one second. */
  turn(handle: AddonHandle, waitNs: number): number;
  /** `ranges`: address and bytes by turns. Returns the bytes discarded, or a negated errno. */
  discard(handle: AddonHandle, ranges: Uint32Array): number;
  /** Called from the event loop when a turn has work, once until the next `turn`. */
  setWake(handle: AddonHandle, wake: () => void): void;
  /** Has the event loop call `wake` in its next turn. Keeps the loop alive until then. */
  poke(handle: AddonHandle): void;
  close(handle: AddonHandle): void;
}

/** Places in `counters`; enum counter in binding.h has the same list. */
export const COUNTER = {
  pending: 0,
  handlesOpen: 1,
  hostLoopReady: 2,
  nativeCalls: 3,
  systemCalls: 4,
  submissions: 5,
  completions: 6,
  wakes: 7,
  length: 8,
} as const;

/** enum sf_capability has the same list. */
export const CAPABILITIES: readonly Capability[] = ["unsupported", "native", "pool"];

/** Of `grantEndpoint`. */
export const ENDPOINT_USE = { connect: 0, listen: 1, bind: 2 } as const;

/** The addon, or why there is none. */
export type LoadedAddon =
  | { readonly addon: Addon; readonly reason?: undefined }
  | { readonly addon?: undefined; readonly reason: string };

/** Where the addon for this machine belongs. */
export function addonFile(): string {
  return packageRoot(`dist/native/${process.platform}-${process.arch}/stackful.node`);
}

/** Where the build says why it made none. */
export function addonReasonFile(): string {
  return join(dirname(addonFile()), "reason.txt");
}

let loaded: LoadedAddon | undefined;

/** Loads the addon, the first time it is called. Never throws. */
export function loadAddon(): LoadedAddon {
  loaded ??= bundled ? loadBundled() : loadAddonFile(addonFile());
  return loaded;
}

/** Loads another build of it. */
export function loadAddonFile(file: string): LoadedAddon {
  try {
    if (!existsSync(file)) return { reason: missing(file) };
    return checked(createRequire(import.meta.url)(file) as Addon, file);
  } catch (error) {
    return { reason: `${file} cannot be loaded: ${String(error)}` };
  }
}

function loadBundled(): LoadedAddon {
  // Elsewhere nothing can have put it there, and looking for it might need a permission.
  if (jsRuntime() !== "bun") return { reason: "the addon is not in this bundle" };
  try {
    // Bun puts into an executable what has such a name here. In a `try` it may be missing.
    const addon = require(`#native/${process.platform}-${process.arch}`) as Addon;
    return checked(addon, "the addon in this bundle");
  } catch (error) {
    const [why] = String(error).split("\n");
    return { reason: `the addon in this bundle cannot be loaded: ${why}` };
  }
}

function checked(addon: Addon, name: string): LoadedAddon {
  if (addon.abiVersion === ABI_VERSION) return { addon };
  return { reason: `${name} is for ABI version ${addon.abiVersion}, not ${ABI_VERSION}` };
}

function missing(file: string): string {
  const reasonFile = addonReasonFile();
  if (existsSync(reasonFile))
    return `there is no addon at ${file}: ${readFileSync(reasonFile, "utf8")}`;
  const { platform, arch } = process;
  if (existsSync(packageRoot("native/src")))
    return `there is no addon at ${file}: npm run build makes it`;
  return `this package has no addon for ${platform}-${arch}`;
}

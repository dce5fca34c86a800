//! `stackful link` as a function: guest in, linked module and figures out.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ABI_VERSION } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import { packageRoot } from "../package-files.ts";
import { loadBinaryen, mergeModules } from "./binaryen.ts";
import { CORE_MODULE } from "./core-functions.ts";
import { instrument } from "./instrument.ts";
import { checkLinkPermissions } from "./link-permissions.ts";
import { netOf, withNet } from "./net.ts";
import { prepare } from "./prepare.ts";
import { appendLinkInfo, type Entry, INFO_LAYOUT, type LinkInfo } from "./section.ts";
import { type EntryStack, stackBounds } from "./stack-bounds.ts";
import { parseModule } from "./wasm/module.ts";

export interface LinkOptions {
  /** "module.name" of host imports that may return a promise; they alone are instrumented for it. */
  readonly asyncImports?: readonly string[];
  /** Binaryen's optimisation level, 0 to 4. @defaultValue 3 */
  readonly optimize?: number;
  /** In place of the core that ships. @internal */
  readonly core?: Uint8Array;
}

export interface LinkFigures {
  /** Size of the guest as it came, in bytes. */
  readonly guestBytes: number;
  /** Guest and core, optimised alike, without Asyncify. */
  readonly plainBytes: number;
  readonly linkedBytes: number;
  /** linkedBytes / plainBytes. */
  readonly sizeFactor: number;
  readonly functions: number;
  /** Guest functions that may be on the stack of a parked task, and so are instrumented. */
  readonly functionsInstrumented: number;
  readonly entries: number;
  readonly linkMs: number;
}

export interface Linked {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly figures: LinkFigures;
  /** How large the stack of a task must be: by export, then by function that sf_spawn takes. */
  readonly stacks: readonly EntryStack[];
}

/**
 * Merges the coroutine core into `guest` and instruments the whole, so that its calls of
 * stackful.h park the calling task.
 *
 * @throws {StackfulError} SF_LINK when Asyncify cannot carry the guest: the message names the function
 *   and what to do; SF_MODULE when it is no core wasm module; SF_TOOLCHAIN when Binaryen or the core
 *   is missing.
 */
export async function link(guest: Uint8Array, options: LinkOptions = {}): Promise<Linked> {
  const { asyncImports = [], optimize = 3 } = options;
  if (!Number.isInteger(optimize) || optimize < 0 || optimize > 4) {
    throw new RangeError(`link: optimize must be 0 to 4, not ${optimize}`);
  }
  const started = performance.now();
  const prepared = prepare(await withNet(guest), asyncImports);
  const core = options.core ?? (await readCore());
  const coreExports = parseModule(core).exports.map((item) => item.name);
  refuseUnknownCoreImports(prepared.module.functionImports, coreExports);

  const binaryen = await loadBinaryen();
  const merged = await mergeModules([
    { name: "guest", wasm: prepared.wasm },
    { name: CORE_MODULE, wasm: core },
  ]);
  const { wasm, plain, asyncified, functions } = instrument(binaryen, merged, {
    asyncImports,
    optimize,
    coreExports,
  });
  const stacks = stackBounds({ plain, asyncified }, prepared.entries);
  const linked = appendLinkInfo(wasm, {
    abi: ABI_VERSION,
    hash: await linkHash(guest, options),
    entries: withStackBytes(prepared.entries, stacks),
    asyncImports: prepared.asyncImports,
    stackBounds: boundsByTableIndex(stacks),
  });
  return {
    wasm: linked,
    figures: {
      guestBytes: guest.length,
      plainBytes: plain.length,
      linkedBytes: linked.length,
      sizeFactor: linked.length / plain.length,
      functions,
      functionsInstrumented: prepared.suspending.size,
      entries: Object.keys(prepared.entries).length,
      linkMs: performance.now() - started,
    },
    stacks,
  };
}

function withStackBytes(
  entries: Readonly<Record<string, Entry>>,
  stacks: readonly EntryStack[],
): Record<string, Entry> {
  const result: Record<string, Entry> = { ...entries };
  for (const { name, exported, stack } of stacks) {
    if (exported && stack.kind === "bound") {
      result[name] = { ...result[name]!, stackBytes: stack.bytes };
    }
  }
  return result;
}

function boundsByTableIndex(stacks: readonly EntryStack[]): LinkInfo["stackBounds"] {
  return stacks
    .flatMap(({ tableIndex, stack }) =>
      stack.kind === "bound" ? [[tableIndex, stack.bytes] as const] : [],
    )
    .sort(([a], [b]) => a - b);
}

/** Identifies the output of `link`: same hash, same module. */
export async function linkHash(guest: Uint8Array, options: LinkOptions): Promise<string> {
  const { asyncImports = [], optimize = 3 } = options;
  return createHash("sha256")
    .update(guest)
    .update(options.core ?? (await readCore()))
    .update(netOf(guest) ?? "")
    .update(JSON.stringify({ abi: ABI_VERSION, layout: INFO_LAYOUT, asyncImports, optimize }))
    .digest("hex");
}

async function readCore(): Promise<Uint8Array> {
  checkLinkPermissions();
  const path = packageRoot("dist/core.wasm");
  try {
    return await readFile(path);
  } catch (cause) {
    throw new StackfulError("SF_TOOLCHAIN", `linking: cannot read the coroutine core ${path}`, {
      hint: "npm run build makes it",
      cause,
    });
  }
}

function refuseUnknownCoreImports(
  imports: readonly { readonly module: string; readonly name: string }[],
  coreExports: readonly string[],
): void {
  const unknown = imports.find(
    (item) => item.module === CORE_MODULE && !coreExports.includes(item.name),
  );
  if (unknown === undefined) return;
  throw new StackfulError("SF_LINK", `linking: the core has no function "${unknown.name}"`, {
    hint: "compile against the stackful.h of this version",
  });
}

//! The stage before all others, for a guest that uses names: merges the resolver (wasm/net/) into it.
//! From then on that is code of the guest's like any other.

import { readFileSync } from "node:fs";
import { StackfulError } from "../errors.ts";
import { packageRoot } from "../package-files.ts";
import { loadBinaryen, mergeModules } from "./binaryen.ts";
import { ModuleEditor } from "./editor.ts";
import { enableFeatures } from "./features.ts";
import { checkLinkPermissions } from "./link-permissions.ts";
import { findStackPointer, GUEST } from "./prepare.ts";
import { KIND, parseModule, type WasmModule } from "./wasm/module.ts";

/** The import module of the resolver's functions: dns.h. */
const NET_MODULE = "stackful_net";

/** What a guest that uses names is linked with; nothing for another. */
export function netOf(guest: Uint8Array): Uint8Array | undefined {
  const module = parseModule(guest);
  return module.functionImports.some((item) => item.module === NET_MODULE) ? readNet() : undefined;
}

/**
 * The guest with the resolver in it, or as it came when it does not use names.
 *
 * @throws {StackfulError} SF_LINK for a function that the resolver does not have; SF_MODULE, SF_TOOLCHAIN.
 */
export async function withNet(guest: Uint8Array): Promise<Uint8Array> {
  const net = netOf(guest);
  if (net === undefined) return guest;
  const module = parseModule(guest);
  const exports = parseModule(net).exports.map(({ name }) => name);
  refuseUnknown(module, exports);
  const merged = await mergeModules([
    { name: "guest", wasm: withExports(module) },
    { name: NET_MODULE, wasm: net },
  ]);
  const own = new Set(module.exports.map(({ name }) => name));
  return withoutExports(
    merged,
    exports.filter((name) => !own.has(name)),
  );
}

/** With exports of what the resolver imports, and of what must stay. */
function withExports(module: WasmModule): Uint8Array {
  const editor = new ModuleEditor(module);
  const found = findStackPointer(module);
  editor.exportAs(GUEST.memory, KIND.memory, 0);
  // Else merging would take functions for unused that only the core calls.
  if (module.tables.length > 0) editor.exportAs(GUEST.table, KIND.table, 0);
  editor.exportAs(GUEST.stackPointer, KIND.global, found >= 0 ? found : editor.addStackPointer());
  return editor.finish();
}

/** Exports of the whole would be tasks that the embedder can start. */
async function withoutExports(wasm: Uint8Array, names: readonly string[]): Promise<Uint8Array> {
  const binaryen = await loadBinaryen();
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(wasm);
  try {
    enableFeatures(binaryen, module);
    for (const name of names) module.removeExport(name);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function refuseUnknown(module: WasmModule, exports: readonly string[]): void {
  const unknown = module.functionImports.find(
    (item) => item.module === NET_MODULE && !exports.includes(item.name),
  );
  if (unknown === undefined) return;
  throw new StackfulError("SF_LINK", `linking: the resolver has no function "${unknown.name}"`, {
    hint: "compile against the stackful.h of this version",
  });
}

function readNet(): Uint8Array {
  checkLinkPermissions();
  const path = packageRoot("dist/net.wasm");
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new StackfulError("SF_TOOLCHAIN", `linking: cannot read the resolver ${path}`, {
      hint: "npm run build makes it",
      cause,
    });
  }
}

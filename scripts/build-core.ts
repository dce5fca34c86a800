//! Builds dist/core.wasm from wasm/core/, and dist/net.wasm from wasm/net/, when they are missing or older
//! than their sources.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BinaryenApi, loadBinaryen } from "../ts/link/binaryen.ts";
import { enableFeatures } from "../ts/link/features.ts";
import { compile } from "../ts/link/toolchain.ts";
import { packageRoot } from "../ts/package-files.ts";
import { ABI_HEADERS } from "./gen-abi.ts";

const COMPILE_FLAGS = [
  "--target=wasm32-unknown-unknown",
  "-O2",
  "-std=c11",
  "-ffreestanding",
  "-nostdlib",
  "-mbulk-memory",
  "-fno-jump-tables",
  "-Wall",
  "-Wextra",
  "-Werror",
  // Guest addresses are 32-bit fields in abi.h and pointers in the core.
  "-Wno-int-to-pointer-cast",
  "-Wno-pointer-to-int-cast",
];

const LINK_FLAGS = ["-Xlinker", "--no-entry", "-Xlinker", "--import-memory=guest,memory"];

/** The core calls the guest's functions. */
const TABLE_FLAGS = ["-Xlinker", "--import-table"];

/** Builds the core unless it is up to date; returns whether it did. */
export function buildCore(): Promise<boolean> {
  return buildModule("core", ABI_HEADERS, compileCore);
}

/** Builds the resolver unless it is up to date; returns whether it did. */
export function buildNet(): Promise<boolean> {
  const directory = packageRoot("wasm/include/stackful");
  const headers = readdirSync(directory).map((name) => join(directory, name));
  return buildModule("net", headers.sort(), compileNet);
}

async function buildModule(
  name: string,
  headers: readonly string[],
  compileSources: (directory: string) => Promise<Uint8Array>,
): Promise<boolean> {
  const sources = packageRoot(`wasm/${name}`);
  const hash = createHash("sha256");
  for (const file of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, file)));
  for (const header of headers) hash.update(readFileSync(header));
  hash.update(JSON.stringify([COMPILE_FLAGS, LINK_FLAGS, TABLE_FLAGS]));
  const key = hash.digest("hex");
  const target = packageRoot(`dist/${name}.wasm`);
  const stamp = packageRoot(`dist/${name}.key`);
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return false;

  const wasm = await compileSources(sources);
  mkdirSync(packageRoot("dist"), { recursive: true });
  writeFileSync(target, wasm);
  writeFileSync(stamp, key);
  return true;
}

/** The core of the sources in `directory`. Later `flags` win. */
export async function compileCore(
  directory: string,
  flags: readonly string[] = [],
): Promise<Uint8Array> {
  const raw = await compile({
    sources: [join(directory, "core.c"), join(directory, "globals.s")],
    includes: [packageRoot("wasm/include")],
    flags: [...COMPILE_FLAGS, ...LINK_FLAGS, ...TABLE_FLAGS, ...flags],
  });
  return finish(await loadBinaryen(), raw, (binaryen, module) => {
    // The name comes from the reader: an imported table has none of its own.
    module.addTableImport("timport$0", "guest", "__indirect_function_table");
    const start = { stackful_stack_span: -1, stackful_phase: PHASE_NESTED };
    for (const [name, value] of Object.entries(start)) {
      module.removeGlobal(name);
      module.addGlobal(name, binaryen.i32, true, module.i32.const(value));
    }
    module.optimize();
  });
}

/**
 * The resolver of the sources in `directory`. As the compiler wrote it: the linker knows by that how a
 * guest moves its stack.
 */
async function compileNet(directory: string): Promise<Uint8Array> {
  const raw = await compile({
    sources: [join(directory, "net.c"), join(directory, "globals.s")],
    includes: [packageRoot("wasm/include")],
    flags: [...COMPILE_FLAGS, ...LINK_FLAGS],
  });
  // The compiler's driver gives it an empty table.
  return finish(await loadBinaryen(), raw, (_, module) => {
    module.runPasses(["remove-unused-module-elements"]);
  });
}

/** As in wasm/core/state.h: before stackful_init nothing can park. */
const PHASE_NESTED = 3;

type Module = ReturnType<BinaryenApi["readBinary"]>;

/** Turns what is the guest's into imports. For the core: stacks are anywhere until it sets limits. */
function finish(
  binaryen: BinaryenApi,
  raw: Uint8Array,
  change?: (binaryen: BinaryenApi, module: Module) => void,
): Uint8Array {
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(1);
  const module = binaryen.readBinary(raw);
  enableFeatures(binaryen, module);
  module.addGlobalImport("__stack_pointer", "guest", "__stack_pointer", binaryen.i32, true);
  change?.(binaryen, module);
  const wasm = module.emitBinary();
  module.dispose();
  return wasm;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildCore();
  await buildNet();
}

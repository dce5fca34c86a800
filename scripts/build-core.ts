//! Builds dist/core.wasm from wasm/core/, when it is missing or older than its sources.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BinaryenApi, loadBinaryen } from "../ts/link/binaryen.ts";
import { FEATURES } from "../ts/link/features.ts";
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

const LINK_FLAGS = ["--no-entry", "--import-memory=guest,memory", "--import-table"].flatMap(
  (flag) => ["-Xlinker", flag],
);

/** Builds the core unless it is up to date; returns whether it did. */
export async function buildCore(): Promise<boolean> {
  const sources = packageRoot("wasm/core");
  const hash = createHash("sha256");
  for (const name of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, name)));
  for (const header of ABI_HEADERS) hash.update(readFileSync(header));
  hash.update(JSON.stringify([COMPILE_FLAGS, LINK_FLAGS]));
  const key = hash.digest("hex");
  const target = packageRoot("dist/core.wasm");
  const stamp = packageRoot("dist/core.key");
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return false;

  const wasm = await compileCore(sources);
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
    flags: [...COMPILE_FLAGS, ...LINK_FLAGS, ...flags],
  });
  return finish(await loadBinaryen(), raw);
}

/** As in wasm/core/state.h: before stackful_init nothing can park. */
const PHASE_NESTED = 3;

/** Turns what is the guest's into imports, and lets stacks be anywhere until the core sets limits. */
function finish(binaryen: BinaryenApi, raw: Uint8Array): Uint8Array {
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(1);
  const module = binaryen.readBinary(raw);
  module.setFeatures(
    FEATURES.reduce((set, name) => set | binaryen.Features[name], binaryen.Features.MVP),
  );
  const { i32 } = binaryen;
  // Names come from the reader: an imported table has none of its own.
  module.addTableImport("timport$0", "guest", "__indirect_function_table");
  module.addGlobalImport("__stack_pointer", "guest", "__stack_pointer", i32, true);
  const start = { stackful_stack_span: -1, stackful_phase: PHASE_NESTED };
  for (const [name, value] of Object.entries(start)) {
    module.removeGlobal(name);
    module.addGlobal(name, i32, true, module.i32.const(value));
  }
  module.optimize();
  const wasm = module.emitBinary();
  module.dispose();
  return wasm;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildCore();

//! The wasm features that linked modules may use: what toolchains emit by default and every supported
//! host runs. Not "all": Binaryen would then also emit what Node 20 cannot read.

import type { BinaryenApi } from "./binaryen.ts";

/** Names as in Binaryen's `Features`. */
const FEATURES = [
  "MutableGlobals",
  "SignExt",
  "NontrappingFPToInt",
  "BulkMemory",
  "BulkMemoryOpt",
  "ReferenceTypes",
  "Multivalue",
  "SIMD128",
  "ExceptionHandling",
] as const;

export const FEATURE_FLAGS: readonly string[] = [
  "--enable-mutable-globals",
  "--enable-sign-ext",
  "--enable-nontrapping-float-to-int",
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-reference-types",
  "--enable-multivalue",
  "--enable-simd",
  "--enable-exception-handling",
];

export function enableFeatures(
  binaryen: BinaryenApi,
  module: ReturnType<BinaryenApi["readBinary"]>,
): void {
  module.setFeatures(
    FEATURES.reduce((set, name) => set | binaryen.Features[name], binaryen.Features.MVP),
  );
}

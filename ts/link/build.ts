//! `stackful build` as a function: C and C++ sources in, linked module out.

import { packageRoot } from "../package-files.ts";
import { type Linked, type LinkOptions, link } from "./link.ts";
import { compile } from "./toolchain.ts";

export interface BuildOptions extends LinkOptions {
  /** C, C++, assembler and object files. */
  readonly sources: readonly string[];
  /** Directories for #include; stackful.h's own is always there. */
  readonly includes?: readonly string[];
  /** Further arguments for clang. @defaultValue ["-O2"] */
  readonly flags?: readonly string[];
  /** No main: exports are started with `spawn`. */
  readonly reactor?: boolean;
}

/**
 * Compiles and links guest sources.
 *
 * @throws {StackfulError} SF_TOOLCHAIN with the compiler's messages; SF_LINK as `link` does.
 */
export async function build(options: BuildOptions): Promise<Linked> {
  const { sources, includes = [], flags = ["-O2"], reactor = false } = options;
  const guest = await compile({
    sources,
    includes: [...includes, packageRoot("wasm/include")],
    flags: ["--target=wasm32-wasip1", ...(reactor ? ["-mexec-model=reactor"] : []), ...flags],
  });
  return link(guest, options);
}

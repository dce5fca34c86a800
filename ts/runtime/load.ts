//! From what the embedder names to a compiled, linked module.

import { loadSource } from "#platform/runtime/load-source";
import { StackfulError } from "../errors.ts";
import { checkAbi, findCompiledLinkInfo, type LinkInfo } from "../link/section.ts";
import { type GuestSource, type ModuleSource, sourceName } from "./module-source.ts";

export interface LoadedGuest {
  readonly module: WebAssembly.Module;
  readonly info: LinkInfo;
}

/**
 * Compiles a guest. Where there is a file system, one that has not been linked is linked on the way.
 *
 * @param asyncImports - "module.name" of host imports that may return promises; used when linking.
 * @throws {StackfulError} SF_MODULE, SF_LINK or SF_TOOLCHAIN.
 */
export async function loadGuest(
  source: GuestSource,
  asyncImports: readonly string[],
): Promise<LoadedGuest> {
  const module =
    source instanceof WebAssembly.Module
      ? source
      : await loadSource(source as ModuleSource, asyncImports);
  const info = findCompiledLinkInfo(module);
  if (info === undefined) {
    throw new StackfulError("SF_MODULE", `loading ${sourceName(source)}: it has not been linked`, {
      hint: "link it when you build the program: stackful link in.wasm -o out.wasm",
    });
  }
  checkAbi(info);
  return { module, info };
}

//! Modules in a browser, in place of load-source.ts: what has a URL is fetched, and compiled while it
//! arrives where the server calls it application/wasm. Nothing is linked here.

import { fetchModule, loadingFailed, type ModuleSource } from "./module-source.ts";

/** @throws {StackfulError} SF_MODULE. */
export async function loadSource(
  source: ModuleSource,
  _asyncImports: readonly string[],
): Promise<WebAssembly.Module> {
  if (typeof source !== "string" && !(source instanceof URL)) {
    return compiled(source, WebAssembly.compile(source as BufferSource));
  }
  const response = await fetchModule(source);
  const streams = response.headers.get("content-type") === "application/wasm";
  return compiled(
    source,
    streams
      ? WebAssembly.compileStreaming(response)
      : response.arrayBuffer().then((bytes) => WebAssembly.compile(bytes)),
  );
}

async function compiled(
  source: ModuleSource,
  compiling: Promise<WebAssembly.Module>,
): Promise<WebAssembly.Module> {
  try {
    return await compiling;
  } catch (cause) {
    throw loadingFailed(source, cause);
  }
}

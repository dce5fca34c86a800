//! Modules where there is a file system. One that has not been linked is linked on the way, with a
//! cache by content: `$STACKFUL_CACHE`, else `stackful` in the user's cache directory.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jsRuntime } from "../js-runtime.ts";
import { findLinkInfo, readLinkInfo } from "../link/section.ts";
import { parseModule } from "../link/wasm/module.ts";
import { environmentVariable, flagOf, mayRead, permitted } from "../permissions.ts";
import { fetchModule, loadingFailed, type ModuleSource } from "./module-source.ts";

/** @throws {StackfulError} SF_MODULE, SF_LINK or SF_TOOLCHAIN. */
export async function loadSource(
  source: ModuleSource,
  asyncImports: readonly string[],
): Promise<WebAssembly.Module> {
  const bytes = await readSource(source);
  const parsed = parseModule(bytes);
  const linked =
    findLinkInfo(parsed) === undefined
      ? await linkCached(
          bytes,
          asyncImports.filter((name) =>
            parsed.functionImports.some((item) => `${item.module}.${item.name}` === name),
          ),
        )
      : bytes;
  try {
    return await WebAssembly.compile(linked);
  } catch (cause) {
    throw loadingFailed(source, cause);
  }
}

async function readSource(source: ModuleSource): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) return source as Uint8Array<ArrayBuffer>;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof URL && source.protocol !== "file:") {
    return new Uint8Array(await (await fetchModule(source)).arrayBuffer());
  }
  const path = source instanceof URL ? fileURLToPath(source) : source;
  if (!mayRead(path)) {
    throw loadingFailed(source, `it needs ${flagOf({ name: "read", path })}`);
  }
  try {
    return await readFile(path);
  } catch (cause) {
    throw loadingFailed(source, cause);
  }
}

async function linkCached(
  bytes: Uint8Array,
  asyncImports: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { link, linkHash } = await import("../link/link.ts");
  const options = { asyncImports };
  const directory = cacheDirectory();
  if (directory === undefined) return (await link(bytes, options)).wasm;
  const hash = await linkHash(bytes, options);
  const path = join(directory, `${hash}.wasm`);
  try {
    const cached = await readFile(path);
    if (readLinkInfo(cached).hash === hash) return cached;
  } catch {
    // Not cached yet, or broken: made anew.
  }
  const { wasm } = await link(bytes, options);
  try {
    await mkdir(directory, { recursive: true });
    const temporary = `${path}.${process.pid}`;
    await writeFile(temporary, wasm);
    await rename(temporary, path);
  } catch {
    // The cache only saves time: without a place for it the module is linked again next time.
  }
  return wasm;
}

/** Undefined where there is none that may be used. */
function cacheDirectory(): string | undefined {
  const path = environmentVariable("STACKFUL_CACHE") ?? userCache();
  if (path === undefined) return undefined;
  return permitted({ name: "read", path }) && permitted({ name: "write", path }) ? path : undefined;
}

function userCache(): string | undefined {
  // Deno has a permission of its own for homedir.
  const home = jsRuntime() === "deno" ? environmentVariable("HOME") : homedir();
  const caches = environmentVariable("XDG_CACHE_HOME") || (home && join(home, ".cache"));
  return caches && join(caches, "stackful");
}

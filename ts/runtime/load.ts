//! From what the embedder names to a compiled, linked module.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { StackfulError } from "../errors.ts";
import { checkAbi, findLinkInfo, type LinkInfo, readLinkInfo } from "../link/section.ts";
import { parseModule } from "../link/wasm/module.ts";

/** A path, a file URL, the bytes of a module, or a module that is compiled already. */
export type GuestSource = string | URL | Uint8Array | ArrayBuffer | WebAssembly.Module;

export interface LoadedGuest {
  readonly module: WebAssembly.Module;
  readonly info: LinkInfo;
}

/**
 * Compiles a guest. One that has not been linked is linked on the way, with a cache by content; the
 * cache is `$STACKFUL_CACHE`, else `stackful` in the user's cache directory.
 *
 * @param asyncImports - "module.name" of host imports that may return promises; used when linking.
 * @throws {StackfulError} SF_MODULE, SF_LINK or SF_TOOLCHAIN.
 */
export async function loadGuest(
  source: GuestSource,
  asyncImports: readonly string[],
): Promise<LoadedGuest> {
  if (source instanceof WebAssembly.Module) {
    const [section] = WebAssembly.Module.customSections(source, "stackful");
    if (section === undefined) {
      throw new StackfulError("SF_MODULE", "loading the module: it has not been linked", {
        hint: "link it before WebAssembly.compile, or pass its bytes",
      });
    }
    const info = JSON.parse(new TextDecoder().decode(section)) as LinkInfo;
    checkAbi(info);
    return { module: source, info };
  }
  const bytes = await readSource(source as ModuleFile);
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
  const info = readLinkInfo(linked);
  try {
    return { module: await WebAssembly.compile(linked), info };
  } catch (cause) {
    throw new StackfulError("SF_MODULE", `loading the module: ${(cause as Error).message}`, {
      cause,
    });
  }
}

type ModuleFile = string | URL | Uint8Array | ArrayBuffer;

async function readSource(source: ModuleFile): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) return source as Uint8Array<ArrayBuffer>;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  try {
    return await readFile(source);
  } catch (cause) {
    throw new StackfulError("SF_MODULE", `loading ${source}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function linkCached(
  bytes: Uint8Array,
  asyncImports: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { link, linkHash } = await import("../link/link.ts");
  const options = { asyncImports };
  const directory = process.env.STACKFUL_CACHE ?? join(cacheHome(), "stackful");
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

function cacheHome(): string {
  return process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
}

/** argv[0] of a guest that is given none. */
export function programName(source: GuestSource): string {
  const path = typeof source === "string" || source instanceof URL ? String(source) : "guest";
  return path.split(/[\\/]/).at(-1)!;
}

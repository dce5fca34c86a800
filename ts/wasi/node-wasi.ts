//! WASI preview 1 from node:wasi (uvwasi). Its calls block the thread; those that only take a moment
//! (stdio, arguments, clocks, random, exit, plain files) are what it is here for.

import type { HostFunction } from "../guest/host-imports.ts";
import { PREVIEW1, type WasiOptions, type WasiProvider } from "./provider.ts";

/** Undefined where the host has no node:wasi. */
export async function openNodeWasi(options: WasiOptions): Promise<WasiProvider | undefined> {
  const nodeWasi = await importQuietly();
  if (nodeWasi === undefined) return undefined;
  const wasi = new nodeWasi.WASI({
    version: "preview1",
    args: [...options.args],
    env: { ...options.env },
    preopens: { ...options.directories },
    returnOnExit: false,
  });
  const functions = { ...(wasi.wasiImport as Record<string, HostFunction>) };
  functions.proc_exit = (code: number) => options.exit(code);
  return {
    imports: { [PREVIEW1]: functions },
    // The memory is all that node:wasi wants of an instance; it would call _start and _initialize,
    // which here run as tasks.
    attach: (memory) => wasi.initialize({ exports: { memory } }),
  };
}

/** Without the warning that node:wasi is experimental: the user did not choose it. */
async function importQuietly(): Promise<typeof import("node:wasi") | undefined> {
  if (globalThis.process?.versions?.node === undefined) return undefined;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return await import("node:wasi");
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

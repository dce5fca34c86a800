//! WASI preview 1 from node:wasi (uvwasi). Its calls block the thread; those that only take a moment
//! (stdio, arguments, clocks, random, exit, plain files) are what it is here for.

import type { HostFunction } from "../guest/host-imports.ts";
import { permitted } from "../permissions.ts";
import { PREVIEW1, type WasiOptions, type WasiProvider } from "./provider.ts";

interface NodeWasi {
  readonly wasiImport: object;
  initialize?(instance: object): void;
  /** Bun's name for what of `initialize` is wanted here. */
  setMemory?(memory: WebAssembly.Memory): void;
}

/** Undefined where the host has no node:wasi. */
export async function openNodeWasi(options: WasiOptions): Promise<WasiProvider | undefined> {
  const wasi = await openQuietly(options);
  if (wasi === undefined) return undefined;
  const functions = { ...(wasi.wasiImport as Record<string, HostFunction>) };
  functions.proc_exit = (code: number) => options.exit(code);
  return {
    imports: { [PREVIEW1]: functions },
    // The memory is all that node:wasi wants of an instance; it would call _start and _initialize,
    // which here run as tasks.
    attach: (memory) => {
      if (wasi.setMemory !== undefined) wasi.setMemory(memory);
      else wasi.initialize?.({ exports: { memory } });
    },
    flush: () => {},
  };
}

/** It opens a directory for everything, or fails. */
function usable(directories: WasiOptions["directories"]): Record<string, string> {
  const may = (path: string): boolean =>
    permitted({ name: "read", path }) && permitted({ name: "write", path });
  return Object.fromEntries(Object.entries(directories).filter(([, path]) => may(path)));
}

/** Without the warning that node:wasi is experimental: the user did not choose it. */
async function openQuietly(options: WasiOptions): Promise<NodeWasi | undefined> {
  if (globalThis.process?.versions?.node === undefined) return undefined;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    const nodeWasi = await import("node:wasi").catch(() => undefined);
    if (nodeWasi === undefined) return undefined;
    return new nodeWasi.WASI({
      version: "preview1",
      args: [...options.args],
      env: { ...options.env },
      preopens: usable(options.directories),
      returnOnExit: false,
    });
  } finally {
    process.emitWarning = emitWarning;
  }
}

//! What a WASI provider is, and which one runs.

import type { Environment } from "../guest/environment.ts";
import type { HostImports } from "../guest/host-imports.ts";

/** Takes one line of output, without its line break. */
export type PrintLine = (stream: "stdout" | "stderr", line: string) => void;

export interface WasiOptions {
  /** argv, the program's name first. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Host directory by guest path. */
  readonly directories: Readonly<Record<string, string>>;
  readonly environment: Environment;
  /** Takes standard output and error. Absent: they are the host's own. */
  readonly onOutput?: PrintLine;
  /** Called by proc_exit; throws what unwinds the guest. */
  exit(code: number): never;
}

export interface WasiProvider {
  readonly imports: HostImports;
  /** The guest's memory exists from here on. */
  attach(memory: WebAssembly.Memory): void;
  /** Nothing runs any more: gives out what it holds back of the output. */
  flush(): void;
}

export const PREVIEW1 = "wasi_snapshot_preview1";

//! Chooses the WASI provider: node:wasi where there is one and the guest is to have the host's own
//! clock and output, ours elsewhere.

import { openNodeWasi } from "#platform/wasi/node-wasi";
import { SYSTEM } from "../guest/environment.ts";
import { openMinimalWasi } from "./minimal-wasi.ts";
import type { WasiOptions, WasiProvider } from "./provider.ts";

export async function openWasi(options: WasiOptions): Promise<WasiProvider> {
  const hosts = options.environment === SYSTEM && options.onOutput === undefined;
  const provider = hosts ? await openNodeWasi(options) : undefined;
  return provider ?? openMinimalWasi(options, options.onOutput ?? printToConsole);
}

function printToConsole(stream: "stdout" | "stderr", line: string): void {
  if (stream === "stdout") console.log(line);
  else console.error(line);
}

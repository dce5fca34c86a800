//! Chooses the WASI provider: node:wasi where it is, ours elsewhere.

import { openMinimalWasi } from "./minimal-wasi.ts";
import type { WasiOptions, WasiProvider } from "./provider.ts";

export async function openWasi(options: WasiOptions): Promise<WasiProvider> {
  if (globalThis.process?.versions?.node !== undefined) {
    const { openNodeWasi } = await import("./node-wasi.ts");
    const provider = await openNodeWasi(options);
    if (provider !== undefined) return provider;
  }
  return openMinimalWasi(options, (stream, line) => {
    if (stream === "stdout") console.log(line);
    else console.error(line);
  });
}

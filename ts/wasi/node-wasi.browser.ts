//! No node:wasi in a browser: in place of node-wasi.ts.

import type { WasiOptions, WasiProvider } from "./provider.ts";

export async function openNodeWasi(_options: WasiOptions): Promise<WasiProvider | undefined> {
  return undefined;
}

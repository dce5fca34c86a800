//! The benchmark guests: compiled and linked once, run with an owned loop and no I/O.

import { readFileSync } from "node:fs";
import { cachedFile, headerTexts, linkerTexts } from "../../test/support/cached.ts";
import { Runtime, type RuntimeOptions } from "../../ts/index.ts";
import { build } from "../../ts/link.ts";
import { packageRoot } from "../../ts/package-files.ts";

export const GUEST_FLAGS: readonly string[] = ["-O2", "-Wall", "-Wextra", "-Werror"];

/** The linked module of bench/guests/NAME.c; several processes may ask at once. */
export function benchGuest(name: string, { reactor }: { reactor: boolean }): Promise<string> {
  const source = packageRoot(`bench/guests/${name}.c`);
  const made = ["bench/guests/tasks.h", "dist/core.wasm"].map((file) => packageRoot(file));
  const inputs = [
    ...[source, ...made].map((file) => readFileSync(file)),
    ...headerTexts(),
    ...linkerTexts(),
    JSON.stringify({ reactor, flags: GUEST_FLAGS }),
  ];
  return cachedFile(`bench-${name}`, inputs, async () => {
    const { wasm } = await build({ sources: [source], flags: GUEST_FLAGS, reactor });
    return wasm;
  });
}

/** A runtime for the guest bench/guests/NAME.c. */
export async function benchRuntime(name: string, options: RuntimeOptions = {}): Promise<Runtime> {
  const path = await benchGuest(name, { reactor: true });
  return Runtime.create(path, { backend: "node", limits: { turnMs: 50 }, ...options });
}

//! The benchmark guests: compiled and linked once, run with an owned loop and no I/O.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Runtime, type RuntimeOptions } from "../../ts/index.ts";
import { build } from "../../ts/link.ts";
import { packageRoot } from "../../ts/package-files.ts";

export const GUEST_FLAGS: readonly string[] = ["-O2", "-Wall", "-Wextra", "-Werror"];

/** The linked module of bench/guests/NAME.c; several processes may ask at once. */
export async function benchGuest(name: string, options: { reactor: boolean }): Promise<string> {
  const source = packageRoot(`bench/guests/${name}.c`);
  const hash = createHash("sha256");
  for (const file of [
    source,
    packageRoot("wasm/include/stackful.h"),
    packageRoot("dist/core.wasm"),
  ]) {
    hash.update(readFileSync(file));
  }
  const directory = packageRoot("dist/bench-guests");
  const path = `${directory}/${name}-${hash.digest("hex").slice(0, 16)}.wasm`;
  if (existsSync(path)) return path;
  const { wasm } = await build({
    sources: [source],
    flags: GUEST_FLAGS,
    reactor: options.reactor,
  });
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, wasm);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export async function benchRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const path = await benchGuest("core", { reactor: true });
  return Runtime.create(path, { backend: "node", limits: { turnMs: 50 }, ...options });
}

//! The benchmark guests: compiled and linked once, run with an owned loop and no I/O.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { Runtime, type RuntimeOptions } from "../../ts/index.ts";
import { build } from "../../ts/link.ts";
import { packageRoot } from "../../ts/package-files.ts";

export const GUEST_FLAGS: readonly string[] = ["-O2", "-Wall", "-Wextra", "-Werror"];

const HEADERS = ["wasm/include", "wasm/include/stackful"].flatMap((directory) =>
  readdirSync(packageRoot(directory))
    .filter((name) => name.endsWith(".h"))
    .map((name) => packageRoot(`${directory}/${name}`)),
);

/** The linked module of bench/guests/NAME.c; several processes may ask at once. */
export async function benchGuest(name: string, options: { reactor: boolean }): Promise<string> {
  const source = packageRoot(`bench/guests/${name}.c`);
  const hash = createHash("sha256");
  for (const file of [
    source,
    packageRoot("bench/guests/tasks.h"),
    packageRoot("dist/core.wasm"),
    ...HEADERS,
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

/** A runtime for the guest bench/guests/NAME.c. */
export async function benchRuntime(name: string, options: RuntimeOptions = {}): Promise<Runtime> {
  const path = await benchGuest(name, { reactor: true });
  return Runtime.create(path, { backend: "node", limits: { turnMs: 50 }, ...options });
}

//! The guests of the scenarios, linked with the core as it ships or with a faulty one.

import { readFileSync } from "node:fs";
import { link } from "../../ts/link/link.ts";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { cached, headerTexts, linkerTexts, texts } from "../support/cached.ts";

const GUESTS = packageRoot("test/simulator/guests");
const BYTE_SEQUENCE = packageRoot("examples/load-generator");

const FLAGS = [
  "--target=wasm32-wasip1",
  "-mexec-model=reactor",
  "-O2",
  "-Wall",
  "-Wextra",
  "-Wno-unused-function",
];

/** Compiles guests/`name`.c; links it with `core` in place of dist/core.wasm when that is given. */
export async function buildGuest(name: string, core?: Uint8Array): Promise<WebAssembly.Module> {
  const source = `${GUESTS}/${name}.c`;
  const includes = [GUESTS, BYTE_SEQUENCE, packageRoot("wasm/include")];
  const inputs = [
    readFileSync(source),
    ...texts(GUESTS, /\.h$/),
    ...texts(BYTE_SEQUENCE, /\.h$/),
    ...headerTexts(),
    FLAGS.join(),
  ];
  const raw = await cached(`${name}-guest`, inputs, () =>
    compile({ sources: [source], includes, flags: FLAGS }),
  );
  const bytes = core ?? readFileSync(packageRoot("dist/core.wasm"));
  const linked = await cached(name, [raw, bytes, ...linkerTexts()], async () => {
    const { wasm } = await link(raw, core === undefined ? {} : { core });
    return wasm;
  });
  return WebAssembly.compile(linked);
}

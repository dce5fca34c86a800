//! The guest of the model, linked with the core as it ships or with a faulty one.

import { readFileSync } from "node:fs";
import { link } from "../../ts/link/link.ts";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { cached, headerTexts, linkerTexts, texts } from "../support/cached.ts";

const GUEST = packageRoot("test/model/guest");

/** The linked module; with `core` in place of dist/core.wasm when that is given. */
export async function buildModel(core?: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = core ?? readFileSync(packageRoot("dist/core.wasm"));
  const raw = await cached("model-guest", [...texts(GUEST), ...headerTexts()], compileGuest);
  return cached("model", [raw, bytes, ...linkerTexts()], async () => {
    const { wasm } = await link(raw, core === undefined ? {} : { core });
    return wasm;
  });
}

function compileGuest(): Promise<Uint8Array> {
  return compile({
    sources: [`${GUEST}/model.c`],
    includes: [GUEST, packageRoot("wasm/include")],
    flags: ["--target=wasm32-wasip1", "-mexec-model=reactor", "-O2", "-Wall"],
  });
}

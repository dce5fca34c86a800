//! What linking costs a CPU-bound guest: the same module as the compiler wrote it, and linked.

import { compile } from "../../ts/link/toolchain.ts";
import { link } from "../../ts/link.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { type Params, param, type Sample } from "../scenario.ts";
import { GUEST_FLAGS } from "./guest.ts";

type Mix = (iterations: number) => number;

/** What mix returns, in JavaScript: the checksum that both modules must reach. */
export function mixed(iterations: number): number {
  let value = 0;
  for (let count = iterations; count !== 0; count--) {
    value = (Math.imul(value, 2_654_435_761) + count) >>> 0;
    value = (value ^ (value >>> 15)) >>> 0;
  }
  return value;
}

/** The guest before linking. */
export async function plainGuest(params: Params): Promise<Sample> {
  return measure(await compileGuest(), params);
}

export async function linkedGuest(params: Params): Promise<Sample> {
  const { wasm, figures } = await link(await compileGuest());
  const sample = await measure(wasm, params);
  return {
    ...sample,
    metrics: { ...sample.metrics, "ms-link": figures.linkMs, "x-size": figures.sizeFactor },
    notes: { ...figures },
  };
}

function compileGuest(): Promise<Uint8Array> {
  return compile({
    sources: [packageRoot("bench/guests/cpu.c")],
    includes: [packageRoot("wasm/include")],
    flags: ["--target=wasm32-wasip1", "-mexec-model=reactor", ...GUEST_FLAGS],
  });
}

async function measure(wasm: Uint8Array, params: Params): Promise<Sample> {
  const iterations = param(params, "iterations");
  const module = await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  // Nothing that mix does calls an import.
  const unused = new Proxy({}, { get: () => () => 0 });
  const imports = new Proxy({}, { get: () => unused }) as WebAssembly.Imports;
  const { exports } = await WebAssembly.instantiate(module, imports);
  const mix = exports.mix as unknown as Mix;
  mix(iterations);
  const started = performance.now();
  const result = mix(iterations) >>> 0;
  const ns = (performance.now() - started) * 1e6;
  return {
    metrics: { "ns/iteration": ns / iterations, bytes: wasm.length },
    checksum: String(result),
  };
}

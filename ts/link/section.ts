//! The custom section "stackful" of a linked module: what the runtime must know of it.

import { ABI_VERSION } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Module } from "../webassembly.ts";
import { ByteWriter } from "./wasm/bytes.ts";
import { parseModule, SECTION, type WasmModule } from "./wasm/module.ts";

const NAME = "stackful";

/** Changes with what LinkInfo holds, so that the link cache forgets modules that lack it. */
export const INFO_LAYOUT = 2;

export type ValueType = "i32" | "i64" | "f32" | "f64";

/** An export that can be a task's entry. */
export interface Entry {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Its wrapper's index in the function table. */
  readonly tableIndex: number;
  /**
   * Bytes of stack that a task with this entry needs at most, 1 or more; absent when there is no bound.
   * What a host import calls back while the task runs is not counted.
   */
  readonly stackBytes?: number;
}

export interface LinkInfo {
  readonly abi: number;
  /** Hash of the guest, the core and the options: the key of the link cache. */
  readonly hash: string;
  /** By export name. */
  readonly entries: Readonly<Record<string, Entry>>;
  /** Result types of every host import that may return a promise, by "module.name". */
  readonly asyncImports: Readonly<Record<string, readonly ValueType[]>>;
  /**
   * As `stackBytes`, by table index, ascending: for every function that sf_spawn takes as an entry, the
   * wrappers of `entries` included.
   */
  readonly stackBounds: readonly (readonly [tableIndex: number, bytes: number])[];
}

export function appendLinkInfo(wasm: Uint8Array, info: LinkInfo): Uint8Array<ArrayBuffer> {
  const body = new ByteWriter().name(NAME).raw(new TextEncoder().encode(JSON.stringify(info)));
  const section = new ByteWriter().u8(SECTION.custom).sized(body).finish();
  const out = new Uint8Array(wasm.length + section.length);
  out.set(wasm);
  out.set(section, wasm.length);
  return out;
}

/** Undefined when the module has not been linked. */
export function findLinkInfo(module: WasmModule): LinkInfo | undefined {
  const body = module.customs.find((custom) => custom.name === NAME)?.body;
  return body === undefined ? undefined : decode(module.bytes.subarray(body.start, body.end));
}

/** As findLinkInfo, of a module that the engine has compiled. */
export function findCompiledLinkInfo(module: Module): LinkInfo | undefined {
  const [section] = WebAssembly.Module.customSections(module, NAME);
  return section === undefined ? undefined : decode(section);
}

function decode(section: AllowSharedBufferSource): LinkInfo {
  return JSON.parse(new TextDecoder().decode(section)) as LinkInfo;
}

/** @throws {StackfulError} SF_MODULE when `wasm` is not linked, or for another ABI version. */
export function readLinkInfo(wasm: Uint8Array): LinkInfo {
  const info = findLinkInfo(parseModule(wasm));
  if (info === undefined) {
    throw new StackfulError("SF_MODULE", "loading the module: it has not been linked", {
      hint: "run `stackful link in.wasm -o out.wasm`, or load it in Node, which links on the fly",
    });
  }
  checkAbi(info);
  return info;
}

/** @throws {StackfulError} SF_MODULE when the module was linked for another ABI version. */
export function checkAbi(info: LinkInfo): void {
  if (info.abi !== ABI_VERSION) {
    throw new StackfulError(
      "SF_MODULE",
      `loading the module: it was linked for ABI ${info.abi}, this is ABI ${ABI_VERSION}`,
      { hint: "link the original module again with this version of stackful" },
    );
  }
}

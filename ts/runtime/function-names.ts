//! What the guest's functions are called: by index for stack traces, by place in the table for entries.

import type { Guest } from "../guest/guest.ts";
import type { LinkInfo } from "../link/section.ts";
import { ByteReader } from "../link/wasm/bytes.ts";
import { readNameSection } from "../link/wasm/names.ts";

export class FunctionNames {
  readonly #module: WebAssembly.Module;
  readonly #info: LinkInfo;
  #names: ReadonlyMap<number, string> | undefined;
  #indices: ReadonlyMap<string, number> | undefined;
  #exports: ReadonlyMap<number, string> | undefined;

  constructor(module: WebAssembly.Module, info: LinkInfo) {
    this.#module = module;
    this.#info = info;
  }

  /** Of the function with this index in the module. */
  byIndex(index: number): string {
    return this.#all().get(index) ?? `function ${index}`;
  }

  /** Of the function that an engine calls so: by its index, or its name. -1: there is none. */
  indexOf(text: string): number {
    if (/^\d+$/.test(text)) return Number(text);
    this.#indices ??= new Map([...this.#all()].map(([index, name]) => [name, index]));
    return this.#indices.get(text) ?? -1;
  }

  /** Of the function at `place` in the table: an entry by its export, which is what was spawned. */
  inTable(guest: Guest, place: number): string {
    this.#exports ??= new Map(
      Object.entries(this.#info.entries).map(([name, { tableIndex }]) => [tableIndex, name]),
    );
    const exported = this.#exports.get(place);
    if (exported !== undefined) return exported;
    const index = place < guest.table.length ? functionIndex(guest.table.get(place)) : undefined;
    return index === undefined ? `table[${place}]` : this.byIndex(index);
  }

  #all(): ReadonlyMap<number, string> {
    this.#names ??= readNames(this.#module);
    return this.#names;
  }

  /** The linker's wrappers around exports, by index. */
  wrappers(guest: Guest): ReadonlyMap<number, Wrapper> {
    const wrappers = new Map<number, Wrapper>();
    for (const [name, { tableIndex }] of Object.entries(this.#info.entries)) {
      const index = functionIndex(guest.table.get(tableIndex));
      const inner = functionIndex(guest.exports[name]);
      if (index !== undefined) wrappers.set(index, { name, inner });
    }
    return wrappers;
  }
}

/** No function of the guest's own, unless it was inlined there. */
export interface Wrapper {
  /** Of the export. */
  readonly name: string;
  /** The index of what it calls. */
  readonly inner: number | undefined;
}

/** JavaScript calls a function of wasm by its index. */
function functionIndex(exported: unknown): number | undefined {
  return typeof exported === "function" ? Number(exported.name) : undefined;
}

function readNames(module: WebAssembly.Module): ReadonlyMap<number, string> {
  const [section] = WebAssembly.Module.customSections(module, "name");
  if (section === undefined) return new Map();
  try {
    return readNameSection(new ByteReader(new Uint8Array(section))).functions;
  } catch {
    return new Map(); // Not as it should be: engines ignore it then, too.
  }
}

//! What the guest's functions are called: by index for stack traces, by place in the table for entries.

import type { Guest } from "../guest/guest.ts";
import type { LinkInfo } from "../link/section.ts";
import { ByteReader } from "../link/wasm/bytes.ts";
import { readNameSection } from "../link/wasm/module.ts";

export class FunctionNames {
  readonly #module: WebAssembly.Module;
  readonly #info: LinkInfo;
  #names: ReadonlyMap<number, string> | undefined;
  #exports: ReadonlyMap<number, string> | undefined;

  constructor(module: WebAssembly.Module, info: LinkInfo) {
    this.#module = module;
    this.#info = info;
  }

  /** Of the function with this index in the module. */
  byIndex(index: number): string {
    this.#names ??= readNames(this.#module);
    return this.#names.get(index) ?? `function ${index}`;
  }

  /** Of the function at `place` in the table: an entry by its export, which is what was spawned. */
  inTable(guest: Guest, place: number): string {
    this.#exports ??= new Map(
      Object.entries(this.#info.entries).map(([name, { tableIndex }]) => [tableIndex, name]),
    );
    const exported = this.#exports.get(place);
    if (exported !== undefined) return exported;
    const index = functionIndex(guest.table, place);
    return index === undefined ? `table[${place}]` : this.byIndex(index);
  }

  /** The linker's wrappers around exports, by index: no functions of the guest. */
  wrappers(guest: Guest): ReadonlySet<number> {
    const entries = Object.values(this.#info.entries);
    return new Set(
      entries.flatMap(({ tableIndex }) => functionIndex(guest.table, tableIndex) ?? []),
    );
  }
}

/** JavaScript calls a function of wasm by its index. */
export function functionIndex(table: WebAssembly.Table, place: number): number | undefined {
  const found: unknown = place < table.length ? table.get(place) : null;
  return typeof found === "function" ? Number(found.name) : undefined;
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

//! Appends to a wasm module and replaces instructions in it. Nothing that exists changes its index,
//! so no reference needs rewriting; sections that no change touches are copied byte for byte.

import type { Site } from "./analyze.ts";
import { ByteReader, ByteWriter } from "./wasm/bytes.ts";
import { OPCODE } from "./wasm/instructions.ts";
import { KIND, SECTION, SECTION_ORDER, VALUE_TYPE, type WasmModule } from "./wasm/module.ts";
import { withFunctionNames } from "./wasm/names.ts";

/** wasm32 memories end at 4 GiB. */
const MEMORY_PAGES_MAX = 65_536;

interface Replacement {
  readonly site: Site;
  readonly callee: number;
}

export class ModuleEditor {
  readonly #module: WasmModule;
  readonly #types: ByteWriter[] = [];
  readonly #functionTypes: number[] = [];
  readonly #bodies: ByteWriter[] = [];
  readonly #globals: ByteWriter[] = [];
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #replacements = new Map<number, Replacement[]>();
  readonly #names: [number, string][] = [];
  #tableSlots: number[] = [];
  #unboundMemory = false;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** Exports something, unless it is exported under that name already. */
  exportAs(name: string, kind: number, index: number): void {
    const exists = this.#module.exports.some((item) => item.name === name && item.kind === kind);
    if (!exists) this.#exports.push({ name, kind, index });
  }

  /** Lets the memory grow to 4 GiB, whatever maximum the guest was built with. */
  unboundMemory(): void {
    this.#unboundMemory = true;
  }

  /** `name`: for stack traces, where the module has names. */
  addFunction(
    parameters: readonly number[],
    results: readonly number[],
    body: ByteWriter,
    name?: string,
  ): number {
    const type = new ByteWriter().u8(0x60).u32(parameters.length);
    for (const parameter of parameters) type.u8(parameter);
    type.u32(results.length);
    for (const result of results) type.u8(result);
    this.#types.push(type);
    this.#functionTypes.push(this.#module.types.length + this.#types.length - 1);
    this.#bodies.push(body);
    const { functionImports, functions } = this.#module;
    const index = functionImports.length + functions.length + this.#bodies.length - 1;
    if (name !== undefined) this.#names.push([index, name]);
    return index;
  }

  /** An exported function that traps until it is given a body. */
  addStub(name: string, parameters: readonly number[], results: readonly number[]): number {
    const body = new ByteWriter().u32(0).u8(0x00).u8(OPCODE.end);
    const index = this.addFunction(parameters, results, body);
    this.exportAs(name, KIND.function, index);
    return index;
  }

  /** A mutable i32 global for a guest that has no stack pointer: the core saves and restores it. */
  addStackPointer(): number {
    const global = new ByteWriter()
      .u8(VALUE_TYPE.i32)
      .u8(1)
      .u8(OPCODE.i32Const)
      .s32(0)
      .u8(OPCODE.end);
    this.#globals.push(global);
    return this.#module.globalImportsCount + this.#module.globals.length + this.#globals.length - 1;
  }

  /** Appends `functions` to table 0, which is made when there is none. Returns the first one's slot. */
  addToTable(functions: readonly number[]): number {
    const first = (this.#module.tables[0]?.minimum ?? 0) + this.#tableSlots.length;
    this.#tableSlots.push(...functions);
    return first;
  }

  /** Calls `callee` in place of the instruction at `site`; after it, for a stack allocation. */
  call(bodyIndex: number, site: Site, callee: number): void {
    const list = this.#replacements.get(bodyIndex);
    if (list === undefined) this.#replacements.set(bodyIndex, [{ site, callee }]);
    else list.push({ site, callee });
  }

  finish(): Uint8Array {
    const out = new ByteWriter().raw(this.#module.bytes.subarray(0, 8));
    for (const id of SECTION_ORDER) {
      const content = this.#section(id);
      if (content !== undefined) out.u8(id).sized(content);
    }
    for (const { name, body } of this.#module.customs) {
      const content = this.#module.bytes.subarray(body.start, body.end);
      const kept = name === "name" ? withFunctionNames(content, this.#names) : content;
      out.u8(SECTION.custom).sized(new ByteWriter().name(name).raw(kept));
    }
    return out.finish();
  }

  #section(id: number): ByteWriter | undefined {
    switch (id) {
      case SECTION.type:
        return this.#appended(id, this.#module.types.length, this.#types);
      case SECTION.function:
        return this.#appended(
          id,
          this.#module.functions.length,
          this.#functionTypes.map((type) => new ByteWriter().u32(type)),
        );
      case SECTION.table:
        return this.#tableSlots.length > 0 || this.#module.tables.length > 0
          ? this.#table()
          : new ByteWriter().u32(1).u8(0x70).u8(0).u32(1);
      case SECTION.memory:
        return this.#unboundMemory
          ? new ByteWriter()
              .u32(1)
              .u8(1)
              .u32(this.#module.memories[0]!.minimum)
              .u32(MEMORY_PAGES_MAX)
          : this.#copied(id);
      case SECTION.global:
        return this.#appended(id, this.#module.globals.length, this.#globals);
      case SECTION.export:
        return this.#appended(
          id,
          this.#module.exports.length,
          this.#exports.map((item) =>
            new ByteWriter().name(item.name).u8(item.kind).u32(item.index),
          ),
        );
      case SECTION.element:
        return this.#elements();
      case SECTION.code:
        return this.#code();
      default:
        return this.#copied(id);
    }
  }

  #copied(id: number): ByteWriter | undefined {
    const body = this.#module.sections.get(id);
    if (body === undefined) return undefined;
    return new ByteWriter().raw(this.#module.bytes.subarray(body.start, body.end));
  }

  /** The section's items, then `items`. */
  #appended(id: number, count: number, items: readonly ByteWriter[]): ByteWriter | undefined {
    if (items.length === 0) return this.#copied(id);
    const out = new ByteWriter().u32(count + items.length);
    const body = this.#module.sections.get(id);
    if (body !== undefined) {
      const reader = new ByteReader(this.#module.bytes, body.start, body.end);
      reader.u32();
      out.raw(this.#module.bytes.subarray(reader.position, body.end));
    }
    for (const item of items) out.raw(item.finish());
    return out;
  }

  #table(): ByteWriter {
    const [first] = this.#module.tables;
    const size = (first?.minimum ?? 0) + this.#tableSlots.length;
    const body = this.#module.sections.get(SECTION.table);
    const out = new ByteWriter()
      .u32(Math.max(1, this.#module.tables.length))
      .u8(0x70)
      .u8(0)
      .u32(size);
    if (body !== undefined) {
      const reader = new ByteReader(this.#module.bytes, body.start, body.end);
      reader.u32();
      reader.u8();
      const bounded = reader.u8() & 1;
      reader.u32();
      if (bounded) reader.u32();
      out.raw(this.#module.bytes.subarray(reader.position, body.end));
    }
    return out;
  }

  #elements(): ByteWriter | undefined {
    if (this.#tableSlots.length === 0) return this.#copied(SECTION.element);
    const segment = new ByteWriter()
      .u32(0)
      .u8(OPCODE.i32Const)
      .s32(this.#module.tables[0]?.minimum ?? 0)
      .u8(OPCODE.end)
      .u32(this.#tableSlots.length);
    for (const index of this.#tableSlots) segment.u32(index);
    const body = this.#module.sections.get(SECTION.element);
    const count =
      body === undefined ? 0 : new ByteReader(this.#module.bytes, body.start, body.end).u32();
    return this.#appended(SECTION.element, count, [segment]);
  }

  #code(): ByteWriter {
    const out = new ByteWriter().u32(this.#module.bodies.length + this.#bodies.length);
    this.#module.bodies.forEach((body, index) => {
      const replacements = this.#replacements.get(index);
      if (replacements === undefined) {
        out.u32(body.end - body.start).raw(this.#module.bytes.subarray(body.start, body.end));
      } else {
        out.sized(this.#rewritten(body.start, body.end, replacements));
      }
    });
    for (const body of this.#bodies) out.sized(body);
    return out;
  }

  #rewritten(start: number, end: number, replacements: readonly Replacement[]): ByteWriter {
    const out = new ByteWriter();
    let from = start;
    for (const { site, callee } of replacements) {
      const until = site.kind === "stack allocation" ? site.end : site.start;
      out.raw(this.#module.bytes.subarray(from, until)).u8(OPCODE.call).u32(callee);
      from = site.end;
    }
    return out.raw(this.#module.bytes.subarray(from, end));
  }
}

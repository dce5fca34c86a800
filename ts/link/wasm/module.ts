//! The parts of a wasm module that the linker looks at: an index over its sections.

import { StackfulError } from "../../errors.ts";
import { ByteReader } from "./bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "./instructions.ts";
import { readNameSection } from "./names.ts";

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** Order of sections in a file; they are not numbered in it. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  /** Functions: index of the type. Else 0. */
  readonly type: number;
}

export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

export interface Global {
  readonly valueType: number;
  readonly mutable: boolean;
  /** The value of an i32.const initialiser. */
  readonly initial: number | undefined;
}

export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/** One function body: the bytes behind its size. */
export interface Body {
  readonly start: number;
  readonly end: number;
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  /** Contents of each non-custom section, by id. */
  readonly sections: ReadonlyMap<number, Body>;
  readonly customs: readonly { readonly name: string; readonly body: Body }[];
  /** Undefined: not a plain function type. */
  readonly types: readonly (FunctionType | undefined)[];
  readonly imports: readonly Import[];
  readonly functionImports: readonly Import[];
  readonly globalImportsCount: number;
  /** Type index of every function that is defined here. */
  readonly functions: readonly number[];
  readonly tables: readonly Limits[];
  readonly memories: readonly Limits[];
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  readonly bodies: readonly Body[];
  readonly functionNames: ReadonlyMap<number, string>;
  readonly globalNames: ReadonlyMap<number, string>;
}

/** @throws {StackfulError} SF_MODULE when `bytes` is not a complete wasm module. */
export function parseModule(bytes: Uint8Array): WasmModule {
  if (
    bytes.length < 8 ||
    bytes[0] !== 0 ||
    bytes[1] !== 0x61 ||
    bytes[2] !== 0x73 ||
    bytes[3] !== 0x6d
  ) {
    throw new StackfulError("SF_MODULE", "reading the wasm module: it does not start with \\0asm", {
      hint: "pass a .wasm file; stackful build compiles C and C++",
    });
  }
  if (bytes[4] !== 1 || bytes[5] !== 0 || bytes[6] !== 0) {
    throw new StackfulError("SF_MODULE", "reading the wasm module: it is not a core module", {
      hint:
        bytes[6] === 1 ? "components are not supported; link the core module" : "version 1 only",
    });
  }
  const { sections, customs } = indexSections(bytes);
  const section = <T>(id: number, read: (reader: ByteReader) => T): T[] => {
    const body = sections.get(id);
    if (body === undefined) return [];
    const reader = new ByteReader(bytes, body.start, body.end);
    return Array.from({ length: reader.u32() }, () => read(reader));
  };
  const imports = section(SECTION.import, readImport);
  const names = readNames(bytes, customs);
  return {
    bytes,
    sections,
    customs,
    types: section(SECTION.type, readType),
    imports,
    functionImports: imports.filter((item) => item.kind === KIND.function),
    globalImportsCount: imports.filter((item) => item.kind === KIND.global).length,
    functions: section(SECTION.function, (reader) => reader.u32()),
    tables: section(SECTION.table, readTable),
    memories: section(SECTION.memory, readLimits),
    globals: section(SECTION.global, readGlobal),
    exports: section(SECTION.export, (reader) => ({
      name: reader.name(),
      kind: reader.u8(),
      index: reader.u32(),
    })),
    bodies: section(SECTION.code, (reader) => {
      const length = reader.u32();
      const body = reader.slice(length);
      return { start: body.position, end: body.end };
    }),
    functionNames: names.functions,
    globalNames: names.globals,
  };
}

/** "name" or "function 12": how messages call a function. */
export function functionName(module: WasmModule, index: number): string {
  const named = module.functionNames.get(index);
  if (named !== undefined) return named;
  const imported = module.functionImports[index];
  if (imported !== undefined) return `${imported.module}.${imported.name}`;
  const exported = module.exports.find(
    (item) => item.kind === KIND.function && item.index === index,
  );
  return exported?.name ?? `function ${index}`;
}

function indexSections(bytes: Uint8Array) {
  const sections = new Map<number, Body>();
  const customs: { name: string; body: Body }[] = [];
  const reader = new ByteReader(bytes, 8);
  while (!reader.done) {
    const id = reader.u8();
    const length = reader.u32();
    const content = reader.slice(length);
    if (id === SECTION.custom) {
      const name = content.name();
      customs.push({ name, body: { start: content.position, end: content.end } });
    } else {
      sections.set(id, { start: content.position, end: content.end });
    }
  }
  return { sections, customs };
}

function readType(reader: ByteReader): FunctionType | undefined {
  const form = reader.u8();
  if (form !== 0x60) {
    throw new StackfulError(
      "SF_LINK",
      `the module has GC types (type form 0x${form.toString(16)})`,
      {
        hint: "Asyncify cannot save references; compile without WasmGC",
      },
    );
  }
  const types = (): number[] => Array.from({ length: reader.u32() }, () => skipValueType(reader));
  return { parameters: types(), results: types() };
}

function readImport(reader: ByteReader): Import {
  const module = reader.name();
  const name = reader.name();
  const kind = reader.u8();
  let type = 0;
  if (kind === KIND.function) type = reader.u32();
  else if (kind === KIND.table) readTable(reader);
  else if (kind === KIND.memory) readLimits(reader);
  else if (kind === KIND.global) {
    skipValueType(reader);
    reader.u8();
  } else {
    reader.u8();
    type = reader.u32();
  }
  return { module, name, kind, type };
}

function readTable(reader: ByteReader): Limits {
  skipValueType(reader);
  return readLimits(reader);
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.u8();
  if (flags & 4) {
    throw new StackfulError("SF_LINK", "the module has a 64-bit memory or table", {
      hint: "stackful links wasm32 only",
    });
  }
  const minimum = reader.u32();
  return { minimum, maximum: flags & 1 ? reader.u32() : undefined };
}

function readGlobal(reader: ByteReader): Global {
  const valueType = skipValueType(reader);
  const mutable = reader.u8() === 1;
  let initial: number | undefined;
  for (let opcode = reader.u8(); opcode !== OPCODE.end; opcode = reader.u8()) {
    if (opcode === OPCODE.i32Const) initial = reader.s32();
    else skipImmediates(reader, opcode);
  }
  return { valueType, mutable, initial };
}

function readNames(bytes: Uint8Array, customs: WasmModule["customs"]) {
  const section = customs.find((custom) => custom.name === "name")?.body;
  return readNameSection(new ByteReader(bytes, section?.start ?? 0, section?.end ?? 0));
}

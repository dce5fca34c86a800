//! Entry wrappers: one per exported function, so that any export can be a task's entry.
//!
//! A task's entry is int32_t (*)(void *). The wrapper loads the export's parameters from 8-byte slots
//! at that address, calls it, stores its results from the first slot on, and returns 0.

import type { ModuleEditor } from "./editor.ts";
import type { Entry, ValueType } from "./section.ts";
import { SLOT_BYTES } from "./slots.ts";
import { ByteWriter } from "./wasm/bytes.ts";
import { OPCODE } from "./wasm/instructions.ts";
import { KIND, VALUE_TYPE, type WasmModule } from "./wasm/module.ts";

interface Access {
  readonly name: ValueType;
  readonly load: number;
  readonly store: number;
  readonly alignment: number;
}

const ACCESS: ReadonlyMap<number, Access> = new Map([
  [VALUE_TYPE.i32, { name: "i32", load: OPCODE.i32Load, store: OPCODE.i32Store, alignment: 2 }],
  [VALUE_TYPE.i64, { name: "i64", load: OPCODE.i64Load, store: OPCODE.i64Store, alignment: 3 }],
  [VALUE_TYPE.f32, { name: "f32", load: OPCODE.f32Load, store: OPCODE.f32Store, alignment: 2 }],
  [VALUE_TYPE.f64, { name: "f64", load: OPCODE.f64Load, store: OPCODE.f64Store, alignment: 3 }],
]);

/** @throws {RangeError} for what JavaScript cannot pass. */
export function valueTypeName(code: number): ValueType {
  const access = ACCESS.get(code);
  if (access === undefined)
    throw new RangeError(`value type 0x${code.toString(16)} has no name here`);
  return access.name;
}

/** Exports with a type that JavaScript cannot pass (v128, references) get no wrapper. */
export function appendEntries(module: WasmModule, editor: ModuleEditor): Record<string, Entry> {
  const entries: Record<string, Entry> = {};
  const importsCount = module.functionImports.length;
  for (const item of module.exports) {
    if (item.kind !== KIND.function || item.index < importsCount) continue;
    const type = module.types[module.functions[item.index - importsCount]!];
    const parameters = type?.parameters.map((value) => ACCESS.get(value));
    const results = type?.results.map((value) => ACCESS.get(value));
    if (parameters === undefined || results === undefined) continue;
    if (!parameters.every(isAccess) || !results.every(isAccess)) continue;
    const wrapper = editor.addFunction(
      [VALUE_TYPE.i32],
      [VALUE_TYPE.i32],
      wrapperBody(item.index, parameters, results),
      wrapperName(item.name),
    );
    entries[item.name] = {
      parameters: parameters.map((access) => access.name),
      results: results.map((access) => access.name),
      tableIndex: editor.addToTable([wrapper]),
    };
  }
  return entries;
}

/** No name of a C function; engines that tell functions by name alone need one for each. */
function wrapperName(entry: string): string {
  return `${entry} (entry)`;
}

function isAccess(access: Access | undefined): access is Access {
  return access !== undefined;
}

function wrapperBody(
  callee: number,
  parameters: readonly Access[],
  results: readonly Access[],
): ByteWriter {
  const body = new ByteWriter().u32(results.length);
  for (const result of results) body.u32(1).u8(VALUE_TYPE[result.name]);
  parameters.forEach((parameter, index) => {
    body.u8(OPCODE.localGet).u32(0).u8(parameter.load).u32(parameter.alignment);
    body.u32(index * SLOT_BYTES);
  });
  body.u8(OPCODE.call).u32(callee);
  for (let index = results.length; index > 0; index--) body.u8(OPCODE.localSet).u32(index);
  results.forEach((result, index) => {
    body
      .u8(OPCODE.localGet)
      .u32(0)
      .u8(OPCODE.localGet)
      .u32(index + 1);
    body
      .u8(result.store)
      .u32(result.alignment)
      .u32(index * SLOT_BYTES);
  });
  return body.u8(OPCODE.i32Const).s32(0).u8(OPCODE.end);
}

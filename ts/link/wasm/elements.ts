//! What the element segments put into a module's first table.

import { ByteReader } from "./bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "./instructions.ts";
import { SECTION, type WasmModule } from "./module.ts";

/** Bits of a segment's flags. */
const PASSIVE_OR_DECLARED = 1;
/** Of an active segment: it names its table. Of others: it is declared only. */
const EXPLICIT = 2;
const EXPRESSIONS = 4;

/** Function index by table slot. A segment whose offset is not a constant is left out. */
export function tableFunctions(module: WasmModule): Map<number, number> {
  const functions = new Map<number, number>();
  const body = module.sections.get(SECTION.element);
  if (body === undefined) return functions;
  const reader = new ByteReader(module.bytes, body.start, body.end);
  for (let segments = reader.u32(); segments > 0; segments--) {
    const flags = reader.u32();
    const active = (flags & PASSIVE_OR_DECLARED) === 0;
    const table = active && flags & EXPLICIT ? reader.u32() : 0;
    const offset = active ? readConstant(reader, OPCODE.i32Const) : undefined;
    if (flags & (PASSIVE_OR_DECLARED | EXPLICIT)) {
      if (flags & EXPRESSIONS) skipValueType(reader);
      else reader.u8();
    }
    for (let index = 0, count = reader.u32(); index < count; index++) {
      const item = flags & EXPRESSIONS ? readConstant(reader, OPCODE.refFunc) : reader.u32();
      if (active && table === 0 && offset !== undefined && item !== undefined) {
        functions.set(offset + index, item);
      }
    }
  }
  return functions;
}

/** The operand of `opcode` in a constant expression; undefined when it has another instruction. */
function readConstant(reader: ByteReader, opcode: number): number | undefined {
  let value: number | undefined;
  for (let next = reader.u8(); next !== OPCODE.end; next = reader.u8()) {
    if (next === opcode) value = next === OPCODE.i32Const ? reader.s32() : reader.u32();
    else skipImmediates(reader, next);
  }
  return value;
}

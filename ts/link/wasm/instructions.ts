//! Steps over wasm instructions. Knows how long each one is, and nothing of what it does.
//!
//! Source: the core specification's binary format, with the proposals that toolchains emit today:
//! bulk memory, reference types, SIMD, threads, tail calls, both exception handlings, typed function
//! references. GC instructions are reported and not stepped over: the linker refuses them.

import { StackfulError } from "../../errors.ts";
import type { ByteReader } from "./bytes.ts";

export const OPCODE = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  selectTyped: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  lastMemoryAccess: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Shl: 0x74,
  refNull: 0xd0,
  refFunc: 0xd2,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  gcPrefix: 0xfb,
  miscPrefix: 0xfc,
  simdPrefix: 0xfd,
  atomicPrefix: 0xfe,
} as const;

/** Reads one instruction's immediates; the opcode was read already. */
export function skipImmediates(code: ByteReader, opcode: number): void {
  if (opcode >= OPCODE.i32Load && opcode <= OPCODE.lastMemoryAccess)
    return skipMemoryArgument(code);
  switch (opcode) {
    case OPCODE.block:
    case OPCODE.loop:
    case OPCODE.if:
    case OPCODE.try:
      return skipBlockType(code);
    case OPCODE.i32Const:
    case OPCODE.i64Const:
    case OPCODE.refNull:
      return code.skipLeb();
    case OPCODE.catch:
    case OPCODE.throw:
    case OPCODE.rethrow:
    case OPCODE.delegate:
    case OPCODE.br:
    case OPCODE.brIf:
    case OPCODE.call:
    case OPCODE.returnCall:
    case OPCODE.callRef:
    case OPCODE.returnCallRef:
    case OPCODE.localGet:
    case OPCODE.localSet:
    case OPCODE.localTee:
    case OPCODE.globalGet:
    case OPCODE.globalSet:
    case OPCODE.tableGet:
    case OPCODE.tableSet:
    case OPCODE.memorySize:
    case OPCODE.memoryGrow:
    case OPCODE.refFunc:
    case OPCODE.brOnNull:
    case OPCODE.brOnNonNull:
      code.u32();
      return;
    case OPCODE.callIndirect:
    case OPCODE.returnCallIndirect:
      code.u32();
      code.u32();
      return;
    case OPCODE.brTable:
      for (let count = code.u32() + 1; count > 0; count--) code.u32();
      return;
    case OPCODE.selectTyped:
      for (let count = code.u32(); count > 0; count--) skipValueType(code);
      return;
    case OPCODE.tryTable:
      return skipTryTable(code);
    case OPCODE.f32Const:
      return code.skip(4);
    case OPCODE.f64Const:
      return code.skip(8);
    case OPCODE.miscPrefix:
      return skipMisc(code);
    case OPCODE.simdPrefix:
      return skipSimd(code);
    case OPCODE.atomicPrefix:
      if (code.u32() === 3) code.u8();
      else skipMemoryArgument(code);
      return;
    default:
      if (opcode > 0xd6) throw unknown(opcode, code);
  }
}

/** A value type: one byte, or a `ref` form that is followed by a heap type. */
export function skipValueType(code: ByteReader): number {
  const type = code.u8();
  if (type === 0x63 || type === 0x64) code.skipLeb();
  return type;
}

/** Empty, a value type, or the index of a function type. */
function skipBlockType(code: ByteReader): void {
  const first = code.u8();
  if (first === 0x63 || first === 0x64 || (first >= 0x80 && first < 0x100)) code.skipLeb();
}

function skipMemoryArgument(code: ByteReader): void {
  const alignment = code.u32();
  if (alignment & 0x40) code.u32();
  code.skipLeb();
}

function skipTryTable(code: ByteReader): void {
  skipBlockType(code);
  for (let count = code.u32(); count > 0; count--) {
    if (code.u8() < 2) code.u32();
    code.u32();
  }
}

function skipMisc(code: ByteReader): void {
  const operation = code.u32();
  if (operation <= 7) return; // Saturating conversions.
  if (operation > 17) throw unknown(operation, code);
  code.u32();
  // memory.init, memory.copy, table.init and table.copy name two things; the others one.
  if (operation === 8 || operation === 10 || operation === 12 || operation === 14) code.u32();
}

function skipSimd(code: ByteReader): void {
  const operation = code.u32();
  if (operation <= 11 || operation === 92 || operation === 93) return skipMemoryArgument(code);
  if (operation === 12 || operation === 13) return code.skip(16);
  if (operation >= 21 && operation <= 34) return code.skip(1);
  if (operation >= 84 && operation <= 91) {
    skipMemoryArgument(code);
    code.skip(1);
  }
}

function unknown(opcode: number, code: ByteReader): StackfulError {
  return new StackfulError(
    "SF_LINK",
    `reading the wasm module: unknown instruction 0x${opcode.toString(16)} at byte ${code.position}`,
    { hint: "it uses a proposal that stackful does not know" },
  );
}

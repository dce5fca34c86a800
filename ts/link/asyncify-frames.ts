//! How many bytes each function pushes when Asyncify unwinds it.
//!
//! Asyncify moves the position in its data structure, `*data += N`, once for the locals of a frame and
//! once for the index of the call. Right after its pass that is always the same six instructions. Later
//! passes may inline a function with its pushes into a caller, which changes no sum along a path.

import { assert } from "../assert.ts";
import { ByteReader } from "./wasm/bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "./wasm/instructions.ts";
import type { Body, WasmModule } from "./wasm/module.ts";

/**
 * Bytes by order of definition, of the first `count` functions: Asyncify's own are the last ones.
 * `data`: index of the global that holds the data structure's address.
 */
export function asyncifyFrames(module: WasmModule, data: number, count: number): number[] {
  return module.bodies.slice(0, count).map((body) => pushedBytes(module.bytes, body, data));
}

function pushedBytes(bytes: Uint8Array, body: Body, data: number): number {
  const code = new ByteReader(bytes, body.start, body.end);
  for (let groups = code.u32(); groups > 0; groups--) {
    code.u32();
    skipValueType(code);
  }
  let pushed = 0;
  let popped = 0;
  let saves = false;
  /** How many instructions of a move of the position were seen. */
  let matched = 0;
  let amount = 0;
  while (!code.done) {
    const opcode = code.u8();
    let immediate = 0;
    if (opcode === OPCODE.globalGet) immediate = code.u32();
    else if (opcode === OPCODE.i32Const) immediate = code.s32();
    else skipImmediates(code, opcode);

    if (opcode === OPCODE.globalGet && immediate === data) {
      matched = matched === 1 || matched === 2 ? 2 : 1;
      saves = true;
      continue;
    }
    matched = matched >= 2 && MOVE[matched]!.includes(opcode) ? matched + 1 : 0;
    if (opcode === OPCODE.i32Const) amount = immediate;
    // Without optimisation a pop adds a negative number.
    if (matched === 5 && opcode === OPCODE.i32Sub) amount = -amount;
    if (matched !== MOVE.length) continue;
    matched = 0;
    if (amount > 0) pushed += amount;
    else popped -= amount;
  }
  assert(pushed === popped, `a function saves ${pushed} bytes and restores ${popped}`);
  assert(pushed > 0 || !saves, "a function saves a frame in another way than is known");
  return pushed;
}

/** `global.get data; global.get data; i32.load; i32.const N; i32.add; i32.store` */
const MOVE: readonly (readonly number[])[] = [
  [OPCODE.globalGet],
  [OPCODE.globalGet],
  [OPCODE.i32Load],
  [OPCODE.i32Const],
  [OPCODE.i32Add, OPCODE.i32Sub],
  [OPCODE.i32Store],
];

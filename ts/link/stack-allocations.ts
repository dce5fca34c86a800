//! Finds where a function takes stack by computing an address below __stack_pointer.
//!
//! LLVM leaves the global alone in a function that calls nothing, so there an array of variable length
//! is `__stack_pointer - size` in a local, and no move that could be checked. This follows the value of
//! the stack pointer over the operand stack and through locals as far as straight code goes, which is
//! how compilers compute such an address, and reports each subtraction of what is not a constant.
//! (A constant is the frame of a leaf function: at most the red zone that every stack keeps free.)

import { OPCODE } from "./wasm/instructions.ts";

export class StackAllocations {
  /** Locals that hold the stack pointer. */
  readonly #holders = new Set<number>();
  /** Operands above the stack pointer on the operand stack; undefined: it is not there. */
  #above: number | undefined;
  #previous = -1;

  /** Steps over one instruction. `immediate`: of local and global instructions. True: it allocates. */
  step(opcode: number, immediate: number, isStackPointer: boolean): boolean {
    const allocates =
      opcode === OPCODE.i32Sub && this.#above === 1 && this.#previous !== OPCODE.i32Const;
    this.#above = this.#next(opcode, immediate, isStackPointer);
    this.#previous = opcode;
    return allocates;
  }

  #next(opcode: number, local: number, isStackPointer: boolean): number | undefined {
    const above = this.#above;
    const pushesIt = isStackPointer || (opcode === OPCODE.localGet && this.#holders.has(local));
    if (pushesIt && above === undefined) return 0;
    if (opcode === OPCODE.localSet || opcode === OPCODE.localTee) {
      if (above === 0) this.#holders.add(local);
      else this.#holders.delete(local);
    }
    if (above === undefined) return undefined;
    if (isPush(opcode)) return above + 1;
    if (opcode === OPCODE.localTee || isUnary(opcode)) return above;
    const pops = opcode === OPCODE.localSet || isBinary(opcode);
    return pops && above > (opcode === OPCODE.localSet ? 0 : 1) ? above - 1 : undefined;
  }
}

function isPush(opcode: number): boolean {
  return (
    opcode === OPCODE.localGet ||
    opcode === OPCODE.globalGet ||
    (opcode >= OPCODE.i32Const && opcode <= OPCODE.f64Const)
  );
}

/** Loads, tests, counts, conversions and sign extensions: one operand, one result. */
function isUnary(opcode: number): boolean {
  return (
    (opcode >= OPCODE.i32Load && opcode < OPCODE.i32Store) ||
    opcode === 0x45 ||
    opcode === 0x50 ||
    (opcode >= 0x67 && opcode <= 0x69) ||
    (opcode >= 0x79 && opcode <= 0x7b) ||
    (opcode >= 0xa7 && opcode <= 0xc4)
  );
}

/** Integer comparisons and arithmetic. */
function isBinary(opcode: number): boolean {
  return (
    (opcode >= 0x46 && opcode <= 0x4f) ||
    (opcode >= 0x51 && opcode <= 0x5a) ||
    (opcode >= OPCODE.i32Add && opcode <= 0x78) ||
    (opcode >= 0x7c && opcode <= 0x8a)
  );
}

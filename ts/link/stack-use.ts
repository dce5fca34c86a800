//! How much C stack each function takes, and whom it calls at which depth.
//!
//! A compiler takes stack by moving __stack_pointer down by a constant, rounds it down for an aligned
//! variable, and puts it back where it was before it returns. This follows the pointer and the locals
//! it is computed in along every way through a function, until loops change nothing any more. A move
//! that it cannot follow is an allocation of variable length, or code that no compiler writes; both
//! have no bound.
//!
//! The operand stack is followed in straight code only: where control branches, and past instructions
//! of no interest, its values are unknown. That loses nothing in what compilers emit, and spares a table
//! of every instruction's operands.

import {
  add,
  allocates,
  and,
  copyState,
  forgetDifferences,
  joinState,
  multiply,
  ON_ENTRY,
  type State,
  shiftLeft,
  subtract,
  type Value,
} from "./stack-values.ts";
import { ByteReader } from "./wasm/bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "./wasm/instructions.ts";
import type { Body } from "./wasm/module.ts";

/** Where in a module the C stack is taken: global and function indexes, -1 where there is none. */
export interface StackMarks {
  readonly pointer: number;
  /** Written before a trap with the address that did not fit: the check of an allocation. */
  readonly overflowAt: number;
  /** A function that sets the pointer to its argument. */
  readonly setPointer: number;
  /** A function that checks an allocation and returns its argument. */
  readonly check: number;
}

export interface StackUse {
  /** C stack at the deepest, in bytes. */
  readonly bytes: number;
  /** C stack at the deepest call of each callee, in bytes. */
  readonly calls: ReadonlyMap<number, number>;
  readonly callsIndirectly: boolean;
  /** It moves the stack pointer in a way that has no bound. */
  readonly isVariable: boolean;
  /** Where an address is computed below the stack pointer by what is not a constant. */
  readonly allocations: ReadonlySet<number>;
}

export function stackUse(bytes: Uint8Array, body: Body, marks: StackMarks): StackUse {
  const walk = new Walk(bytes, body, marks);
  while (walk.pass());
  return walk;
}

const COMPUTE: ReadonlyMap<number, typeof add> = new Map([
  [OPCODE.i32Add, add],
  [OPCODE.i32Sub, subtract],
  [OPCODE.i32And, and],
  [OPCODE.i32Mul, multiply],
  [OPCODE.i32Shl, shiftLeft],
]);

interface Frame {
  readonly kind: "block" | "loop" | "if" | "try";
  /** Of a loop: which one in the function. */
  readonly loop: number;
  /** What holds at its end, when a branch leads there. */
  exit: State | undefined;
  /** Of an `if`: what holds where its `else` begins. Of a `try`: what holds wherever it may throw. */
  readonly other: State | undefined;
}

class Walk implements StackUse {
  bytes = 0;
  readonly calls = new Map<number, number>();
  callsIndirectly = false;
  isVariable = false;
  readonly allocations = new Set<number>();

  readonly #code: ByteReader;
  readonly #start: number;
  readonly #marks: StackMarks;
  /** What holds at the head of each loop; kept from pass to pass. */
  readonly #loops: State[] = [];
  #loopsChanged = false;
  #loopsSeen = 0;
  #frames: Frame[] = [];
  /** Undefined: no way leads here. */
  #state: State | undefined;
  #operands: (Value | undefined)[] = [];

  constructor(bytes: Uint8Array, body: Body, marks: StackMarks) {
    this.#code = new ByteReader(bytes, body.start, body.end);
    for (let groups = this.#code.u32(); groups > 0; groups--) {
      this.#code.u32();
      skipValueType(this.#code);
    }
    this.#start = this.#code.position;
    this.#marks = marks;
  }

  /** Goes through the code once. True: once more, less was known at the head of a loop than thought. */
  pass(): boolean {
    this.#code.position = this.#start;
    this.#loopsChanged = false;
    this.#loopsSeen = 0;
    this.#frames = [{ kind: "block", loop: -1, exit: undefined, other: undefined }];
    this.#state = { pointer: ON_ENTRY, locals: new Map() };
    this.#operands = [];
    while (!this.#code.done) {
      const opcode = this.#code.u8();
      if (!this.#control(opcode)) this.#plain(opcode);
    }
    return this.#loopsChanged;
  }

  /** Steps over an instruction that branches or nests; false: it is another one. */
  #control(opcode: number): boolean {
    const code = this.#code;
    switch (opcode) {
      case OPCODE.block:
      case OPCODE.loop:
      case OPCODE.if:
      case OPCODE.try:
        skipImmediates(code, opcode);
        this.#open(opcode);
        break;
      case OPCODE.tryTable:
        this.#openTryTable();
        break;
      case OPCODE.else:
      case OPCODE.catch:
      case OPCODE.catchAll:
        if (opcode === OPCODE.catch) code.u32();
        this.#openOther();
        break;
      case OPCODE.delegate:
        code.u32();
        this.#close();
        break;
      case OPCODE.end:
        this.#close();
        break;
      case OPCODE.brIf:
      case OPCODE.brOnNull:
      case OPCODE.brOnNonNull:
        this.#branch(code.u32());
        break;
      case OPCODE.br:
        this.#branch(code.u32());
        this.#state = undefined;
        break;
      case OPCODE.brTable:
        for (let count = code.u32() + 1; count > 0; count--) this.#branch(code.u32());
        this.#state = undefined;
        break;
      case OPCODE.return:
        this.#branch(this.#frames.length - 1);
        this.#state = undefined;
        break;
      case OPCODE.unreachable:
      case OPCODE.throw:
      case OPCODE.rethrow:
        skipImmediates(code, opcode);
        this.#state = undefined;
        break;
      default:
        return false;
    }
    this.#operands.length = 0;
    return true;
  }

  #open(opcode: number): void {
    const state = this.#state;
    const other = state === undefined ? undefined : copyState(state);
    const push = (kind: Frame["kind"], loop = -1): void => {
      this.#frames.push({
        kind,
        loop,
        exit: undefined,
        other: kind === "block" ? undefined : other,
      });
    };
    if (opcode === OPCODE.block) push("block");
    else if (opcode === OPCODE.if) push("if");
    else if (opcode === OPCODE.loop) {
      const loop = this.#loopsSeen++;
      if (state !== undefined) this.#state = this.#loopHead(loop, state);
      push("loop", loop);
    } else {
      // Wherever it is thrown, the thrower's own frames may lie below.
      if (other !== undefined) other.pointer = undefined;
      push("try");
    }
  }

  #loopHead(loop: number, state: State): State {
    const head = this.#loops[loop];
    if (head === undefined) this.#loops[loop] = copyState(state);
    else forgetDifferences(head, state);
    return copyState(this.#loops[loop]!);
  }

  /** Its handlers are labels: nothing is known there. */
  #openTryTable(): void {
    const code = this.#code;
    const position = code.position;
    skipImmediates(code, OPCODE.tryTable);
    const end = code.position;
    code.position = position;
    skipImmediates(code, OPCODE.block);
    const before = this.#state;
    if (before !== undefined) this.#state = { pointer: undefined, locals: new Map() };
    for (let count = code.u32(); count > 0; count--) {
      if (code.u8() < 2) code.u32();
      this.#branch(code.u32());
    }
    this.#state = before;
    code.position = end;
    this.#frames.push({ kind: "block", loop: -1, exit: undefined, other: undefined });
  }

  /** `else`, or a handler of a `try`. */
  #openOther(): void {
    const frame = this.#frames.pop()!;
    this.#leave(frame);
    const { loop, exit, other } = frame;
    this.#state = other === undefined ? undefined : copyState(other);
    // Other handlers of the same `try` may follow: for them its body is over as well.
    this.#frames.push({ kind: "block", loop, exit, other });
  }

  #close(): void {
    const frame = this.#frames.pop()!;
    this.#leave(frame);
    // Without an `else` nothing happens when the condition does not hold.
    if (frame.kind === "if" && frame.other !== undefined) {
      this.#state = frame.other;
      this.#leave(frame);
    }
    this.#state = frame.exit;
    if (this.#frames.length === 0 && this.#state !== undefined) {
      const { pointer } = this.#state;
      if (pointer?.kind !== "stack" || pointer.low !== 0 || pointer.high !== 0) {
        this.isVariable = true;
      }
    }
  }

  #leave(frame: Frame): void {
    if (this.#state === undefined) return;
    if (frame.exit === undefined) frame.exit = copyState(this.#state);
    else joinState(frame.exit, this.#state);
  }

  #branch(depth: number): void {
    const frame = this.#frames[this.#frames.length - 1 - depth];
    if (frame === undefined || this.#state === undefined) return;
    if (frame.kind !== "loop") this.#leave(frame);
    else if (forgetDifferences(this.#loops[frame.loop]!, this.#state)) this.#loopsChanged = true;
  }

  #plain(opcode: number): void {
    const code = this.#code;
    const operands = this.#operands;
    const state = this.#state;
    if (state === undefined) {
      skipImmediates(code, opcode);
      return;
    }
    switch (opcode) {
      case OPCODE.i32Const:
        operands.push({ kind: "constant", value: code.s32() });
        break;
      case OPCODE.localGet:
        operands.push(state.locals.get(code.u32()));
        break;
      case OPCODE.localSet:
        this.#setLocal(state, code.u32(), operands.pop());
        break;
      case OPCODE.localTee:
        this.#setLocal(state, code.u32(), operands.at(-1));
        break;
      case OPCODE.globalGet:
        operands.push(code.u32() === this.#marks.pointer ? state.pointer : undefined);
        break;
      case OPCODE.globalSet: {
        const global = code.u32();
        const value = operands.pop();
        if (global === this.#marks.pointer) state.pointer = this.#take(value);
        else if (global === this.#marks.overflowAt) this.#take(value);
        break;
      }
      case OPCODE.i32Add:
      case OPCODE.i32Sub:
      case OPCODE.i32And:
      case OPCODE.i32Mul:
      case OPCODE.i32Shl: {
        const right = operands.pop();
        const left = operands.pop();
        if (opcode === OPCODE.i32Sub && allocates(left, right)) {
          this.allocations.add(code.position - 1);
        }
        operands.push(COMPUTE.get(opcode)!(left, right));
        break;
      }
      case OPCODE.call:
        this.#call(state, code.u32());
        break;
      default:
        if (opcode === OPCODE.callIndirect) this.callsIndirectly = true;
        skipImmediates(code, opcode);
        operands.length = 0;
    }
  }

  #setLocal(state: State, local: number, value: Value | undefined): void {
    const before = state.locals.get(local);
    if (value === undefined) state.locals.delete(local);
    else state.locals.set(local, value);
    for (const { kind, other } of this.#frames) {
      if (kind !== "try" || other === undefined) continue;
      if (before !== value) other.locals.delete(local);
    }
  }

  #call(state: State, callee: number): void {
    const operands = this.#operands;
    if (callee === this.#marks.setPointer) {
      state.pointer = this.#take(operands.pop());
    } else if (callee === this.#marks.check) {
      this.#take(operands.at(-1));
    } else {
      operands.length = 0;
      const depth = state.pointer?.kind === "stack" ? -state.pointer.low : 0;
      if (state.pointer === undefined) this.isVariable = true;
      this.calls.set(callee, Math.max(this.calls.get(callee) ?? 0, depth));
    }
  }

  /** The stack now reaches down to `address`. */
  #take(address: Value | undefined): Value | undefined {
    if (address?.kind !== "stack") {
      this.isVariable = true;
      return undefined;
    }
    this.bytes = Math.max(this.bytes, -address.low);
    return address;
  }
}

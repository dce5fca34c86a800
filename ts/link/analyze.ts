//! One pass over a guest's code: who calls whom, what Asyncify cannot carry, and where the linker has
//! to rewrite.

import { type StackMarks, stackUse } from "./stack-use.ts";
import { ByteReader } from "./wasm/bytes.ts";
import { OPCODE, skipImmediates, skipValueType } from "./wasm/instructions.ts";
import { type Body, VALUE_TYPE, type WasmModule } from "./wasm/module.ts";

/** A construct that Asyncify cannot carry, wherever it stands or on a suspending path. */
export type Obstacle =
  | "tail call"
  | "call_ref"
  | "try_table"
  | "reference local"
  | "GC instruction";

/**
 * An instruction that the linker replaces by a call; a stack allocation's result goes through one.
 */
export interface Site {
  readonly kind: "memory.size" | "memory.grow" | "stack pointer" | "stack allocation";
  readonly start: number;
  readonly end: number;
}

export interface FunctionAnalysis {
  /** Functions called directly, without repetition. */
  readonly calls: ReadonlySet<number>;
  readonly callsIndirectly: boolean;
  readonly obstacles: ReadonlySet<Obstacle>;
  readonly sites: readonly Site[];
}

/** `stackPointer`: global index; -1 when the guest has none. */
export function analyze(module: WasmModule, stackPointer: number): FunctionAnalysis[] {
  return module.bodies.map((body) => analyzeBody(module.bytes, body, stackPointer));
}

function analyzeBody(bytes: Uint8Array, body: Body, stackPointer: number): FunctionAnalysis {
  const code = new ByteReader(bytes, body.start, body.end);
  const calls = new Set<number>();
  const obstacles = new Set<Obstacle>();
  const sites: Site[] = [];
  let callsIndirectly = false;
  for (let groups = code.u32(); groups > 0; groups--) {
    code.u32();
    const type = skipValueType(code);
    if (type < VALUE_TYPE.v128) obstacles.add("reference local");
  }

  const recent = new RecentInstructions();
  let readsStackPointer = false;
  let movesStackPointer = false;
  while (!code.done) {
    const start = code.position;
    const opcode = code.u8();
    let immediate = 0;
    switch (opcode) {
      case OPCODE.call:
        calls.add(code.u32());
        break;
      case OPCODE.callIndirect:
        callsIndirectly = true;
        skipImmediates(code, opcode);
        break;
      case OPCODE.gcPrefix:
        obstacles.add("GC instruction");
        return { calls, callsIndirectly, obstacles, sites };
      case OPCODE.memorySize:
      case OPCODE.memoryGrow:
        skipImmediates(code, opcode);
        sites.push({
          kind: opcode === OPCODE.memorySize ? "memory.size" : "memory.grow",
          start,
          end: code.position,
        });
        break;
      case OPCODE.i32Const:
        immediate = code.s32();
        break;
      case OPCODE.localGet:
      case OPCODE.localSet:
      case OPCODE.localTee:
        immediate = code.u32();
        break;
      case OPCODE.globalGet:
        immediate = code.u32();
        readsStackPointer ||= immediate === stackPointer;
        break;
      case OPCODE.globalSet:
        if (code.u32() !== stackPointer) break;
        movesStackPointer = true;
        if (!recent.givesStackBack)
          sites.push({ kind: "stack pointer", start, end: code.position });
        break;
      default: {
        const obstacle = OBSTACLES.get(opcode);
        if (obstacle !== undefined) obstacles.add(obstacle);
        skipImmediates(code, opcode);
      }
    }
    recent.push(opcode, immediate);
  }
  // Where the stack pointer moves, the move is checked. A function that calls nothing need not move it,
  // and takes at most the red zone unless the amount is not a constant.
  if (readsStackPointer && !movesStackPointer) {
    for (const start of stackUse(bytes, body, { ...NO_MARKS, pointer: stackPointer }).allocations) {
      sites.push({ kind: "stack allocation", start, end: start + 1 });
    }
  }
  sites.sort((a, b) => a.start - b.start);
  return { calls, callsIndirectly, obstacles, sites };
}

const NO_MARKS: StackMarks = { pointer: -1, overflowAt: -1, setPointer: -1, check: -1 };

const OBSTACLES: ReadonlyMap<number, Obstacle> = new Map([
  [OPCODE.returnCall, "tail call"],
  [OPCODE.returnCallIndirect, "tail call"],
  [OPCODE.returnCallRef, "tail call"],
  [OPCODE.callRef, "call_ref"],
  [OPCODE.tryTable, "try_table"],
]);

/** The last two instructions, for the pattern in which compilers give stack back. */
class RecentInstructions {
  #before = -1;
  #beforeConstant = 0;
  #last = -1;
  #lastConstant = 0;

  push(opcode: number, constant: number): void {
    this.#before = this.#last;
    this.#beforeConstant = this.#lastConstant;
    this.#last = opcode;
    this.#lastConstant = constant;
  }

  /** `i32.const N; i32.add` with N > 0: what follows cannot overflow the stack. */
  get givesStackBack(): boolean {
    return (
      this.#last === OPCODE.i32Add && this.#before === OPCODE.i32Const && this.#beforeConstant > 0
    );
  }
}

/** Why a function may suspend: the callee on the way, or what it does itself. */
export type Reason = { readonly calls: number } | "indirect call";

/**
 * The functions that may be on the stack while a task is parked, each with the first reason found.
 * An indirect call may reach anything, so it counts as suspending, as it does for Asyncify.
 */
export function suspending(
  module: WasmModule,
  analyses: readonly FunctionAnalysis[],
  suspendingImports: ReadonlySet<number>,
): Map<number, Reason> {
  const firstDefined = module.functionImports.length;
  const callers = new Map<number, number[]>();
  const reasons = new Map<number, Reason>();
  const pending: number[] = [...suspendingImports];
  analyses.forEach((analysis, offset) => {
    const index = firstDefined + offset;
    for (const callee of analysis.calls) {
      const list = callers.get(callee);
      if (list === undefined) callers.set(callee, [index]);
      else list.push(index);
    }
    if (analysis.callsIndirectly) {
      reasons.set(index, "indirect call");
      pending.push(index);
    }
  });
  for (let callee = pending.pop(); callee !== undefined; callee = pending.pop()) {
    for (const caller of callers.get(callee) ?? []) {
      if (reasons.has(caller)) continue;
      reasons.set(caller, { calls: callee });
      pending.push(caller);
    }
  }
  return reasons;
}

//! One pass over a guest's code: who calls whom, what Asyncify cannot carry, and where the linker has
//! to rewrite.

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

/** An instruction that the linker replaces by a call. */
export interface Site {
  readonly kind: "memory.size" | "memory.grow" | "stack pointer";
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

  // `i32.const N; i32.add; global.set` gives stack back: it cannot overflow and is not checked.
  let beforePrevious = -1;
  let previous = -1;
  while (!code.done) {
    const start = code.position;
    const opcode = code.u8();
    switch (opcode) {
      case OPCODE.call:
        calls.add(code.u32());
        break;
      case OPCODE.callIndirect:
        callsIndirectly = true;
        skipImmediates(code, opcode);
        break;
      case OPCODE.returnCall:
      case OPCODE.returnCallIndirect:
      case OPCODE.returnCallRef:
        obstacles.add("tail call");
        skipImmediates(code, opcode);
        break;
      case OPCODE.callRef:
        obstacles.add("call_ref");
        skipImmediates(code, opcode);
        break;
      case OPCODE.tryTable:
        obstacles.add("try_table");
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
      case OPCODE.globalSet: {
        const givesBack = previous === OPCODE.i32Add && beforePrevious === OPCODE.i32Const;
        if (code.u32() === stackPointer && !givesBack) {
          sites.push({ kind: "stack pointer", start, end: code.position });
        }
        break;
      }
      default:
        skipImmediates(code, opcode);
    }
    beforePrevious = previous;
    previous = opcode;
  }
  return { calls, callsIndirectly, obstacles, sites };
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

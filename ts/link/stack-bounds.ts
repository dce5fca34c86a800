//! How large a task's stack must be, by its entry.
//!
//! Two stacks share a region: saved frames grow up from its base, the C stack down from its top. So what
//! a task needs is the heaviest path of calls from its entry, each function weighing the C stack that it
//! has taken at the call that the path goes on with, and the frame that Asyncify saves for it.
//!
//! Both are read where they are in plain sight and belong to the same functions: C stack and calls from
//! the code right before Asyncify's pass, frames from the code right after it. The optimisation that
//! follows merges functions of a path and so changes no sum.

import { assert } from "../assert.ts";
import { sizeClassBytes, sizeClassFor } from "../size-classes.ts";
import { asyncifyFrames } from "./asyncify-frames.ts";
import { coreFunctionName, SOURCE_POLL } from "./core-functions.ts";
import { cycleThrough, type Edge, longestPaths, type Paths, waysTo } from "./longest-paths.ts";
import { GUEST } from "./prepare.ts";
import type { Entry } from "./section.ts";
import { SLOT_BYTES } from "./slots.ts";
import { type StackMarks, type StackUse, stackUse } from "./stack-use.ts";
import { tableFunctions } from "./wasm/elements.ts";
import { functionName, KIND, parseModule, VALUE_TYPE, type WasmModule } from "./wasm/module.ts";

/** As in wasm/core/task.h: what stays free below the C stack, and the longest name kept, in bytes. */
const RED_ZONE_BYTES = 128;
const NAME_BYTES_MAX = 64;

/** How many functions of a path are reported. */
const PATH_FUNCTIONS_MAX = 100;

/** A function on a path, and what it adds to the stack, in bytes. */
export interface PathFunction {
  readonly name: string;
  /** C stack that it has taken where it calls the next one; at its deepest for the last one. */
  readonly cStackBytes: number;
  /** What Asyncify saves when the task parks below it; 0: it never does. */
  readonly frameBytes: number;
}

/** The stack that a task needs at most. */
export interface StackBound {
  readonly kind: "bound";
  /** 1 or more. What a host import calls back while the task runs is not counted. */
  readonly bytes: number;
  /** The stack that a task gets when it asks for `bytes`, 1 KiB to 8 MiB; absent: there is none. */
  readonly sizeClassBytes?: number;
  /** Part of `bytes` that every path has: red zone, arguments or results, and the longest name. */
  readonly fixedBytes: number;
  /** The path that needs most, from the entry on; its first functions when it is long. */
  readonly path: readonly PathFunction[];
  /** Functions that follow on `path`. */
  readonly pathOmitted: number;
}

/** Why the stack that a task needs has no bound. */
export interface NoStackBound {
  readonly kind: "recursion" | "indirect call" | "variable allocation";
  /**
   * The cycle, whose last function calls the first, or the start of a long one; or the function that
   * calls indirectly, or that takes stack by what is not a constant.
   */
  readonly functions: readonly string[];
  /** The shortest way from the entry to the first of `functions`, both included. */
  readonly path: readonly string[];
  /** Functions that follow on `path`. */
  readonly pathOmitted: number;
}

export interface EntryStack {
  /** Of an export, or of a function that sf_spawn takes. */
  readonly name: string;
  readonly exported: boolean;
  readonly tableIndex: number;
  readonly stack: StackBound | NoStackBound;
}

/** The module right before and right after Asyncify's pass. */
export interface Stages {
  readonly plain: Uint8Array;
  readonly asyncified: Uint8Array;
}

/** Exports first, as in `entries`; then what else in the table can be a task's entry. */
export function stackBounds(
  stages: Stages,
  entries: Readonly<Record<string, Entry>>,
): EntryStack[] {
  const graph = new CallGraph(stages);
  const functions = tableFunctions(graph.module);
  const exports = Object.entries(entries).map(([name, entry]): EntryStack => {
    const { tableIndex } = entry;
    const wrapper = functions.get(tableIndex);
    assert(wrapper !== undefined, `the entry ${name} is not in the table`);
    functions.delete(tableIndex);
    const stack = graph.stack(wrapper, fixedStackBytes(entry), wrapper);
    return { name, exported: true, tableIndex, stack };
  });
  const others: EntryStack[] = [];
  const fixedBytes = fixedStackBytes({ parameters: [], results: [] });
  for (const [tableIndex, index] of functions) {
    if (!graph.isTaskEntry(index)) continue;
    const name = guestName(graph.module, index);
    const stack = graph.stack(index, fixedBytes);
    others.push({ name, exported: false, tableIndex, stack });
  }
  return [...exports, ...others];
}

/**
 * Arguments and name lie at the top of the stack. The red zone also makes up for frames that are
 * measured in whole words: it is only needed while the task runs, they only while it is parked.
 */
function fixedStackBytes({ parameters, results }: Pick<Entry, "parameters" | "results">): number {
  const slotsBytes = SLOT_BYTES * Math.max(parameters.length, results.length);
  return RED_ZONE_BYTES + ((slotsBytes + NAME_BYTES_MAX + 15) & ~15);
}

/** The core's call of a source's poll. */
const POLLS = new RegExp(`^${SOURCE_POLL}(_\\d+)?$`);

class CallGraph {
  /** Before Asyncify. */
  readonly module: WasmModule;
  readonly #paths: Paths;
  readonly #uses: readonly StackUse[];
  readonly #frames: readonly number[];
  readonly #edges: readonly (readonly Edge[])[];
  /** For each function that has no bound, the next one on the way to the reason. */
  readonly #toReason: ReadonlyMap<number, number>;

  constructor({ plain, asyncified }: Stages) {
    this.module = parseModule(plain);
    const marks: StackMarks = {
      pointer: exported(this.module, KIND.global, GUEST.stackPointer),
      overflowAt: globalNamed(this.module, "stackful_stack_overflow_at"),
      setPointer: exported(this.module, KIND.function, GUEST.setStackPointer),
      check: exported(this.module, KIND.function, GUEST.checkStack),
    };
    this.#uses = this.module.bodies.map((body) => stackUse(plain, body, marks));
    this.#frames = framesBytes(this.module, parseModule(asyncified));

    const imports = this.module.functionImports.length;
    const polls = this.#uses.map((_, offset) =>
      POLLS.test(functionName(this.module, imports + offset)),
    );
    const pollable = [...tableFunctions(this.module).values()].filter((index) =>
      this.#isPoll(index),
    );
    const noEdges = Array.from({ length: imports }, (): Edge[] => []);
    this.#edges = noEdges.concat(
      this.#uses.map(({ bytes, calls }, offset) => {
        const deepest = polls[offset] ? pollable.map((index) => [index, bytes] as const) : [];
        return [...calls, ...deepest].map(([to, depth]) => ({
          to,
          weight: depth + this.#frames[offset]!,
        }));
      }),
    );
    const ends = new Array<number>(imports)
      .fill(0)
      .concat(this.#uses.map(({ bytes }, offset) => bytes + this.#frames[offset]!));
    const unbounded = this.#uses.flatMap((use, offset) =>
      use.isVariable || (use.callsIndirectly && !polls[offset]) ? [imports + offset] : [],
    );
    this.#paths = longestPaths(this.#edges, ends, unbounded);
    this.#toReason = waysTo(this.#edges, [...unbounded, ...this.#paths.cycles.keys()]);
  }

  /** Whether sf_spawn takes it: int32_t (*)(void *). */
  isTaskEntry(index: number): boolean {
    return this.#takesAddresses(index, 1);
  }

  /** Whether it can be an sf_poll_fn: int32_t (*)(struct sf_source *, void *). */
  #isPoll(index: number): boolean {
    return this.#takesAddresses(index, 2);
  }

  #takesAddresses(index: number, count: number): boolean {
    const { functionImports, functions, types } = this.module;
    const type = types[functionImports[index]?.type ?? functions[index - functionImports.length]!];
    return (
      type?.parameters.length === count &&
      type.parameters.every((parameter) => parameter === VALUE_TYPE.i32) &&
      type.results.length === 1 &&
      type.results[0] === VALUE_TYPE.i32
    );
  }

  /** `wrapper`: a function that the linker made. */
  stack(entry: number, fixedBytes: number, wrapper = -1): StackBound | NoStackBound {
    const weight = this.#paths.weights[entry];
    if (weight === undefined) return this.#reason(entry, wrapper);
    const bytes = weight + fixedBytes;
    const path: PathFunction[] = [];
    let pathOmitted = 0;
    for (let at: number | undefined = entry; at !== undefined; ) {
      const edge: Edge | undefined = this.#paths.next[at];
      if (path.length < PATH_FUNCTIONS_MAX) path.push(this.#pathFunction(at, wrapper, edge));
      else pathOmitted++;
      at = edge?.to;
    }
    return { kind: "bound", bytes, ...stackFor(bytes), fixedBytes, path, pathOmitted };
  }

  #pathFunction(index: number, wrapper: number, edge: Edge | undefined): PathFunction {
    const offset = index - this.module.functionImports.length;
    const frameBytes = this.#frames[offset] ?? 0;
    const atEnd = this.#uses[offset]?.bytes ?? 0;
    return {
      name: this.#name(index, wrapper),
      cStackBytes: edge === undefined ? atEnd : edge.weight - frameBytes,
      frameBytes,
    };
  }

  #reason(entry: number, wrapper: number): NoStackBound {
    const path: string[] = [];
    let pathOmitted = 0;
    let at = entry;
    for (;;) {
      if (path.length < PATH_FUNCTIONS_MAX) path.push(this.#name(at, wrapper));
      else pathOmitted++;
      const next = this.#toReason.get(at)!;
      if (next === at) break;
      at = next;
    }
    const use = this.#uses[at - this.module.functionImports.length]!;
    const cycle =
      use.isVariable || use.callsIndirectly
        ? [at]
        : cycleThrough(this.#edges, at, this.#paths.cycles.get(at)!);
    return {
      kind: use.isVariable
        ? "variable allocation"
        : use.callsIndirectly
          ? "indirect call"
          : "recursion",
      functions: cycle.slice(0, PATH_FUNCTIONS_MAX).map((index) => this.#name(index, wrapper)),
      path,
      pathOmitted,
    };
  }

  #name(index: number, wrapper: number): string {
    return index === wrapper ? "(entry)" : guestName(this.module, index);
  }
}

function guestName(module: WasmModule, index: number): string {
  return coreFunctionName(functionName(module, index));
}

function stackFor(bytes: number): { sizeClassBytes?: number } {
  const sizeClass = sizeClassFor(bytes);
  return sizeClass === undefined ? {} : { sizeClassBytes: sizeClassBytes(sizeClass) };
}

/** Asyncify appends its own functions, and resolves imports that were its own. */
function framesBytes(plain: WasmModule, asyncified: WasmModule): number[] {
  const globals = asyncified.globals.length - plain.globals.length;
  assert(globals === 2, `Asyncify added ${globals} globals, not its state and data`);
  const data = asyncified.globalImportsCount + asyncified.globals.length - 1;
  return asyncifyFrames(asyncified, data, plain.bodies.length);
}

function exported(module: WasmModule, kind: number, name: string): number {
  return module.exports.find((item) => item.kind === kind && item.name === name)?.index ?? -1;
}

function globalNamed(module: WasmModule, wanted: string): number {
  for (const [index, name] of module.globalNames) if (name === wanted) return index;
  return -1;
}

//! The first stage of linking: makes a guest module ready to be merged with the core.
//!
//! - Refuses, by name, what Asyncify cannot carry.
//! - Exports memory, function table and __stack_pointer, which the core imports.
//! - Puts calls of stubs where the guest asks for the size of its memory, grows it, or takes stack. The stubs
//!   are appended, so no index shifts; the last stage gives them bodies.
//! - Adds an entry wrapper per export, int32_t (*)(void *arguments), and its slot in the table.

import { StackfulError } from "../errors.ts";
import { analyze, type FunctionAnalysis, type Reason, suspending } from "./analyze.ts";
import { CORE_MODULE, PARKING_FUNCTIONS } from "./core-functions.ts";
import { ModuleEditor } from "./editor.ts";
import { appendEntries, valueTypeName } from "./entries.ts";
import { type Entry, findLinkInfo, type LinkInfo, type ValueType } from "./section.ts";
import { functionName, KIND, parseModule, VALUE_TYPE, type WasmModule } from "./wasm/module.ts";

/** Names under which the prepared guest exports what the core imports, and the stubs. */
export const GUEST = {
  memory: "memory",
  table: "__indirect_function_table",
  stackPointer: "__stack_pointer",
  memorySize: "stackful_stub_memory_size",
  memoryGrow: "stackful_stub_memory_grow",
  setStackPointer: "stackful_stub_set_stack_pointer",
  checkStack: "stackful_stub_check_stack",
} as const;

/** The stubs among them. */
export const STUBS: readonly string[] = [
  GUEST.memorySize,
  GUEST.memoryGrow,
  GUEST.setStackPointer,
  GUEST.checkStack,
];

export interface Prepared {
  readonly wasm: Uint8Array;
  readonly module: WasmModule;
  readonly entries: Readonly<Record<string, Entry>>;
  readonly asyncImports: LinkInfo["asyncImports"];
  readonly analyses: readonly FunctionAnalysis[];
  /** Functions that may be on the stack while a task is parked. */
  readonly suspending: ReadonlyMap<number, Reason>;
}

/**
 * @param asyncImports - "module.name" of host imports that may suspend.
 * @throws {StackfulError} SF_LINK when the guest cannot be linked, SF_MODULE when it is no module.
 */
export function prepare(bytes: Uint8Array, asyncImports: readonly string[]): Prepared {
  const module = parseModule(bytes);
  if (findLinkInfo(module) !== undefined) {
    throw new StackfulError("SF_LINK", "linking: the module has been linked before", {
      hint: "link the module that the compiler wrote",
    });
  }
  const stackPointer = findStackPointer(module);
  const analyses = analyze(module, stackPointer);
  const reasons = suspending(module, analyses, suspendingImports(module, asyncImports));
  const asyncResults = resultTypes(module, asyncImports);
  refuseImports(module);
  refuseObstacles(module, analyses, reasons);

  const editor = new ModuleEditor(module);
  exportMemory(module, editor);
  const stackPointerIndex = stackPointer >= 0 ? stackPointer : editor.addStackPointer();
  editor.exportAs(GUEST.stackPointer, KIND.global, stackPointerIndex);
  const stubs = {
    "memory.size": editor.addStub(GUEST.memorySize, [], [VALUE_TYPE.i32]),
    "memory.grow": editor.addStub(GUEST.memoryGrow, [VALUE_TYPE.i32], [VALUE_TYPE.i32]),
    "stack pointer": editor.addStub(GUEST.setStackPointer, [VALUE_TYPE.i32], []),
    "stack allocation": editor.addStub(GUEST.checkStack, [VALUE_TYPE.i32], [VALUE_TYPE.i32]),
  };
  const entries = appendEntries(module, editor);
  editor.exportAs(GUEST.table, KIND.table, 0);
  analyses.forEach((analysis, offset) => {
    for (const site of analysis.sites) editor.call(offset, site, stubs[site.kind]);
  });
  return {
    wasm: editor.finish(),
    module,
    entries,
    asyncImports: asyncResults,
    analyses,
    suspending: reasons,
  };
}

function suspendingImports(module: WasmModule, asyncImports: readonly string[]): Set<number> {
  const parking = new Set(PARKING_FUNCTIONS.map((name) => `${CORE_MODULE}.${name}`));
  const indexes = new Set<number>();
  module.functionImports.forEach((item, index) => {
    const name = `${item.module}.${item.name}`;
    if (parking.has(name) || asyncImports.includes(name)) indexes.add(index);
  });
  return indexes;
}

function refuseImports(module: WasmModule): void {
  const foreign = module.imports.find((item) => item.kind !== KIND.function);
  if (foreign !== undefined) {
    const what = Object.entries(KIND).find(([, kind]) => kind === foreign.kind)?.[0] ?? "item";
    throw new StackfulError(
      "SF_LINK",
      `linking: the module imports the ${what} "${foreign.module}.${foreign.name}"`,
      { hint: `build it so that it defines its own ${what}; only functions may be imported` },
    );
  }
}

function resultTypes(
  module: WasmModule,
  asyncImports: readonly string[],
): Record<string, readonly ValueType[]> {
  const types: Record<string, readonly ValueType[]> = {};
  for (const name of asyncImports) {
    const found = module.functionImports.find((item) => `${item.module}.${item.name}` === name);
    if (found === undefined) {
      throw new StackfulError("SF_LINK", `linking: no import is named "${name}"`, {
        hint: "async imports are named module.name, for instance env.fetch",
      });
    }
    types[name] = (module.types[found.type]?.results ?? []).map(valueTypeName);
  }
  return types;
}

function refuseObstacles(
  module: WasmModule,
  analyses: readonly FunctionAnalysis[],
  reasons: ReadonlyMap<number, Reason>,
): void {
  analyses.forEach((analysis, offset) => {
    const index = module.functionImports.length + offset;
    const name = functionName(module, index);
    const refuse = (what: string, hint: string): never => {
      throw new StackfulError(
        "SF_LINK",
        `linking: ${name} has a ${what}, which Asyncify cannot carry`,
        {
          hint,
        },
      );
    };
    const { obstacles } = analysis;
    if (obstacles.has("tail call")) refuse("tail call", "compile without -mtail-call");
    if (obstacles.has("call_ref")) refuse("call_ref", "compile without typed function references");
    if (obstacles.has("GC instruction")) refuse("GC instruction", "compile without WasmGC");
    if (!reasons.has(index)) return;
    if (obstacles.has("try_table")) {
      refuse(
        "try_table on a path that may park",
        "use legacy exceptions: -mllvm -wasm-use-legacy-eh",
      );
    }
    const type = module.types[module.functions[offset]!];
    const references = type?.parameters.some((value) => value < VALUE_TYPE.v128);
    if (obstacles.has("reference local") || references) {
      refuse("reference-typed local on a path that may park", "keep references in a table instead");
    }
  });
}

function exportMemory(module: WasmModule, editor: ModuleEditor): void {
  if (module.memories.length !== 1) {
    throw new StackfulError(
      "SF_LINK",
      `linking: the module has ${module.memories.length} memories`,
      {
        hint: "stackful links modules that define exactly one",
      },
    );
  }
  editor.unboundMemory();
  editor.exportAs(GUEST.memory, KIND.memory, 0);
}

/**
 * The global that LLVM calls __stack_pointer: by name or export; else its first mutable i32 global,
 * which must start inside the memory. -1: the guest keeps no stack in memory.
 */
export function findStackPointer(module: WasmModule): number {
  for (const [index, name] of module.globalNames) if (name === "__stack_pointer") return index;
  const exported = module.exports.find(
    (item) => item.kind === KIND.global && item.name === "__stack_pointer",
  );
  if (exported !== undefined) return exported.index;
  const offset = module.globals.findIndex(
    (global) => global.mutable && global.valueType === VALUE_TYPE.i32,
  );
  const initial = module.globals[offset]?.initial;
  const memoryBytes = (module.memories[0]?.minimum ?? 0) * 65_536;
  const plausible =
    initial !== undefined && initial > 0 && initial <= memoryBytes && initial % 16 === 0;
  return plausible && module.globalNames.size === 0 ? module.globalImportsCount + offset : -1;
}

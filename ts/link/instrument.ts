//! The last stage of linking: gives the stubs their bodies, optimises, runs Asyncify, optimises again.
//!
//! Parking functions of the core call start_unwind. If one were inlined into a guest function before
//! Asyncify runs, Asyncify would take that function for part of the runtime and not instrument it.
//! Afterwards inlining them is right, and wanted.

import { StackfulError } from "../errors.ts";
import type { BinaryenApi } from "./binaryen.ts";
import { SOURCE_POLL } from "./core-functions.ts";
import { enableFeatures } from "./features.ts";
import { GUEST, STUBS } from "./prepare.ts";

type Module = ReturnType<BinaryenApi["readBinary"]>;

export interface InstrumentOptions {
  readonly asyncImports: readonly string[];
  /** Binaryen's -O level, 0 to 4. */
  readonly optimize: number;
  /** Everything the core exports. */
  readonly coreExports: readonly string[];
}

export interface Instrumented {
  readonly wasm: Uint8Array;
  readonly functions: number;
  /** The same module without Asyncify, optimised, and with the stubs exported. */
  readonly plain: Uint8Array;
  /** Right after Asyncify: every function of `plain` in its place, then Asyncify's own. */
  readonly asyncified: Uint8Array;
}

export function instrument(
  binaryen: BinaryenApi,
  merged: Uint8Array,
  options: InstrumentOptions,
): Instrumented {
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(options.optimize);
  binaryen.setShrinkLevel(0);
  binaryen.setPassArgument("no-inline", "sf_*");
  binaryen.setPassArgument("asyncify-removelist", SOURCE_POLL);
  if (options.asyncImports.length > 0) {
    binaryen.setPassArgument("asyncify-imports", options.asyncImports.join(","));
  } else {
    binaryen.setPassArgument("asyncify-ignore-imports", "1");
  }
  try {
    const { wasm: plain } = transform(binaryen, merged, (module) => {
      defineStubs(binaryen, module);
      dropCoreExports(module, options.coreExports);
      module.runPasses(["no-inline"]);
      module.optimize();
    });
    const { wasm: asyncified } = transform(binaryen, plain, (module) => {
      dropStubExports(module);
      module.runPasses(["no-inline"]);
      runAsyncify(module);
      dropAsyncifyExports(module);
    });
    // Read once more: the marks of no-inline are not part of a binary.
    const linked = transform(binaryen, asyncified, (module) => module.optimize());
    return { ...linked, plain, asyncified };
  } finally {
    binaryen.clearPassArguments();
  }
}

function transform(binaryen: BinaryenApi, wasm: Uint8Array, change: (module: Module) => void) {
  const module = binaryen.readBinary(wasm);
  try {
    enableFeatures(binaryen, module);
    change(module);
    return { wasm: module.emitBinary(), functions: module.getNumFunctions() };
  } finally {
    module.dispose();
  }
}

function runAsyncify(module: Module): void {
  try {
    module.runPasses(["asyncify"]);
  } catch (cause) {
    throw new StackfulError("SF_LINK", `linking: Asyncify refused the module: ${String(cause)}`, {
      hint: "stackful explain names what each function contains",
      cause,
    });
  }
}

function defineStubs(binaryen: BinaryenApi, module: Module): void {
  const core = (name: string): string => binaryen.getExportInfo(module.getExport(name)).value;
  const define = (
    stub: string,
    parameters: number[],
    result: number,
    locals: number[],
    body: () => number,
  ): void => {
    const name = core(stub);
    module.removeFunction(name);
    module.addFunction(name, binaryen.createType(parameters), result, locals, body());
  };
  const { i32, none } = binaryen;
  define(GUEST.memorySize, [], i32, [], () =>
    module.call(core("stackful_guest_memory_size"), [], i32),
  );
  define(GUEST.memoryGrow, [i32], i32, [], () =>
    module.call(core("stackful_guest_memory_grow"), [module.local.get(0, i32)], i32),
  );
  const limit = core("stackful_stack_limit");
  const span = core("stackful_stack_span");
  const overflow = core("stackful_stack_overflow_at");
  const stackPointer = core(GUEST.stackPointer);
  const trapUnlessInside = (): number =>
    module.if(
      module.i32.gt_u(
        module.i32.sub(module.local.get(0, i32), module.global.get(limit, i32)),
        module.global.get(span, i32),
      ),
      module.block(null, [
        module.global.set(overflow, module.local.get(0, i32)),
        module.unreachable(),
      ]),
    );
  define(GUEST.setStackPointer, [i32], none, [], () =>
    module.block(null, [
      trapUnlessInside(),
      module.global.set(stackPointer, module.local.get(0, i32)),
    ]),
  );
  define(GUEST.checkStack, [i32], i32, [], () =>
    module.block(null, [trapUnlessInside(), module.local.get(0, i32)], i32),
  );
}

/** The guest's imports are resolved: only what the host calls stays exported, the rest can go. */
function dropCoreExports(module: Module, coreExports: readonly string[]): void {
  const forHost = new Set(HOST_EXPORTS);
  for (const name of coreExports) if (!forHost.has(name)) module.removeExport(name);
}

/** They are exported so far to be found in `plain`, where calls of them may be left. */
function dropStubExports(module: Module): void {
  for (const name of STUBS) module.removeExport(name);
}

function dropAsyncifyExports(module: Module): void {
  for (const name of ["start_unwind", "stop_unwind", "start_rewind", "stop_rewind", "get_state"]) {
    module.removeExport(`asyncify_${name}`);
  }
}

/** Functions of the core that the host calls. */
const HOST_EXPORTS: readonly string[] = [
  "stackful_init",
  "stackful_run",
  "stackful_fail_current",
  "stackful_task_create",
  "stackful_task_current",
  "stackful_task_start",
  "stackful_task_cancel",
  "stackful_task_free",
  "stackful_await_begin",
  "stackful_await_end",
  "stackful_await_settled",
  "stackful_nested_begin",
  "stackful_nested_end",
  "stackful_allocate",
  "stackful_release",
  "stackful_select",
  "stackful_select_forget",
  "stackful_signal_raise",
  "stackful_probe",
  "stackful_probe_failed",
  "stackful_stack_used",
  "stackful_pool_take",
  "stackful_span_give",
  "stackful_span_take",
  "sf_channel_init",
  "sf_channel_init_unbounded",
  "sf_channel_close",
  "sf_channel_count",
  "sf_event_init",
  "sf_event_set",
  "sf_event_reset",
  "sf_event_is_set",
  "sf_semaphore_init",
  "sf_semaphore_release",
  "sf_semaphore_permits",
  "sf_source_notify",
];

//! Stacks of tasks, as names of the guest's functions.
//!
//! Only the engine knows them, and tells them in the `stack` of an error that is made below them. The
//! running task's is there; a parked one is rewound for a moment to the function that parked it, which
//! calls `record` instead of going on (wasm/core/probe.c).

import type { Guest } from "../guest/guest.ts";
import { coreFunctionName } from "../link/core-functions.ts";
import { withEngineStacks } from "./engine-stack.ts";
import type { FunctionNames, Wrapper } from "./function-names.ts";

/** Innermost first. */
export type StackTrace = readonly string[];

/** Functions that a trace shows; deeper ones are cut. */
const FRAMES_MAX = 100;

/** What lies around them: the core's functions and the host's. */
const FRAMES_AROUND = 50;

/** Frames of JavaScript that must be free, so that only the guest's own can be too many. */
const FRAMES_FREE = 400;

const CUT = "...";

/** Functions of the core that no guest calls. */
const CORE_FRAME = /^(stackful_|resumed_in_vain$)/;

export class StackTraces {
  readonly #names: FunctionNames;
  /** By what the engine said: tasks that wait at the same place have the same. */
  readonly #known = new Map<string, StackTrace>();
  #wrappers: ReadonlyMap<number, Wrapper> | undefined;
  #recorded = "";
  guest: Guest | undefined;
  /** A task is being rewound only to be looked at: imports it comes through must do nothing. */
  probing = false;

  constructor(names: FunctionNames) {
    this.#names = names;
  }

  /** The import stackful_host.probe. */
  readonly record = (): void => {
    this.#recorded = new Error().stack ?? "";
  };

  /** Runs `body`, in which stacks can be asked for. */
  collect<T>(body: () => T): T {
    try {
      return withEngineStacks(FRAMES_MAX + FRAMES_AROUND, body);
    } finally {
      this.#known.clear();
    }
  }

  /** Of the task that has called the host. */
  running(): StackTrace {
    this.record();
    return this.#parse(this.#recorded);
  }

  /**
   * Of a parked task; empty when it is not parked.
   *
   * @throws what the engine threw, mostly a RangeError: its own stack is too small to hold it now. The
   *   task is as it was.
   */
  parked(task: number): StackTrace {
    const { core } = this.guest!;
    roomFor(FRAMES_FREE);
    this.#recorded = "";
    this.probing = true;
    try {
      if (core.stackful_probe(task) === 0) return [];
    } catch (error) {
      core.stackful_probe_failed();
      throw error;
    } finally {
      this.probing = false;
    }
    return this.#parse(this.#recorded);
  }

  #parse(stack: string): StackTrace {
    const known = this.#known.get(stack);
    if (known !== undefined) return known;
    this.#wrappers ??= this.#names.wrappers(this.guest!);
    const trace: string[] = [];
    let callee: number | undefined;
    let cut = true;
    for (const [, text] of stack.matchAll(/wasm-function\[(.*)\]/g)) {
      const index = this.#names.indexOf(text!);
      const name = this.#names.byIndex(index);
      const wrapper = this.#wrappers.get(index);
      cut = name !== "stackful_run" && name !== "stackful_probe";
      if (!cut) break;
      if (wrapper === undefined) {
        if (!CORE_FRAME.test(name)) trace.push(coreFunctionName(name));
      } else if (wrapper.inner !== callee) {
        trace.push(wrapper.name); // Its only callee was inlined into it.
      }
      callee = index;
    }
    if (cut || trace.length > FRAMES_MAX) trace.splice(FRAMES_MAX, Number.POSITIVE_INFINITY, CUT);
    this.#known.set(stack, trace);
    return trace;
  }
}

/** @throws {RangeError} when the engine's stack has no room for so many calls. */
function roomFor(calls: number): number {
  return calls === 0 ? 0 : roomFor(calls - 1) + 1;
}

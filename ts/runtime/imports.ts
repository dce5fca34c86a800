//! Host imports: what the embedder gives the guest.
//!
//! A plain function is called and its value returned. An async one is called, and when it returns a
//! promise the task parks:
//!
//!   guest ─▶ import ─▶ fn() is a promise ─▶ await_begin ─▶ returns; the guest unwinds
//!            ... the promise settles ─▶ await_settled ─▶ the task is ready
//!   guest ─▶ import (entered again by the rewind) ─▶ await_end ─▶ returns the value, or throws
//!
//! Only imports that the linker was told of can do so: the guest was not instrumented for the others.

import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { HostFunction, HostImports } from "../guest/host-imports.ts";
import type { LinkInfo, ValueType } from "../link/section.ts";
import type { StackTraces } from "./stack-traces.ts";

/** No error is this one. */
const NOTHING = Symbol("nothing");

interface Awaited {
  /** "module.name" of the import. */
  readonly name: string;
  failed: boolean;
  value: unknown;
}

/** The promises that tasks wait for. */
export class HostAwaits {
  readonly #byTask = new Map<number, Awaited>();
  readonly #onSettled: () => void;
  readonly #traces: StackTraces;
  guest: Guest | undefined;
  /** Calls of host imports so far. */
  calls = 0;
  /** How often the embedder's own functions were called. */
  embedderCalls = 0;

  #thrown: unknown = NOTHING;

  /** @param onSettled - asks for a turn. */
  constructor(traces: StackTraces, onSettled: () => void) {
    this.#traces = traces;
    this.#onSettled = onSettled;
  }

  /** Tasks that wait for one. */
  get pending(): number {
    return this.#byTask.size;
  }

  /** "module.name" of the import whose promise `task` waits for. */
  importOf(task: number): string | undefined {
    return this.#byTask.get(task)?.name;
  }

  /** Whether an import threw `error`, rather than the engine. */
  threw(error: unknown): boolean {
    return this.#thrown === error || error instanceof StackfulError;
  }

  /** A task ended without being resumed: whatever it waited for has no one to go to. */
  forget(task: number): void {
    this.#byTask.delete(task);
  }

  /** A function of the embedder that is no import, with its calls counted. */
  counted<Args extends unknown[]>(fn: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      this.embedderCalls++;
      fn(...args);
    };
  }

  wrapAsync(name: string, fn: HostFunction, result: ValueType | undefined): HostFunction {
    return (...args) => {
      const guest = this.guest!;
      if (this.#traces.probing) {
        guest.core.stackful_await_end();
        return zero(result);
      }
      this.calls++;
      this.embedderCalls++;
      const task = guest.current;
      const awaited = task === 0 ? undefined : this.#byTask.get(task);
      if (awaited !== undefined) {
        // Traps when the task was only resumed to be found: then the promise is still awaited.
        guest.core.stackful_await_end();
        this.#byTask.delete(task);
        if (awaited.failed) {
          this.#thrown = awaited.value;
          throw awaited.value;
        }
        return convert(name, awaited.value, result);
      }
      const value = this.#call(fn, args);
      if (!isPromise(value)) return convert(name, value, result);
      guest.core.stackful_await_begin();
      this.#wait(name, guest, task, value);
      return zero(result);
    };
  }

  /** An import that must return at once. */
  wrapSync(name: string, fn: HostFunction, embedders: boolean): HostFunction {
    return (...args) => {
      this.calls++;
      if (embedders) this.embedderCalls++;
      const value = this.#call(fn, args);
      if (!isPromise(value)) return value;
      throw new StackfulError(
        "SF_IMPORT",
        `calling the import ${name}: it returned a promise, and the guest was not linked for that`,
        { hint: `link with --async-import ${name}` },
      );
    };
  }

  #call(fn: HostFunction, args: (number | bigint)[]): unknown {
    try {
      return fn(...args);
    } catch (error) {
      this.#thrown = error;
      throw error;
    }
  }

  #wait(name: string, guest: Guest, task: number, promise: PromiseLike<unknown>): void {
    const awaited: Awaited = { name, failed: false, value: undefined };
    this.#byTask.set(task, awaited);
    const settle = (failed: boolean) => (value: unknown) => {
      if (this.#byTask.get(task) !== awaited) return;
      Object.assign(awaited, { failed, value });
      // It ends now, and will not come back for the value.
      if (guest.isDoomed(task)) this.#byTask.delete(task);
      try {
        guest.core.stackful_await_settled(task);
      } catch {
        return; // The guest has damaged itself; the runtime has been told.
      }
      this.#onSettled();
    };
    promise.then(settle(false), settle(true));
  }
}

/**
 * The import object for a linked module: the embedder's functions, and `own` for what it leaves out.
 * What is in `core` is called by the core: it does not count as a call of the guest.
 *
 * @throws {StackfulError} SF_IMPORT that names what the guest needs and nobody gives.
 */
export function bindImports(
  module: WebAssembly.Module,
  info: LinkInfo,
  embedder: HostImports,
  own: HostImports,
  core: HostImports,
  awaits: HostAwaits,
): WebAssembly.Imports {
  const imports: Record<string, Record<string, HostFunction>> = {};
  const missing: string[] = [];
  for (const needed of WebAssembly.Module.imports(module)) {
    const name = `${needed.module}.${needed.name}`;
    const cores = core[needed.module]?.[needed.name];
    if (cores !== undefined) {
      (imports[needed.module] ??= {})[needed.name] = cores;
      continue;
    }
    const embedders = embedder[needed.module]?.[needed.name];
    const fn = embedders ?? own[needed.module]?.[needed.name];
    if (typeof fn !== "function") {
      missing.push(name);
      continue;
    }
    const results = info.asyncImports[name];
    (imports[needed.module] ??= {})[needed.name] =
      results === undefined
        ? awaits.wrapSync(name, fn, fn === embedders)
        : awaits.wrapAsync(name, fn, results[0]);
  }
  if (missing.length > 0) {
    throw new StackfulError("SF_IMPORT", `loading the guest: it imports ${missing.join(", ")}`, {
      hint: "give them in options.imports",
    });
  }
  return imports;
}

/** "module.name" of the given imports that are async functions. */
export function asyncFunctionNames(imports: HostImports): string[] {
  return Object.entries(imports).flatMap(([module, group]) =>
    Object.entries(group)
      .filter(([, fn]) => fn.constructor.name === "AsyncFunction")
      .map(([name]) => `${module}.${name}`),
  );
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

function zero(result: ValueType | undefined): number | bigint {
  return result === "i64" ? 0n : 0;
}

function convert(name: string, value: unknown, result: ValueType | undefined): unknown {
  if (result === undefined) return undefined;
  const fits = result === "i64" ? typeof value === "bigint" : typeof value === "number";
  if (fits) return value;
  throw new StackfulError(
    "SF_IMPORT",
    `calling the import ${name}: it returned ${typeof value}, the guest expects ${result}`,
    { hint: result === "i64" ? "return a bigint" : "return a number" },
  );
}

//! What an embedder can choose for a pool, and what of it goes to the threads.

import type { StackfulError } from "../errors.ts";
import type { BackendName } from "../host/backend.ts";
import type { RuntimeOptions, SpawnOptions } from "../runtime/options.ts";

/**
 * Those of a `Runtime`, for each executor; limits too are those of one executor. Functions cannot go to
 * another thread: the host's are in a module that every executor imports.
 */
export interface PoolOptions
  extends Omit<RuntimeOptions, "imports" | "backend" | "loop" | "onOutput" | "onTaskFailed"> {
  /** Threads, from 1 to 256. @defaultValue the processors that the system gives this process */
  readonly executors?: number;
  /**
   * A module whose export `imports` is the host functions by import module and name, or a function that
   * makes them and is told `{ executor, executors }`. Every executor imports it for itself. Functions
   * that are async and that the guest has not been linked for are named in `asyncImports` as well.
   */
  readonly imports?: URL | string;
  readonly backend?: "auto" | BackendName;
  /** Flags of Node for the threads. @defaultValue those of this process */
  readonly execArgv?: readonly string[];
  /** As for a `Runtime`, with the executor that the line is from. */
  readonly onOutput?: (stream: "stdout" | "stderr", line: string, executor: number) => void;
  /** Takes failures of tasks that the guest spawned. @defaultValue a warning of the process */
  readonly onTaskFailed?: (error: StackfulError, executor: number) => void;
  /**
   * An executor has crashed, and the others go on: a task failed in strict mode, the guest damaged its core,
   * an exception of JavaScript was not caught, or its thread ended. @defaultValue a warning of the process
   */
  readonly onCrash?: (error: StackfulError, executor: number) => void;
}

/**
 * Where a task runs. "auto": on the executor on which the fewest tasks of the pool live; of several, in
 * turn. A number: on that executor. No executor is local to the pool's thread; guests have
 * SF_EXECUTOR_LOCAL besides, for `sf_executor_spawn`.
 */
export type Placement = "auto" | number;

export interface PoolSpawnOptions extends SpawnOptions {
  /** @defaultValue "auto" */
  readonly on?: Placement;
}

const EXECUTORS_MAX = 256;

/** @throws {RangeError} */
export function checkExecutors(executors: number): number {
  if (Number.isInteger(executors) && executors >= 1 && executors <= EXECUTORS_MAX) return executors;
  throw new RangeError(`executors must be 1 to ${EXECUTORS_MAX}, not ${executors}`);
}

/** The pool's own, which no executor is told. */
const OWN = [
  "executors",
  "imports",
  "execArgv",
  "onOutput",
  "onTaskFailed",
  "onCrash",
] as const satisfies readonly (keyof PoolOptions)[];

/**
 * What the executors are created with.
 *
 * @throws {TypeError} an option that cannot go to another thread; the message names it.
 */
export function threadOptions(options: PoolOptions): RuntimeOptions {
  const { imports } = options as { readonly imports?: unknown };
  if (imports !== undefined && typeof imports !== "string" && !(imports instanceof URL)) {
    throw new TypeError(
      "options.imports: functions cannot go to another thread (give the URL of a module that exports them as imports)",
    );
  }
  const own: readonly string[] = OWN;
  const theirs = Object.entries(options).filter(([name]) => !own.includes(name));
  for (const [name, value] of theirs) {
    if (typeof value !== "function" && !hasFunctions(value)) continue;
    throw new TypeError(`options.${name}: it has functions, which cannot go to another thread`);
  }
  return Object.fromEntries(theirs) as RuntimeOptions;
}

function hasFunctions(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (let at: object | null = value; at !== null && at !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (typeof (value as Record<string, unknown>)[name] === "function") return !Array.isArray(at);
    }
    at = Object.getPrototypeOf(at) as object | null;
  }
  return false;
}

/** Where the threads find the module with the host's functions. */
export function importsUrl({ imports }: PoolOptions): string | undefined {
  return imports === undefined ? undefined : String(imports);
}

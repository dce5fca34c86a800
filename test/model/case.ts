//! A case: a few tasks with a script each, what may happen to them, and what must hold whatever the
//! order.

import type { Call, History } from "./history.ts";
import { describe, type Op, withItems } from "./operations.ts";

/** What a history breaks, in words; nothing when it holds. */
export type Law = (history: History) => string | undefined;

export interface Rules {
  readonly laws: Readonly<Record<string, Law>>;
  /** Whether a call may still wait when nothing more can happen. @defaultValue none may */
  readonly mayWait?: (call: Call, history: History) => boolean;
  /** Requests have other sources than the case's cancels: the laws say themselves who is canceled. */
  readonly ownCancelLaw?: boolean;
}

export interface CaseOptions {
  readonly name: string;
  /** Operations done before the tasks start; `c` is the task that they are done for. */
  readonly setup?: readonly Op[];
  readonly tasks: readonly (readonly Op[])[];
  /** What the tasks return. @defaultValue 0 */
  readonly results?: readonly number[];
  /** Tasks that are there from the start; the others are spawned by these. @defaultValue all */
  readonly started?: number;
  /** Requests that come from outside, each for a task of `cancelable`, at any moment. @defaultValue 0 */
  readonly cancels?: number;
  /** @defaultValue all tasks */
  readonly cancelable?: readonly number[];
  /** Signals that the host raises. @defaultValue 0 */
  readonly raises?: number;
  /** Operations done from outside of any task, each once and in order. */
  readonly outside?: readonly Op[];
  /** What the host answers an operation with. @defaultValue 4 */
  readonly answer?: number;
  /** The core sees an answer before anything else happens. @defaultValue false */
  readonly deliversAtOnce?: boolean;
  /** How many tasks may live at once. @defaultValue 8 */
  readonly tasksMax?: number;
}

export interface Case extends Required<CaseOptions> {
  readonly rules: Rules;
  /** For each task the one before it that it cannot be told from, or -1. */
  readonly twins: readonly number[];
  /** What it was made of. */
  readonly options: CaseOptions;
  /** Of a sweep: its rules hold for any scripts. */
  readonly free: boolean;
}

/** A name of a task in an operation tells the tasks apart. */
const NAMES_TASK = /^(cancel|unpark|spawn|join|task_|detach|cancel_wait|group_spawn|select)/;

export function makeCase(rules: Rules, options: CaseOptions): Case {
  const { tasks } = options;
  const results = options.results ?? tasks.map(() => 0);
  const started = options.started ?? tasks.length;
  const everybody = options.cancelable === undefined;
  const alike = everybody && !tasks.flat().some((each) => NAMES_TASK.test(each.name));
  const scripts = tasks.map((script, index) => JSON.stringify([script, results[index]]));
  const twins = scripts.map((script, index) =>
    alike && index < started ? scripts.lastIndexOf(script, index - 1) : -1,
  );
  // lastIndexOf takes a negative start from the end.
  if (twins.length > 0) twins[0] = -1;
  return {
    setup: [],
    cancels: 0,
    cancelable: tasks.map((_, index) => index),
    raises: 0,
    outside: [],
    answer: 4,
    deliversAtOnce: false,
    tasksMax: 8,
    ...options,
    tasks: tasks.map(withItems),
    results,
    started,
    rules,
    twins,
    options,
    free: false,
  };
}

/** A primitive: its cases, each with its laws. */
export interface Primitive {
  readonly name: string;
  cases(): Iterable<Case>;
}

type Variation = Omit<CaseOptions, "tasks" | "name">;

/** A case for every multiset of `count` scripts of `length` operations of the alphabet. */
export function* sweep(
  rules: Rules,
  alphabet: readonly Op[],
  count: number,
  length: number,
  options: Variation = {},
): Generator<Case> {
  for (const tasks of everyScript(alphabet, count, length)) {
    yield { ...single(rules, tasks, options), free: true };
  }
}

/** A case that is named after what it does. */
export function single(
  rules: Rules,
  tasks: readonly (readonly Op[])[],
  options: Variation = {},
): Case {
  const setup = (options.setup ?? []).map(describe).join(" ");
  const extras = Object.entries({ ...options, setup: undefined }).map(([key, value]) => {
    if (value === undefined) return "";
    return `, ${key} ${key === "outside" ? options.outside?.map(describe) : value}`;
  });
  const scripts = tasks.map((script) => script.map(describe).join(" ")).join(" | ");
  return makeCase(rules, { ...options, tasks, name: `${setup}: ${scripts}${extras.join("")}` });
}

/** Every multiset of `count` scripts of `length` operations of the alphabet. */
function* everyScript(alphabet: readonly Op[], count: number, length: number): Generator<Op[][]> {
  const scripts = [...words(alphabet, length)];
  yield* multisets(scripts, count, 0);
}

function* words(alphabet: readonly Op[], length: number): Generator<Op[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const rest of words(alphabet, length - 1))
    for (const each of alphabet) yield [...rest, each];
}

function* multisets<T>(from: readonly T[], count: number, first: number): Generator<T[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let index = first; index < from.length; index++) {
    for (const rest of multisets(from, count - 1, index)) yield [from[index]!, ...rest];
  }
}

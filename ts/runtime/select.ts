//! Waiting for one of several things, of the guest and of the host.
//!
//! The core's arms lie in one block and are tried, queued and taken out together. The host's are
//! polled before, and watched while the core's are queued. Whichever ends the wait first asks the
//! core's side to stop: if an arm there was served already, that one has won.

import { type Arm, abortArm, type CoreArm, isHostArm, type Outcome, promiseArm } from "./arm.ts";
import type { HostWaits } from "./host-waits.ts";
import { Task } from "./task.ts";

export interface WaitOptions {
  /** Ends the wait; its reason is thrown. What is ready already is returned in spite of it. */
  readonly signal?: AbortSignal;
}

export interface SelectOptions extends WaitOptions {
  /** See `FairTurn`. Without it the first of those that are ready wins. */
  readonly fair?: FairTurn;
}

/**
 * Whose turn it is, for one place in the program that selects again and again: the arm after the last
 * winner counts first, so none that is ready is passed over for more than one round. Starts as
 * `{ next: 0 }`; select changes it.
 */
export interface FairTurn {
  next: number;
}

/**
 * What a select can wait for: an arm; a promise, for its value; a task, for its result; an
 * AbortSignal, for its reason.
 */
export type Selectable = Arm<unknown> | PromiseLike<unknown> | AbortSignal;

/** By name, or as an array. Keys that are whole numbers come first, as JavaScript orders them. */
export type Selectables = Readonly<Record<string, Selectable>> | readonly Selectable[];

/** The key of the arm that won (of an array: its index) and its value. */
export type Selected<A extends Selectables> = A extends readonly unknown[]
  ? { [K in keyof A]: { readonly key: IndexOf<K>; readonly value: ValueOf<A[K]> } }[number]
  : { [K in keyof A]: { readonly key: K; readonly value: ValueOf<A[K]> } }[keyof A];

type IndexOf<K> = K extends `${infer N extends number}` ? N : number;

type ValueOf<S> = S extends AbortSignal
  ? unknown
  : S extends PromiseLike<infer T>
    ? T
    : S extends Arm<infer T>
      ? T
      : never;

/** `Runtime.select`. */
export async function select<A extends Selectables>(
  waits: HostWaits,
  selectables: A,
  options: SelectOptions = {},
): Promise<Selected<A>> {
  const { fair, signal } = options;
  const keys = Array.isArray(selectables) ? [...selectables.keys()] : Object.keys(selectables);
  const arms = Object.values(selectables).map(armOf);
  const next = fair?.next ?? 0;
  const first = next > 0 && next < arms.length ? Math.floor(next) : 0;
  const turned = [...arms.slice(first), ...arms.slice(0, first)];
  const won = await waitForOne(waits, turned, signal);
  const index = (won.index + first) % arms.length;
  if (fair !== undefined) fair.next = index + 1;
  return { key: keys[index], value: won.value } as Selected<A>;
}

/** Waits for one arm alone. */
export async function wait<T>(waits: HostWaits, arm: Arm<T>, options: WaitOptions): Promise<T> {
  const { value } = await waitForOne(waits, [arm], options.signal);
  return value as T;
}

interface Won {
  readonly index: number;
  readonly value: unknown;
}

async function waitForOne(
  waits: HostWaits,
  given: readonly Arm<unknown>[],
  signal: AbortSignal | undefined,
): Promise<Won> {
  // The signal is one more arm, the last.
  const arms = signal === undefined ? given : [...given, abortArm(signal, raise)];
  const ready = firstReady(arms);
  if (waits.ended !== undefined) {
    if (ready !== undefined) return { index: ready.index, value: ready.outcome() };
    throw waits.ended;
  }
  const tried = arms.slice(0, ready?.index).map((arm, index) => ({ arm, index }));
  const cores = tried.filter((item): item is Placed<CoreArm<unknown>> => !isHostArm(item.arm));
  const wait = waits.open(cores.map(({ arm }) => arm));
  try {
    return await new Promise<Won>((resolve, reject) => {
      const stops: (() => void)[] = [];
      let over = false;
      const finish = (index: number, outcome: Outcome<unknown>): void => {
        over = true;
        for (const stop of stops) stop();
        try {
          resolve({ index, value: outcome() });
        } catch (error) {
          reject(error);
        }
      };
      const finishUnlessServed = (index: number, outcome: Outcome<unknown>): boolean => {
        if (over || !wait.stop()) return false;
        finish(index, outcome);
        return true;
      };
      wait.start((core, outcome) => finish(cores[core]?.index ?? -1, outcome));
      if (ready !== undefined) finishUnlessServed(ready.index, ready.outcome);
      for (const { arm, index } of tried) {
        if (over) break;
        if (isHostArm(arm)) stops.push(arm.watch((outcome) => finishUnlessServed(index, outcome)));
      }
    });
  } finally {
    wait.release();
  }
}

interface Placed<A> {
  readonly arm: A;
  readonly index: number;
}

/** The first of the host's arms that is ready. */
function firstReady(
  arms: readonly Arm<unknown>[],
): { readonly index: number; readonly outcome: Outcome<unknown> } | undefined {
  for (const [index, arm] of arms.entries()) {
    const outcome = isHostArm(arm) ? arm.poll() : undefined;
    if (outcome !== undefined) return { index, outcome };
  }
  return undefined;
}

function armOf(selectable: Selectable): Arm<unknown> {
  if (selectable instanceof Task) return selectable.onEnd();
  if ("aborted" in selectable) return abortArm(selectable, (reason) => reason);
  return "then" in selectable ? promiseArm(selectable) : selectable;
}

function raise(reason: unknown): never {
  throw reason;
}

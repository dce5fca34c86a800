//! Waiting for one of several things, of the guest and of the host.
//!
//! The core's arms lie in one block and are tried, queued and taken out together. The host's are
//! polled before, and watched while the core's are queued. Whichever ends the wait first asks the
//! core's side to stop: if an arm there was served already, that one has won.

import { ARM_SOURCE } from "../abi.gen.ts";
import {
  type Arm,
  abortArm,
  anchored,
  type CoreArm,
  type HostArm,
  type HostOutcome,
  isHostArm,
  LOST,
  promiseArm,
  timerArm,
} from "./arm.ts";
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
 * AbortSignal, for its reason. A promise keeps a little of each select until it settles, as with
 * `Promise.race`: for what many selects wait for, an event or a signal is better.
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

/** `Runtime.select`; without a runtime that of `ExecutorPool`. */
export async function select<A extends Selectables>(
  waits: HostWaits | undefined,
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
export async function wait<T>(
  waits: HostWaits | undefined,
  arm: Arm<T>,
  options: WaitOptions,
): Promise<T> {
  const { value } = await waitForOne(waits, [arm], options.signal);
  return value as T;
}

interface Won {
  readonly index: number;
  readonly value: unknown;
}

/** The core's side of a wait where there is no core. */
const NO_CORE = { start: (): void => {}, stop: (): boolean => true, release: (): void => {} };

async function waitForOne(
  waits: HostWaits | undefined,
  given: readonly Arm<unknown>[],
  signal: AbortSignal | undefined,
): Promise<Won> {
  // The signal is one more arm, the last.
  const all = signal === undefined ? given : [...given, abortArm(signal, raise)];
  const arms = waits === undefined ? all.map(withoutCore) : all;
  const startNs = waits?.guest.environment.monotonicNs() ?? 0;
  for (let round = 0; ; round++) {
    const ready = firstReady(arms);
    if (waits?.ended !== undefined) {
      const value = ready === undefined ? LOST : ready.outcome();
      if (ready !== undefined && value !== LOST) return { index: ready.index, value };
      throw waits.ended;
    }
    const tried = arms.slice(0, ready?.index).map((arm, index) => ({ arm, index }));
    const cores = tried.filter((item): item is Placed<CoreArm<unknown>> => !isHostArm(item.arm));
    const open = (anew: boolean) =>
      waits?.open(cores.map(({ arm }) => (anew ? anchored(arm, startNs) : arm))) ?? NO_CORE;
    let wait = open(round > 0);
    try {
      const won = await new Promise<Won | typeof LOST>((resolve, reject) => {
        const stops: (() => void)[] = [];
        let over = false;
        const end = (settle: () => void): void => {
          over = true;
          for (const stop of stops) stop();
          settle();
        };
        const finish = (index: number, outcome: HostOutcome<unknown>): typeof LOST | undefined => {
          try {
            const value = outcome();
            if (value === LOST) return LOST;
            end(() => resolve({ index, value }));
          } catch (error) {
            end(() => reject(error));
          }
          return undefined;
        };
        const start = (): void =>
          wait.start((core, outcome) => void finish(cores[core]?.index ?? -1, outcome));
        const again = (): void => {
          wait.release();
          wait = NO_CORE;
          try {
            wait = open(true);
            start();
          } catch (error) {
            end(() => reject(error));
          }
        };
        const finishUnlessServed = (
          index: number,
          outcome: HostOutcome<unknown>,
          onLost = again,
        ): boolean => {
          if (over || !wait.stop()) return false;
          if (finish(index, outcome) === LOST) onLost();
          return over;
        };
        start();
        if (ready !== undefined) {
          finishUnlessServed(ready.index, ready.outcome, () => end(() => resolve(LOST)));
        }
        for (const { arm, index } of tried) {
          if (over) break;
          if (!isHostArm(arm)) continue;
          const stop = arm.watch((outcome) => finishUnlessServed(index, outcome));
          stops.push(stop);
          if (over) stop();
        }
      });
      if (won !== LOST) return won;
    } finally {
      wait.release();
    }
  }
}

/** @throws {TypeError} it is an arm of a runtime. */
function withoutCore(arm: Arm<unknown>): HostArm<unknown> {
  if (isHostArm(arm)) return arm;
  if (arm.source === ARM_SOURCE.TIMEOUT) return timerArm(arm);
  throw new TypeError(
    "select: an arm is of a runtime, and only the select of that can wait for it",
  );
}

interface Placed<A> {
  readonly arm: A;
  readonly index: number;
}

/** The first of the host's arms that is ready. */
function firstReady(
  arms: readonly Arm<unknown>[],
): { readonly index: number; readonly outcome: HostOutcome<unknown> } | undefined {
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

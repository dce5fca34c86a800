//! The alternatives of a select. The core waits for some; others only the host has.

import { ARM_SOURCE } from "../abi.gen.ts";
import { SYSTEM } from "../guest/environment.ts";

/**
 * One alternative of `Runtime.select`, made by methods such as `channel.onReceive()`. It has its
 * effect (an item taken, a permit) if and only if a select returns it, and can be used any number of
 * times.
 */
export type Arm<T> = CoreArm<T> | HostArm<T>;

/** Gives what a wait gives: returns its value, or throws its error. */
export type Outcome<T> = () => T;

/** An alternative that the core waits for; see enum sf_arm_source. */
export interface CoreArm<T> {
  readonly source: number;
  /** Address of the channel, event, ... @defaultValue 0 */
  readonly object?: number;
  /** Room for what it carries, in bytes. @defaultValue 0 */
  readonly itemBytes?: number;
  /** What the source calls its count: permits of a semaphore. @defaultValue 0 */
  readonly count?: number;
  /** @defaultValue 0 */
  readonly value?: bigint;
  /** Writes what it sends. */
  put?(item: number): void;
  /** Its value. `result` is what the source's own call would have returned. */
  take(result: number, item: number): T;
}

/** Given instead of a value by an outcome for which another thread was faster: the wait goes on. */
export const LOST: unique symbol = Symbol("lost");

/** As an outcome, but it may be too late. Called once nothing else of the wait can win. */
export type HostOutcome<T> = () => T | typeof LOST;

/** An alternative that only the host has. `Given`: what it becomes ready with; `Outcome`: never too late. */
export interface HostArm<T, Given extends HostOutcome<T> = HostOutcome<T>> {
  /** Its outcome, if it is ready. */
  poll(): Given | undefined;
  /**
   * Calls `ready` once it is, which returns whether the arm won; again when an outcome was LOST.
   *
   * @returns how to stop watching. Idempotent.
   */
  watch(ready: (outcome: Given) => boolean): () => void;
}

export function isHostArm<T>(arm: Arm<T>): arm is HostArm<T> {
  return "poll" in arm;
}

/**
 * An arm that is ready when the time is up; its value is undefined. The time counts from the select on;
 * it may take longer, never less.
 *
 * @param ms - milliseconds from 0 on; 0 is ready at once, Infinity never.
 * @throws {RangeError} a negative number or NaN.
 */
export function timeout(ms: number): Arm<undefined> {
  if (!(ms >= 0)) throw new RangeError(`timeout: ms must be a number from 0 on, not ${ms}`);
  return { source: ARM_SOURCE.TIMEOUT, value: timeoutOf(ms), take: () => undefined };
}

/** The same where there is no core to wait for it. */
export function timerArm({ value = NEVER }: CoreArm<unknown>): HostArm<undefined> {
  const done = (): undefined => undefined;
  const ns = value === NEVER ? Number.POSITIVE_INFINITY : Number(value & ~DURATION);
  return {
    poll: () => (ns === 0 ? done : undefined),
    watch: (ready) => {
      const endNs = SYSTEM.monotonicNs() + ns;
      let timer: ReturnType<typeof setTimeout> | undefined;
      // Timers of the host end early now and then, and at once when they are long.
      const look = (): void => {
        const leftMs = Math.ceil((endNs - SYSTEM.monotonicNs()) / 1e6);
        if (leftMs <= 0) ready(done);
        else timer = setTimeout(look, Math.min(leftMs, TIMER_MS_MAX));
      };
      if (ns !== Number.POSITIVE_INFINITY) look();
      return () => clearTimeout(timer);
    },
  };
}

/** A timeout as it has to be when its wait begins anew: it ends when it would have. Zero is still ready at once. */
export function anchored(arm: CoreArm<unknown>, startNs: number): CoreArm<unknown> {
  const { source, value = NEVER } = arm;
  if (source !== ARM_SOURCE.TIMEOUT || value === NEVER || value === DURATION) return arm;
  return { ...arm, value: (value & ~DURATION) + BigInt(Math.ceil(startNs)) };
}

const TIMER_MS_MAX = 2 ** 31 - 1;

/** Of an sf_timeout_t: it is a duration. */
const DURATION = 1n << 63n;

/** SF_NEVER. */
const NEVER = (1n << 64n) - 1n;

function timeoutOf(ms: number): bigint {
  const ns = Math.ceil(ms * 1e6);
  return ns < 2 ** 62 ? DURATION | BigInt(ns) : NEVER;
}

/**
 * Never ready at the call, not even when it has settled: JavaScript does not tell. A rejection counts
 * as handled whoever wins, as with `Promise.race`.
 */
export function promiseArm<T>(given: PromiseLike<T>): HostArm<T> {
  const promise = Promise.resolve(given);
  promise.catch(() => {});
  return {
    poll: () => undefined,
    watch: (ready) => {
      // A promise keeps its reactions until it settles: they must not keep the select.
      let watcher: typeof ready | undefined = ready;
      const settled = (outcome: Outcome<T>): void => void watcher?.(outcome);
      promise.then(
        (value) => settled(() => value),
        (error: unknown) =>
          settled(() => {
            throw error;
          }),
      );
      return () => {
        watcher = undefined;
      };
    },
  };
}

/** Ready when the signal is aborted; `outcome` makes of its reason what the arm gives. */
export function abortArm<T>(signal: AbortSignal, outcome: (reason: unknown) => T): HostArm<T> {
  return {
    poll: () => (signal.aborted ? () => outcome(signal.reason) : undefined),
    watch: (ready) => {
      const onAbort = (): void => void ready(() => outcome(signal.reason));
      signal.addEventListener("abort", onAbort, { once: true });
      return () => signal.removeEventListener("abort", onAbort);
    },
  };
}

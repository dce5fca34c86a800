//! Who decides when loops run and how time passes, in place of the host's clock and event loop: a
//! simulated world, whose time moves only when nobody in it can go on.

import type { StackfulError } from "../errors.ts";

/** The loop of one runtime, as its driver sees it. */
export interface DrivenLoop {
  /**
   * One run of the guest, of at most `budget` switches, and one turn of its backend. Never throws.
   *
   * @returns whether there is more to do before time passes.
   */
  step(budget: number): boolean;
  /** What it ran on is gone: its runtime breaks with `error`, and the driver is told to remove it. */
  fail(error: StackfulError): void;
  /** When its earliest timer is due, on the environment's monotonic clock. Infinity: none is armed. */
  readonly deadlineNs: number;
  /** How often it has called or woken JavaScript, which may have started anything: see there. */
  readonly hostCalls: number;
}

/** Steps its loops one at a time, in an order of its own, and lets time pass when all are done. */
export interface Driver {
  /** `loop` takes part from now on. It is not whole yet: nothing of it is looked at before a `wake`. */
  add(loop: DrivenLoop): void;
  /** `loop` is never stepped again. */
  remove(loop: DrivenLoop): void;
  /** `loop` has something to do: JavaScript made a task ready, or its backend has completions. */
  wake(loop: DrivenLoop): void;
  /** Resolves when so many nanoseconds have passed in the driver's time. */
  sleep(ns: number): Promise<void>;
}

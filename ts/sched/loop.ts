//! What every loop does: runs the guest once, and hands its operations to the backend.

import { SHARED } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";

export interface LoopOptions {
  /** Longest stretch of a turn, in milliseconds, before the host's event loop goes on. */
  readonly turnMs: number;
  /** After every run: tasks have ended, waiters were served. */
  drain(): void;
  /** How often the guest has called or woken JavaScript: that may have started anything. */
  hostCalls(): number;
  /** An exception left the guest while `task` ran; 0: its core. Returns false to end the loop. */
  failed(task: number, error: unknown): boolean;
  /** The backend broke in a turn that nobody waits for; the loop has ended. */
  broken(error: unknown): void;
}

export interface TurnStats {
  turns: number;
  /** Calls into the guest: several to a turn that has much to do. */
  runs: number;
  /** Longest turn, in milliseconds. */
  longestTurnMs: number;
}

export abstract class Loop {
  readonly stats: TurnStats = { turns: 0, runs: 0, longestTurnMs: 0 };
  protected readonly guest: Guest;
  protected readonly backend: Backend;
  protected readonly options: LoopOptions;
  protected stopped = false;
  /** Since the last run. */
  protected asked = false;
  #boundGeneration = 0;

  constructor(guest: Guest, backend: Backend, options: LoopOptions) {
    this.guest = guest;
    this.backend = backend;
    this.options = options;
  }

  /** Asks for a turn: a task became ready outside of one. */
  abstract schedule(): void;

  /** Whether there is nothing to run now. */
  abstract get idle(): boolean;

  /**
   * Has turns run until `done`; the thread may wait in the kernel meanwhile. `onRest`: when it begins to wait for
   * nothing but JavaScript: no operation is under way, and no timer.
   */
  abstract runOwned(done: () => boolean, onRest?: () => void): Promise<void>;

  /** Resolves when `ms` have passed on the guest's clock. */
  abstract sleep(ms: number): Promise<void>;

  /** No turn starts any more. */
  stop(): void {
    this.stopped = true;
  }

  /** Has the backend know the memory as it is now. */
  bind(): void {
    const { generation } = this.guest;
    if (this.#boundGeneration === generation) return;
    this.backend.bind(this.guest.memory, this.guest.shared);
    this.#boundGeneration = generation;
  }

  /** Runs the guest once; returns whether tasks are left that can go on. */
  protected runGuest(budget: number, nowNs: number): boolean {
    const { guest } = this;
    this.stats.runs++;
    guest.setNow(nowNs);
    let ready: boolean;
    try {
      ready = guest.core.stackful_run(budget) !== 0;
    } catch (error) {
      ready = true;
      if (!this.options.failed(guest.current, error)) this.stopped = true;
    }
    this.asked = false;
    this.options.drain();
    return ready;
  }

  /** Whether something is to be run before time passes. */
  protected hasMore(ready: boolean): boolean {
    return ready || this.asked || this.guest.sharedU32(SHARED.sleepers) > 0;
  }

  /** One backend call: hands over what the guest submitted, waits, takes what has finished. */
  protected flush(waitNs: number): number {
    if (waitNs === 0 && !this.hasIo()) return 0;
    this.bind();
    return this.backend.turn(waitNs);
  }

  protected hasIo(): boolean {
    const { guest } = this;
    const submitted =
      guest.sharedU32(SHARED.submissionsTail) !== guest.sharedU32(SHARED.submissionsHead);
    return submitted || this.backend.pending > 0;
  }

  protected hasTimer(): boolean {
    const { guest } = this;
    const low = guest.sharedU32(SHARED.deadlineNs);
    return (low & guest.sharedU32(SHARED.deadlineNs + 4)) >>> 0 !== 0xffff_ffff;
  }
}

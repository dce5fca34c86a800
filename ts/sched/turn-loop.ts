//! When the guest runs, for how long, and when the thread waits.
//!
//!   turn:  now → core.run(budget) → drain → backend.turn → repeat while there is work
//!   idle:  nothing ready: wait for a completion, the next timer, or the host
//!
//! Embedded, a turn ends after `turnMs` and asks the host's event loop for the next one; idle costs
//! nothing, the backend's doorbell and one timer start the next turn. Owned, the loop waits in the
//! kernel and lets the host's event loop run when that has something to do.
//!
//! The core counts switches, not time, so the budget of one run follows from how long the last took.

import { SHARED } from "../abi.gen.ts";
import type { Backend } from "../host/backend.ts";
import { monotonicNs } from "../runtime/clock.ts";
import type { Guest } from "../runtime/guest.ts";
import { nextMacrotask } from "./macrotask.ts";

export interface TurnLoopOptions {
  /** Longest stretch of a turn, in milliseconds, before the host's event loop goes on. */
  readonly turnMs: number;
  /** After every run: tasks have ended, waiters were served. */
  drain(): void;
  /** An exception left the guest while `task` ran. Returns false to end the loop. */
  failed(task: number, error: unknown): boolean;
}

export interface TurnStats {
  turns: number;
  /** Longest turn, in milliseconds. */
  longestTurnMs: number;
}

/** One run aims at this share of a turn, so that a turn ends near its time. */
const RUNS_PER_TURN = 4;
const BUDGET_MIN = 16;
const BUDGET_MAX = 1 << 20;

/** Longest wait in the kernel: what cannot be interrupted must end by itself. */
const WAIT_NS_MAX = 1e9;

export class TurnLoop {
  readonly stats: TurnStats = { turns: 0, longestTurnMs: 0 };
  readonly #guest: Guest;
  readonly #backend: Backend;
  readonly #options: TurnLoopOptions;
  #budget = 1024;
  #boundBuffer: ArrayBufferLike | undefined;
  #scheduled = false;
  #running = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeOwner: (() => void) | undefined;

  constructor(guest: Guest, backend: Backend, options: TurnLoopOptions) {
    this.#guest = guest;
    this.#backend = backend;
    this.#options = options;
    backend.onReady = () => this.#turnOrWake();
  }

  /** Asks for a turn: a task became ready outside of one. */
  schedule(): void {
    if (this.#scheduled || this.#running || this.#stopped) return;
    this.#scheduled = true;
    nextMacrotask(() => {
      this.#scheduled = false;
      this.#turnOrWake();
    });
  }

  /** No turn starts any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#wakeOwner?.();
  }

  /** Runs turns until `done`, waiting in the kernel where the backend can. */
  async runOwned(done: () => boolean): Promise<void> {
    let hostTurnAt = performance.now();
    while (!done() && !this.#stopped) {
      const busy = this.#turn();
      if (done() || this.#stopped) return;
      if (busy) {
        if (performance.now() - hostTurnAt < 8 * this.#options.turnMs) continue;
      } else if (this.#backend.canWait && (this.#backend.pending > 0 || this.#hasTimer())) {
        this.#backend.turn(Math.min(this.#untilTimerNs(), WAIT_NS_MAX));
        if (!this.#backend.hostLoopReady) continue;
      } else {
        await this.#waitEmbedded();
      }
      await new Promise<void>((resolve) => nextMacrotask(resolve));
      hostTurnAt = performance.now();
    }
  }

  #turnOrWake(): void {
    if (this.#wakeOwner !== undefined) this.#wakeOwner();
    else if (!this.#stopped && !this.#running) this.#embeddedTurn();
  }

  #embeddedTurn(): void {
    clearTimeout(this.#timer);
    if (this.#turn()) {
      this.schedule();
      return;
    }
    if (this.#hasTimer()) {
      const delayMs = Math.min(Math.ceil(this.#untilTimerNs() / 1e6), 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#turnOrWake(), delayMs);
    }
  }

  /** Until the backend, a timer or `schedule` has something. */
  #waitEmbedded(): Promise<void> {
    return new Promise((resolve) => {
      const delayMs = Math.min(Math.ceil(this.#untilTimerNs() / 1e6), 2 ** 31 - 1);
      if (this.#hasTimer()) this.#timer = setTimeout(() => this.#wakeOwner?.(), delayMs);
      this.#wakeOwner = () => {
        this.#wakeOwner = undefined;
        clearTimeout(this.#timer);
        resolve();
      };
    });
  }

  /** Returns whether there is more to do at once. */
  #turn(): boolean {
    const startMs = performance.now();
    const endMs = startMs + this.#options.turnMs;
    this.#running = true;
    this.stats.turns++;
    let nowMs = startMs;
    let busy: boolean;
    do {
      const ready = this.#run(nowMs);
      if (this.#stopped) break;
      const delivered = this.#flush();
      busy = ready > 0 || delivered > 0 || this.#guest.sharedU32(SHARED.sleepers) > 0;
      nowMs = performance.now();
    } while (busy && nowMs < endMs);
    this.#running = false;
    this.stats.longestTurnMs = Math.max(this.stats.longestTurnMs, nowMs - startMs);
    return !this.#stopped && busy!;
  }

  #run(startMs: number): number {
    const guest = this.#guest;
    guest.setNow(monotonicNs());
    const before = guest.sharedU64(SHARED.switches);
    let ready: number;
    try {
      ready = guest.core.stackful_run(this.#budget);
    } catch (error) {
      const task = guest.current;
      ready = 1;
      if (!this.#options.failed(task, error)) this.#stopped = true;
    }
    this.#options.drain();
    this.#adaptBudget(guest.sharedU64(SHARED.switches) - before, performance.now() - startMs);
    return ready;
  }

  #adaptBudget(switches: number, tookMs: number): void {
    const aimMs = this.#options.turnMs / RUNS_PER_TURN;
    if (tookMs > 2 * aimMs) this.#budget = Math.max(BUDGET_MIN, this.#budget >> 1);
    else if (switches >= this.#budget && tookMs < aimMs) {
      this.#budget = Math.min(BUDGET_MAX, this.#budget << 1);
    }
  }

  /** One backend call: hands over what the guest submitted, takes what has finished. */
  #flush(): number {
    const guest = this.#guest;
    const submitted =
      guest.sharedU32(SHARED.submissionsTail) !== guest.sharedU32(SHARED.submissionsHead);
    if (!submitted && this.#backend.pending === 0) return 0;
    if (this.#boundBuffer !== guest.memory.buffer) {
      this.#backend.bind(guest.memory, guest.shared);
      this.#boundBuffer = guest.memory.buffer;
    }
    return this.#backend.turn(0);
  }

  #hasTimer(): boolean {
    return this.#guest.sharedU32(SHARED.deadlineNs + 4) !== 0xffff_ffff;
  }

  #untilTimerNs(): number {
    if (!this.#hasTimer()) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#guest.sharedU64(SHARED.deadlineNs) - monotonicNs());
  }
}


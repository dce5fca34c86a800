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
import { toNs } from "../guest/environment.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";
import { nextMacrotask } from "../host/macrotask.ts";
import { Loop, type LoopOptions } from "./loop.ts";

/** One run aims at this share of a turn, so that a turn ends near its time. */
const RUNS_PER_TURN = 4;
const BUDGET_MIN = 16;
const BUDGET_MAX = 1 << 20;

/** A busy owned loop lets the host's event loop run after this many times `turnMs`. */
const HOST_TURN_EVERY = 8;

/** Longest wait in the kernel: what cannot be interrupted must end by itself. */
const WAIT_NS_MAX = 1e9;

/** What comes after turns of an owned loop. */
type OwnedNext = "end" | "wait" | "host";

export class TurnLoop extends Loop {
  #budget = 1024;
  #scheduled = false;
  #running = false;
  /** When the last run ended. */
  #ranUntilMs = 0;
  #owned = false;
  /** Owned: the last run left something to do. */
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeOwner: (() => void) | undefined;
  /** Of whoever will go on by itself. */
  #sleeps = 0;

  constructor(guest: Guest, backend: Backend, options: LoopOptions) {
    super(guest, backend, options);
    backend.onReady = () => this.#turnOrWake();
  }

  override schedule(): void {
    this.asked = true;
    if (this.#scheduled || this.#running || this.stopped) return;
    this.#scheduled = true;
    nextMacrotask(() => {
      this.#scheduled = false;
      this.#turnOrWake();
    });
  }

  override get idle(): boolean {
    return !this.#scheduled && !this.#running && !this.#busy;
  }

  override async sleep(ms: number): Promise<void> {
    this.#sleeps++;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#sleeps--;
  }

  override stop(): void {
    super.stop();
    clearTimeout(this.#timer);
    this.#wakeOwner?.();
  }

  /** Runs turns until `done`, waiting in the kernel where the backend can. */
  override async runOwned(done: () => boolean, onRest?: () => void): Promise<void> {
    try {
      await this.#runOwned(done, onRest);
    } finally {
      this.#owned = false;
      this.#busy = false;
    }
  }

  async #runOwned(done: () => boolean, onRest: (() => void) | undefined): Promise<void> {
    const { hostCalls } = this.options;
    this.#owned = true;
    let hostTurnMs = performance.now();
    let hostCallsSeen = -1;
    for (;;) {
      const next = this.#ownedTurns(done, hostTurnMs, hostCallsSeen);
      if (next === "end") return;
      if (next === "wait") {
        if (this.#sleeps === 0 && !this.hasIo() && !this.hasTimer()) onRest?.();
        await this.#waitEmbedded();
      } else {
        hostCallsSeen = hostCalls();
        await this.backend.turnHostLoop();
        hostTurnMs = performance.now();
      }
    }
  }

  /**
   * Turns until it is the host's. Not async: engines start such a function again in slow code whenever it goes on after
   * an `await`.
   */
  #ownedTurns(done: () => boolean, hostTurnMs: number, hostCallsSeen: number): OwnedNext {
    const backend = this.backend;
    const { hostCalls, turnMs } = this.options;
    while (!done() && !this.stopped) {
      this.stats.turns++;
      const startMs = performance.now();
      const idle = !this.#run(startMs);
      this.#busy = !idle;
      const nowMs = this.#ranUntilMs;
      this.#measure(startMs, nowMs);
      if (done() || this.stopped) break;

      // What JavaScript has started is not known to the kernel before the host's loop has turned.
      const hostDue = idle && hostCallsSeen !== hostCalls();
      const canWait = backend.canWait && !hostDue && (this.hasIo() || this.hasTimer());
      const waitNs = idle && canWait ? Math.min(this.#untilTimerNs(nowMs), WAIT_NS_MAX) : 0;
      const delivered = this.flush(waitNs);
      if (idle && !canWait && !hostDue && delivered === 0) return "wait";
      if (
        hostDue ||
        (waitNs > 0 && backend.hostLoopReady) ||
        nowMs - hostTurnMs > HOST_TURN_EVERY * turnMs
      ) {
        return "host";
      }
    }
    return "end";
  }

  #turnOrWake(): void {
    if (this.#owned) this.#wakeOwner?.();
    else if (!this.stopped && !this.#running) this.#embeddedTurn();
  }

  #embeddedTurn(): void {
    clearTimeout(this.#timer);
    try {
      if (this.#turn()) {
        this.schedule();
        return;
      }
    } catch (error) {
      this.#running = false;
      this.stopped = true;
      this.options.broken(error);
      return;
    }
    if (this.hasTimer()) {
      const delayMs = Math.min(Math.ceil(this.#untilTimerNs(performance.now()) / 1e6), 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#turnOrWake(), delayMs);
    }
  }

  /** Until the backend, a timer or `schedule` has something. */
  #waitEmbedded(): Promise<void> {
    return new Promise((resolve) => {
      const delayMs = Math.min(Math.ceil(this.#untilTimerNs(performance.now()) / 1e6), 2 ** 31 - 1);
      if (this.hasTimer()) this.#timer = setTimeout(() => this.#wakeOwner?.(), delayMs);
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
    const endMs = startMs + this.options.turnMs;
    this.#running = true;
    this.stats.turns++;
    let nowMs = startMs;
    let busy: boolean;
    do {
      busy = this.#run(nowMs);
      if (this.stopped) break;
      if (this.flush(0) > 0) busy = true;
      nowMs = performance.now();
    } while (busy && nowMs < endMs);
    this.#running = false;
    this.#measure(startMs, nowMs);
    return !this.stopped && busy;
  }

  #measure(startMs: number, endMs: number): void {
    this.stats.longestTurnMs = Math.max(this.stats.longestTurnMs, endMs - startMs);
  }

  /** Runs the guest once; returns whether it has more to do at once. */
  #run(nowMs: number): boolean {
    const ready = this.runGuest(this.#budget, toNs(nowMs));
    this.#ranUntilMs = performance.now();
    this.#adaptBudget(ready, this.#ranUntilMs - nowMs);
    return this.hasMore(ready);
  }

  /** `ready`: tasks were left, so the budget was used up, or the ring was full. */
  #adaptBudget(ready: boolean, tookMs: number): void {
    const aimMs = this.options.turnMs / RUNS_PER_TURN;
    if (tookMs > 2 * aimMs) this.#budget = Math.max(BUDGET_MIN, this.#budget >> 1);
    else if (ready && tookMs < aimMs) this.#budget = Math.min(BUDGET_MAX, this.#budget << 1);
  }

  #untilTimerNs(nowMs: number): number {
    if (!this.hasTimer()) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.guest.sharedU64(SHARED.deadlineNs) - toNs(nowMs));
  }
}

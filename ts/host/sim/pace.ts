//! When a world steps in real time: in macrotasks of its own, or in the frames of its embedder; as
//! fast as it can, at a speed, or not at all.

import { nextMacrotask } from "../macrotask.ts";
import type { Progress, Scheduler } from "./scheduler.ts";

/** Longest that a world holds the host's event loop, in milliseconds. */
const SLICE_MS = 8;

/** Longest that setTimeout takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Pace {
  readonly #scheduler: Scheduler;
  readonly #manual: boolean;
  #speed: number;
  /** At a speed: when in real time virtual time was what. */
  #anchorMs = 0;
  #anchorNs = 0;
  #scheduled = false;
  #running = false;
  #stopped = false;
  /** Until when, in real time, a frame goes on in macrotasks. */
  #frameEndMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #quiet: (() => void)[] = [];

  /** @param manual - Runs only in frames. */
  constructor(scheduler: Scheduler, speed: number, manual: boolean) {
    this.#scheduler = scheduler;
    this.#manual = manual;
    this.#speed = checkSpeed(speed);
    this.#anchor();
    scheduler.onWork = () => this.#onWork();
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#speed = checkSpeed(speed);
    this.#anchor();
    this.#onWork();
  }

  /** One step, although the world may be paused. */
  step(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      // Whoever calls this comes from the host's event loop.
      this.#scheduler.javascriptRan();
      this.#scheduler.step(Number.POSITIVE_INFINITY);
    } finally {
      this.#running = false;
      this.#anchor();
    }
  }

  /** Runs for at most `budgetMs`; returns whether more is due. */
  frame(budgetMs: number): boolean {
    if (this.#running || this.#stopped || this.#speed === 0) return false;
    this.#frameEndMs = performance.now() + budgetMs;
    return this.#run(this.#frameEndMs);
  }

  /** Resolves when nothing will happen any more by itself. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#quiet.push(resolve);
      // What was called before this in the same turn of the host's loop counts.
      this.#scheduler.javascript();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#tellQuiet();
  }

  #onWork(): void {
    if (this.#scheduled || this.#running || this.#stopped || this.#manual || this.#speed === 0) {
      return;
    }
    clearTimeout(this.#timer);
    this.#inMacrotask(() => this.#runOn());
  }

  /** A slice, or what is left of a frame. */
  #runOn(): void {
    if (!this.#manual) this.#run(performance.now() + SLICE_MS);
    else if (performance.now() < this.#frameEndMs) this.#run(this.#frameEndMs);
  }

  #inMacrotask(what: () => void): void {
    this.#scheduled = true;
    nextMacrotask(() => {
      this.#scheduled = false;
      this.#scheduler.javascriptRan();
      if (!this.#stopped && this.#speed > 0) what();
    });
  }

  /** Returns whether more is due. */
  #run(endMs: number): boolean {
    const scheduler = this.#scheduler;
    const untilNs = this.#untilNs();
    let progress: Progress = "stepped";
    this.#running = true;
    try {
      do progress = scheduler.step(untilNs);
      while (progress === "stepped" && performance.now() < endMs);
    } finally {
      this.#running = false;
      // Also when the embedder was called, and has thrown.
      if (progress === "stepped" && !this.#manual) this.#inMacrotask(() => this.#runOn());
    }
    switch (progress) {
      case "stepped":
        // Behind: at a speed, what was missed is not made up for.
        this.#anchor();
        return true;
      case "javascript":
        this.#inMacrotask(() => this.#runOn());
        return true;
      case "held":
        return true;
      case "later":
        // Nobody is there to see in between.
        scheduler.nowNs = Math.max(scheduler.nowNs, Math.floor(untilNs));
        if (!this.#manual) this.#sleep();
        return false;
      case "nothing":
        this.#anchor();
        if (scheduler.quiescent) this.#tellQuiet();
        return false;
    }
  }

  #sleep(): void {
    const dueNs = this.#scheduler.nextNs - this.#scheduler.nowNs;
    const delayMs = Math.min(Math.ceil(dueNs / 1e6 / this.#speed), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.#onWork(), delayMs);
  }

  /** The virtual time that it should be by now. */
  #untilNs(): number {
    if (this.#speed === Number.POSITIVE_INFINITY) return this.#speed;
    return this.#anchorNs + (performance.now() - this.#anchorMs) * 1e6 * this.#speed;
  }

  #anchor(): void {
    this.#anchorMs = performance.now();
    this.#anchorNs = this.#scheduler.nowNs;
  }

  #tellQuiet(): void {
    const waiting = this.#quiet;
    this.#quiet = [];
    for (const resolve of waiting) resolve();
  }
}

function checkSpeed(speed: number): number {
  if (speed >= 0) return speed;
  throw new RangeError(`speed must be 0 or more virtual seconds per second, not ${speed}`);
}

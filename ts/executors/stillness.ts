//! When nothing can wake a task of a pool any more.
//!
//!   awake ── all executors rest, for a while ──▶ dozing: threads do not keep the process ── beforeExit ──▶ report
//!     ▲──────────── the pool's thread says anything to one ────────┘
//!
//! That all of them rest is no deadlock yet: the embedder's own timers, sockets and promises may send, spawn or
//! cancel. As for a single runtime, Node tells when there is nothing left that would (runtime/deadlock.ts).

import { IdleWatch } from "../runtime/deadlock.ts";
import type { Quiescence } from "./quiescence.ts";

/** How long all have to rest, in milliseconds: letting go of the process has a price. */
const REST_MS = 20;

export interface StillnessEvents {
  /** Whether the threads keep the process. */
  keep(process: boolean): void;
  /**
   * Nothing will happen any more, but for a signal. What this says to executors it says before it first waits.
   * It is not called again before `rouse` was.
   *
   * @param isRoused - whether that was called meanwhile: then there is nothing to report.
   */
  report(isRoused: () => boolean): Promise<void>;
}

export class Stillness {
  readonly #quiescence: Quiescence;
  readonly #events: StillnessEvents;
  readonly #idle = new IdleWatch(() => this.#onIdle());
  #state: "awake" | "dozing" | "reporting" | "reported" | "ended" = "awake";
  #roused = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(quiescence: Quiescence, events: StillnessEvents) {
    this.#quiescence = quiescence;
    this.#events = events;
    quiescence.ask();
  }

  /** An executor says that all rest. */
  told(): void {
    if (this.#state !== "awake") return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, REST_MS);
  }

  /** The pool's thread is about to say something to an executor. */
  rouse(): void {
    this.#roused = true;
    if (this.#state === "dozing" || this.#state === "reported") this.#wake();
  }

  /** The pool is ending. */
  end(): void {
    if (this.#state === "dozing") this.#wake();
    this.#state = "ended";
    clearTimeout(this.#timer);
  }

  get #isStuck(): boolean {
    return this.#quiescence.isStill && this.#quiescence.tasks > 0;
  }

  #look(): void {
    if (this.#isStuck) {
      this.#state = "dozing";
      this.#events.keep(false);
      this.#idle.start();
      return;
    }
    this.#quiescence.ask();
    if (this.#isStuck) this.told();
  }

  #wake(): void {
    this.#state = "awake";
    this.#idle.stop();
    this.#events.keep(true);
    this.#quiescence.ask();
  }

  #onIdle(): void {
    if (!this.#isStuck) {
      this.#wake();
      return;
    }
    this.#state = "reporting";
    this.#idle.stop();
    this.#events.keep(true);
    const reported = this.#events.report(() => this.#roused);
    this.#roused = false;
    void reported.finally(() => {
      if (this.#state !== "reporting") return;
      if (this.#roused) this.#wake();
      else this.#state = "reported";
    });
  }
}

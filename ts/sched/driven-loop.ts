//! The loop of a runtime whose time is not the host's: its driver says when it runs, and for how many
//! switches. Nothing here looks at a clock, so that what happens depends on the driver alone.

import { SHARED } from "../abi.gen.ts";
import type { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";
import type { DrivenLoop as Driven, Driver } from "../host/driver.ts";
import { Loop, type LoopOptions } from "./loop.ts";

export class DrivenLoop extends Loop implements Driven {
  readonly #driver: Driver;
  #more = false;
  #wakeOwner: (() => void) | undefined;

  constructor(guest: Guest, backend: Backend, driver: Driver, options: LoopOptions) {
    super(guest, backend, options);
    this.#driver = driver;
    driver.add(this);
    backend.onReady = () => driver.wake(this);
  }

  get deadlineNs(): number {
    return this.hasTimer() ? this.guest.sharedU64(SHARED.deadlineNs) : Number.POSITIVE_INFINITY;
  }

  get hostCalls(): number {
    return this.options.hostCalls();
  }

  step(budget: number): boolean {
    if (this.stopped) return false;
    this.stats.turns++;
    try {
      const ready = this.runGuest(budget, this.backend.environment.monotonicNs());
      const delivered = this.stopped ? 0 : this.flush(0);
      this.#more = !this.stopped && (delivered > 0 || this.hasMore(ready));
    } catch (error) {
      this.stop();
      this.options.broken(error);
    }
    this.#wakeOwner?.();
    return this.#more;
  }

  fail(error: StackfulError): void {
    if (this.stopped) return;
    this.stop();
    this.options.broken(error);
  }

  override schedule(): void {
    this.asked = true;
    if (!this.stopped) this.#driver.wake(this);
  }

  override get idle(): boolean {
    return !this.#more && !this.asked;
  }

  /** The driver owns the thread: this only waits for it. */
  override async runOwned(done: () => boolean): Promise<void> {
    while (!done() && !this.stopped) {
      await new Promise<void>((resolve) => {
        this.#wakeOwner = resolve;
      });
    }
    this.#wakeOwner = undefined;
  }

  override sleep(ms: number): Promise<void> {
    return this.#driver.sleep(ms * 1e6);
  }

  override stop(): void {
    if (this.stopped) return;
    super.stop();
    this.#more = false;
    this.#driver.remove(this);
    this.#wakeOwner?.();
  }
}

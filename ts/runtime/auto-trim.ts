//! When to give free regions back without being asked: after a burst, once nothing needs them.

import { SHARED } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";

/** Less is not worth a search: it is what a few thousand tasks need again at once. */
const FREE_BYTES_MIN = 16 * 1024 * 1024;

/** Bursts often come in series. Memory that was idle for so long is not between two of them. */
const QUIET_MS = 1_000;

export interface AutoTrimOptions {
  /** Whether nothing is to run now. */
  idle(): boolean;
  trim(): void;
}

export class AutoTrim {
  readonly #guest: Guest;
  readonly #options: AutoTrimOptions;
  /** What was free when last looked. */
  #freeBytes = 0;
  /** What the last trim left: it lies between tasks, and another one would find nothing new. */
  #leftBytes = 0;
  /** The least that was free since the timer was set: what nobody needed meanwhile. */
  #lowestBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(guest: Guest, options: AutoTrimOptions) {
    this.#guest = guest;
    this.#options = options;
  }

  /** Call after every run. Costs next to nothing. */
  look(): void {
    const freeBytes = this.#guest.sharedU32(SHARED.regionsFreeBytes);
    if (freeBytes === this.#freeBytes) return;
    this.#freeBytes = freeBytes;
    this.#leftBytes = Math.min(this.#leftBytes, freeBytes);
    this.#lowestBytes = Math.min(this.#lowestBytes, freeBytes);
    if (this.#timer === undefined && this.#worthIt(freeBytes)) this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #worthIt(freeBytes: number): boolean {
    const inUseBytes = this.#guest.sharedU32(SHARED.regionsBytes) - this.#freeBytes;
    return freeBytes - this.#leftBytes > FREE_BYTES_MIN && freeBytes > inUseBytes;
  }

  #wait(): void {
    this.#lowestBytes = this.#freeBytes;
    this.#timer = setTimeout(() => this.#waited(), QUIET_MS);
    // A browser's timer is a number, and holds nothing.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #waited(): void {
    this.look();
    if (this.#worthIt(this.#lowestBytes) && this.#options.idle()) {
      this.#timer = undefined;
      this.#options.trim();
      this.#freeBytes = this.#leftBytes = this.#guest.sharedU32(SHARED.regionsFreeBytes);
    } else if (this.#worthIt(this.#freeBytes)) {
      this.#wait();
    } else {
      this.#timer = undefined;
    }
  }
}

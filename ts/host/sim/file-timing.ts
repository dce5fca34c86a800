//! How long operations on a host's files take, and which of them go wrong.

import type { FileOptions } from "./options.ts";
import type { Random } from "./random.ts";

export class FileTiming {
  /** As they are now. */
  readonly options: () => FileOptions;
  readonly #delays: Random;
  readonly #faults: Random;

  constructor(random: Random, options: () => FileOptions) {
    this.options = options;
    this.#delays = random.fork("file-delays");
    this.#faults = random.fork("file-faults");
  }

  /** What an operation takes, in nanoseconds. */
  delayNs(sync: boolean): number {
    const { latencyMs, jitterMs, syncMs } = this.options();
    const jitter = jitterMs === 0 ? 0 : jitterMs * this.#delays.next();
    return Math.round((latencyMs + jitter + (sync ? syncMs : 0)) * 1e6);
  }

  /** Whether an operation fails with EIO. */
  fails(): boolean {
    return this.#faults.chance(this.options().ioErrors);
  }

  /** How many of `count` bytes move. */
  perhapsLess(count: number, probability: number): number {
    if (count < 2 || !this.#faults.chance(probability)) return count;
    return 1 + this.#faults.integer(count - 1);
  }
}

//! Tasks that a guest starts on another executor, or on whichever has the fewest. The module is the same
//! everywhere, so an entry is the same place in the function table; its argument goes as bytes.

import { ERRNO } from "../abi.gen.ts";
import type { Arena } from "./arena.ts";

/** In place of an executor: enum sf_placement in executor.h. */
const PLACE = { auto: -1, local: -2 } as const;

/** Longest argument, in bytes: it lies on the task's stack. */
const ARGUMENT_BYTES_MAX = 1024;

/** Starts a task; returns 0, or a negated errno. */
export type Spawn = (entry: number, argument: Uint8Array) => number;

export class GuestSpawns {
  /** On this executor. */
  here: Spawn = () => -ERRNO.ESRCH;
  /** On another one, which may fail to. */
  there: (executor: number, entry: number, argument: Uint8Array) => void = () => {};
  readonly #arena: Arena;
  readonly #executors: number;
  /** Where the search for a place starts. */
  #next: number;

  /** @param executors - how many there are. */
  constructor(arena: Arena, executors: number) {
    this.#arena = arena;
    this.#executors = executors;
    this.#next = arena.party + 1;
  }

  /** @param memory - the guest's, where the argument is. */
  spawn(place: number, entry: number, memory: Uint8Array, at: number, bytes: number): number {
    if (bytes > ARGUMENT_BYTES_MAX) return -ERRNO.EINVAL;
    if (at + bytes > memory.length) return -ERRNO.EFAULT;
    const executor = this.#executorOf(place);
    if (executor === undefined) return -ERRNO.EINVAL;
    if (!this.#arena.runs(executor)) return -ERRNO.ESRCH;
    const argument = memory.slice(at, at + bytes);
    if (executor === this.#arena.party) return this.here(entry, argument);
    // Counts from now on, until it counts itself: many in a row must not all go to one.
    this.#arena.addLoad(executor, 1);
    this.there(executor, entry, argument);
    return 0;
  }

  #executorOf(place: number): number | undefined {
    if (place === PLACE.local) return this.#arena.party;
    if (place === PLACE.auto) return this.#leastLoaded();
    return place >= 0 && place < this.#executors ? place : undefined;
  }

  /** Of several the first at or behind the place of the last. */
  #leastLoaded(): number {
    let found = this.#arena.party;
    let least = Number.POSITIVE_INFINITY;
    for (let step = 0; step < this.#executors; step++) {
      const executor = (this.#next + step) % this.#executors;
      if (!this.#arena.runs(executor) || this.#arena.load(executor) >= least) continue;
      found = executor;
      least = this.#arena.load(executor);
    }
    this.#next = (found + 1) % this.#executors;
    return found;
  }
}

//! Handles: an index into a table and the generation of its slot, so that a handle kept past its
//! CLOSE names nothing, although the slot is used again.
//!
//!   bit  31   30        20 19              0
//!      [ 0 ][ generation ][      index      ]
//!
//! Generations go from 1 to 2047 and round again: a stale handle is mistaken for a live one only if
//! its slot was reused exactly a multiple of 2047 times. No handle is small, so a guest that passes
//! a file descriptor, or a zero it forgot to set, gets EBADF.

import { ERRNO } from "../../abi.gen.ts";

const INDEX_BITS = 20;
const GENERATIONS = 2 ** 11;

export const HANDLES_LIMIT = 2 ** INDEX_BITS;

export class HandleTable<Resource> {
  readonly #max: number;
  readonly #resources: (Resource | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #open = 0;

  /** @param max - Handles open at once, at most HANDLES_LIMIT. */
  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open;
  }

  /** How many more can be open. */
  get room(): number {
    return this.#max - this.#open;
  }

  get full(): boolean {
    return this.#open >= this.#max;
  }

  /** The new handle, or -EMFILE. */
  insert(resource: Resource): number {
    if (this.full) return -ERRNO.EMFILE;
    const index = this.#free.pop() ?? this.#resources.length;
    const generation = this.#generations[index] ?? 1;
    this.#generations[index] = generation;
    this.#resources[index] = resource;
    this.#open++;
    return (generation << INDEX_BITS) | index;
  }

  get(handle: number): Resource | undefined {
    const index = handle & (HANDLES_LIMIT - 1);
    return this.#generations[index] === handle >> INDEX_BITS ? this.#resources[index] : undefined;
  }

  remove(handle: number): Resource | undefined {
    const resource = this.get(handle);
    if (resource === undefined) return undefined;
    const index = handle & (HANDLES_LIMIT - 1);
    this.#resources[index] = undefined;
    this.#generations[index] = (this.#generations[index]! % (GENERATIONS - 1)) + 1;
    this.#free.push(index);
    this.#open--;
    return resource;
  }

  /** Empties the table; returns what was in it. */
  clear(): Resource[] {
    const out: Resource[] = [];
    for (let index = 0; index < this.#resources.length; index++) {
      const generation = this.#generations[index]!;
      const resource = this.remove((generation << INDEX_BITS) | index);
      if (resource !== undefined) out.push(resource);
    }
    return out;
  }
}

//! The few dozen states that coroutines are seen in, as small numbers.

import { describeTaskState } from "stackful";
import { CELL_WAIT, type WaitName } from "./protocol.ts";

/** Kinds of wait and operations are a byte each. */
const CODES = 1 << 24;

export class Waits {
  /** By index; 0 is no state. */
  readonly names: WaitName[] = [""];
  /** By code without its lowest byte: what a parked task waits for. */
  readonly #parked = new Uint8Array(CODES >> 8);
  readonly #others = new Map<number, number>();

  /** @param code - a word of `taskStates`. */
  indexOf(code: number): number {
    const parked = code >>> 8;
    if (parked === 0) return this.#others.get(code) ?? this.#add(code);
    return this.#parked[parked] || this.#add(code);
  }

  #add(code: number): number {
    const { state, waitsFor } = describeTaskState(code);
    const name = waitsFor || state;
    let index = this.names.indexOf(name);
    if (index < 0) index = Math.min(this.names.push(name) - 1, CELL_WAIT);
    if (code >>> 8 === 0) this.#others.set(code, index);
    else this.#parked[code >>> 8] = index;
    return index;
  }
}

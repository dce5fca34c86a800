//! A place in the picture for every coroutine of a host, which it keeps while it lives.

import { TASK_STATE } from "stackful";
import { CELL_RAN } from "./protocol.ts";
import type { Waits } from "./waits.ts";

export class Cells {
  /** One byte for each place. Those from `length` on are empty. */
  bytes = new Uint8Array(64);
  length = 0;
  /** How many tasks are in each of the waits, by its index. */
  readonly counts = new Uint32Array(128);
  readonly #waits: Waits;
  // The tasks of the picture before, in the order of the runtime's list: the newest first.
  #ids = new Uint32Array(0);
  #places = new Uint32Array(0);
  #switches = new Uint32Array(0);
  #count = 0;
  #nextIds = new Uint32Array(0);
  #nextPlaces = new Uint32Array(0);
  #nextSwitches = new Uint32Array(0);
  #free: number[] = [];

  constructor(waits: Waits) {
    this.#waits = waits;
  }

  get tasks(): number {
    return this.#count;
  }

  /** The id of the task at a place; undefined: nobody is there. */
  idAt(place: number): number | undefined {
    const index = this.#places.subarray(0, this.#count).indexOf(place);
    return index < 0 ? undefined : this.#ids[index];
  }

  /** The place of a task; -1: it has none. */
  placeOf(id: number): number {
    const index = this.#ids.subarray(0, this.#count).indexOf(id);
    return index < 0 ? -1 : this.#places[index]!;
  }

  /**
   * Takes what `taskStates` has returned. Ids fall in that list as they did in the one before, so one
   * walk along both finds who is new and who has gone.
   */
  update(states: Uint32Array): void {
    const count = states.length / TASK_STATE.words;
    this.#makeRoom(count);
    this.counts.fill(0);
    const kept = this.#releaseGone(states);
    // The newest stands first in the list, and last in the picture.
    const fresh = Array.from({ length: count - kept }, () => this.#take());
    let before = 0;
    for (let index = 0, at = 0; index < count; index++, at += TASK_STATE.words) {
      const id = states[at + TASK_STATE.id]!;
      const switches = states[at + TASK_STATE.switches]!;
      while (before < this.#count && this.#ids[before]! > id) before++;
      const known = before < this.#count && this.#ids[before] === id;
      const place = known ? this.#places[before]! : fresh.pop()!;
      const ran = switches !== (known ? this.#switches[before] : 0);
      const wait = this.#waits.indexOf(states[at + TASK_STATE.code]!);
      this.bytes[place] = ran ? wait | CELL_RAN : wait;
      this.counts[wait]!++;
      this.#nextIds[index] = id;
      this.#nextPlaces[index] = place;
      this.#nextSwitches[index] = switches;
    }
    [this.#ids, this.#nextIds] = [this.#nextIds, this.#ids];
    [this.#places, this.#nextPlaces] = [this.#nextPlaces, this.#places];
    [this.#switches, this.#nextSwitches] = [this.#nextSwitches, this.#switches];
    this.#count = count;
    if (count < this.length / 2) this.#compact();
  }

  /** @returns how many of the tasks before are still there. */
  #releaseGone(states: Uint32Array): number {
    let at = 0;
    let kept = 0;
    for (let index = 0; index < this.#count; index++) {
      const id = this.#ids[index]!;
      while (at < states.length && states[at + TASK_STATE.id]! > id) at += TASK_STATE.words;
      if (at < states.length && states[at + TASK_STATE.id] === id) {
        kept++;
        continue;
      }
      const place = this.#places[index]!;
      this.bytes[place] = 0;
      this.#free.push(place);
    }
    return kept;
  }

  #take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    return this.length++;
  }

  /** Everybody moves up, the oldest to the front. */
  #compact(): void {
    const old = this.bytes;
    this.bytes = new Uint8Array(Math.max(64, 2 * this.#count));
    for (let index = 0; index < this.#count; index++) {
      const place = this.#count - 1 - index;
      this.bytes[place] = old[this.#places[index]!]!;
      this.#places[index] = place;
    }
    this.length = this.#count;
    this.#free = [];
  }

  #makeRoom(count: number): void {
    if (this.#nextIds.length < count) this.#nextIds = new Uint32Array(2 * count);
    if (this.#nextPlaces.length < count) this.#nextPlaces = new Uint32Array(2 * count);
    if (this.#nextSwitches.length < count) this.#nextSwitches = new Uint32Array(2 * count);
  }
}

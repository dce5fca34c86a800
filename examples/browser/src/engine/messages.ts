//! Messages that are under way, by virtual time.

import { DENSITY_PARTS, LINKS } from "./protocol.ts";

/** Messages that are drawn one by one. */
const DOTS_MAX = 1_500;

/** Those that are known at once; what is sent beyond that is not drawn. */
const KNOWN_MAX = 60_000;

export class Messages {
  /** Link and direction. */
  readonly #ways = new Uint8Array(KNOWN_MAX);
  readonly #sentNs = new Float64Array(KNOWN_MAX);
  readonly #arrivesNs = new Float64Array(KNOWN_MAX);
  #count = 0;

  add(way: number, sentNs: number, arrivesNs: number): void {
    if (this.#count === KNOWN_MAX) return;
    this.#ways[this.#count] = way;
    this.#sentNs[this.#count] = sentNs;
    this.#arrivesNs[this.#count] = arrivesNs;
    this.#count++;
  }

  /** Forgets those that have arrived. */
  advance(nowNs: number): void {
    for (let index = 0; index < this.#count; ) {
      if (this.#arrivesNs[index]! > nowNs) {
        index++;
        continue;
      }
      const last = --this.#count;
      this.#ways[index] = this.#ways[last]!;
      this.#sentNs[index] = this.#sentNs[last]!;
      this.#arrivesNs[index] = this.#arrivesNs[last]!;
    }
  }

  /** One by one, or how many there are in each part of each way. */
  picture(nowNs: number): { messages: Float32Array; density: Uint16Array | undefined } {
    if (this.#count > DOTS_MAX)
      return { messages: new Float32Array(0), density: this.#density(nowNs) };
    const messages = new Float32Array(2 * this.#count);
    for (let index = 0; index < this.#count; index++) {
      messages[2 * index] = this.#ways[index]!;
      messages[2 * index + 1] = this.#progress(index, nowNs);
    }
    return { messages, density: undefined };
  }

  #density(nowNs: number): Uint16Array {
    const density = new Uint16Array(2 * LINKS.length * DENSITY_PARTS);
    for (let index = 0; index < this.#count; index++) {
      const part = Math.min(
        DENSITY_PARTS - 1,
        Math.floor(this.#progress(index, nowNs) * DENSITY_PARTS),
      );
      density[this.#ways[index]! * DENSITY_PARTS + part]!++;
    }
    return density;
  }

  #progress(index: number, nowNs: number): number {
    const sentNs = this.#sentNs[index]!;
    const durationNs = this.#arrivesNs[index]! - sentNs;
    return durationNs > 0 ? Math.min(1, Math.max(0, (nowNs - sentNs) / durationNs)) : 1;
  }
}

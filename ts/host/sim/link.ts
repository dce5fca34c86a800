//! One direction between two hosts.

import type { SimHost } from "./sim-host.ts";

export class Link {
  readonly from: SimHost;
  readonly to: SimHost;
  /** When what was sent so far has left. */
  freeNs = 0;
  /** When the last datagram arrives that no other overtakes. */
  lastDatagramNs = 0;
  #cut = false;
  /** Changes with every cut, so that a packet can tell that there was one on its way. */
  #cuts = 0;
  #onHealed: (() => void)[] = [];

  constructor(from: SimHost, to: SimHost) {
    this.from = from;
    this.to = to;
  }

  get cut(): boolean {
    return this.#cut;
  }

  /** A packet that leaves now remembers it, for `lost`. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Whether a packet that left when `cuts` was that does not arrive now. */
  lost(cuts: number): boolean {
    return this.#cut || this.#cuts !== cuts;
  }

  sever(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#cuts++;
  }

  heal(): void {
    if (!this.#cut) return;
    this.#cut = false;
    const waiting = this.#onHealed;
    this.#onHealed = [];
    for (const call of waiting) call();
  }

  /** Calls `what` when packets pass again: now, if they do. */
  whenHealed(what: () => void): void {
    if (this.#cut) this.#onHealed.push(what);
    else what();
  }
}

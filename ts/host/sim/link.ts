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
  #healedNs = 0;
  #onHealed: (() => void)[] = [];

  constructor(from: SimHost, to: SimHost) {
    this.from = from;
    this.to = to;
  }

  get cut(): boolean {
    return this.#cut;
  }

  /** Whether a packet that has left at `sentNs` does not arrive now: the link was cut meanwhile. */
  lost(sentNs: number): boolean {
    return this.#cut || this.#healedNs > sentNs;
  }

  sever(): void {
    this.#cut = true;
  }

  heal(nowNs: number): void {
    if (!this.#cut) return;
    this.#cut = false;
    this.#healedNs = nowNs;
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

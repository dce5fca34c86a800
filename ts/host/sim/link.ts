//! One direction between two hosts.

import type { LinkDrop, Packet } from "./packet.ts";
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
  #flushedNs = -1;
  #onHealed: (() => void)[] = [];

  constructor(from: SimHost, to: SimHost) {
    this.from = from;
    this.to = to;
  }

  get cut(): boolean {
    return this.#cut;
  }

  /** Puts a packet of so many bytes on the link. */
  occupy(packet: Packet, nowNs: number, bytes: number, bytesPerSecond: number): void {
    packet.queuedNs = nowNs;
    this.freeNs = Math.max(nowNs, this.freeNs) + (bytes / bytesPerSecond) * 1e9;
    packet.sentNs = this.freeNs;
  }

  /** Why `packet` does not arrive now; undefined: it does. */
  drops({ queuedNs, sentNs }: Packet): LinkDrop | undefined {
    const flushed = queuedNs <= this.#flushedNs && sentNs > this.#flushedNs;
    if (flushed || !this.to.up) return "down";
    return this.#cut || this.#healedNs > sentNs ? "partition" : undefined;
  }

  /** The host at its start has crashed: what has not left yet never does. */
  flush(nowNs: number): void {
    this.#flushedNs = this.freeNs = nowNs;
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

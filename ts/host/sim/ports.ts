//! The ports of one protocol on one host.

import type { Random } from "./random.ts";

/** Where the ports begin that a socket gets which names none. */
const EPHEMERAL_FIRST = 1024;
const PORTS_END = 65_536;

export class Ports {
  /** How many sockets use a port. */
  readonly #used = new Map<number, number>();
  #next: number;

  constructor(random: Random) {
    this.#next = EPHEMERAL_FIRST + random.integer(PORTS_END - EPHEMERAL_FIRST);
  }

  /** A port that nobody uses; 0 when there is none. */
  free(): number {
    for (let tries = EPHEMERAL_FIRST; tries < PORTS_END; tries++) {
      const port = this.#next;
      this.#next = port + 1 === PORTS_END ? EPHEMERAL_FIRST : port + 1;
      if (!this.#used.has(port)) return port;
    }
    return 0;
  }

  take(port: number): void {
    this.#used.set(port, (this.#used.get(port) ?? 0) + 1);
  }

  give(port: number): void {
    const count = this.#used.get(port) ?? 0;
    if (count > 1) this.#used.set(port, count - 1);
    else this.#used.delete(port);
  }

  clear(): void {
    this.#used.clear();
  }
}

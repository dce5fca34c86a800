//! The backend of a host that has no files and no sockets: every operation completes with ENOSYS, at
//! once. Tasks, timers, channels and host imports do without one. Runs anywhere, browsers included.

import { ERRNO, OP } from "../../abi.gen.ts";
import { SYSTEM } from "../../guest/environment.ts";
import type { Backend, BackendOptions, BackendStats } from "../backend.ts";
import { GuestRing } from "../ring.ts";

/** Operations kept for the completion ring to take; the rest stays in the submission ring. */
const PENDING_MAX = 4096;

/** Grants name nothing that it could reach. */
export async function openNone(_options: BackendOptions): Promise<Backend> {
  return new NoneBackend();
}

class NoneBackend implements Backend {
  readonly name = "none";
  readonly environment = SYSTEM;
  readonly canWait = false;
  readonly canDiscard = false;
  readonly hostLoopReady = true;
  readonly handlesOpen = 0;
  /** Never called: nothing finishes outside of a turn. */
  onReady: () => void = () => {};
  readonly #ring = new GuestRing();
  readonly #stats: BackendStats = {
    turns: 0,
    nativeCalls: 0,
    systemCalls: 0,
    submissions: 0,
    completions: 0,
  };
  /** Tokens of the operations that the completion ring had no room for. */
  #refused: number[] = [];

  get stats(): Readonly<BackendStats> {
    return this.#stats;
  }

  get pending(): number {
    return this.#refused.length;
  }

  bind(memory: WebAssembly.Memory, shared: number): void {
    this.#ring.bind(memory, shared);
  }

  turn(_waitNs: number): number {
    this.#stats.turns++;
    const room = PENDING_MAX - this.#refused.length;
    this.#stats.submissions += this.#ring.take(room, ({ code, token }) => {
      if (code !== OP.CANCEL) this.#refused.push(token);
    });
    const left = this.#refused.findIndex((token) => !this.#ring.complete(token, -ERRNO.ENOSYS));
    const delivered = left < 0 ? this.#refused.length : left;
    this.#refused.splice(0, delivered);
    this.#stats.completions += delivered;
    return delivered;
  }

  turnHostLoop(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  discard(_ranges: Uint32Array): number {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#refused = [];
  }
}

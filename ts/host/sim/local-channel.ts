//! Bytes from one handle to another on the same host: a pipe, or one direction of a Unix connection. They
//! arrive at once, and all.

import { Chunks } from "./chunks.ts";
import { CallEvent } from "./event-queue.ts";
import type { Scheduler } from "./scheduler.ts";

/** Linux's, of a pipe. */
export const PIPE_BYTES = 64 * 1024;

export class LocalChannel {
  /** Called when it is worth trying again; never from within a call. */
  readonly readers = new Set<() => void>();
  readonly writers = new Set<() => void>();
  readonly #scheduler: Scheduler;
  readonly #bytesMax: number;
  readonly #chunks = new Chunks();
  readonly #readable = new CallEvent(() => callAll(this.readers));
  readonly #writable = new CallEvent(() => callAll(this.writers));
  #ended = false;
  #abandoned = false;
  #reset = false;

  constructor(scheduler: Scheduler, bytesMax: number) {
    this.#scheduler = scheduler;
    this.#bytesMax = bytesMax;
  }

  get available(): number {
    return this.#chunks.bytes;
  }

  get room(): number {
    return this.#bytesMax - this.#chunks.bytes;
  }

  /** No more bytes come than those available. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Nobody reads any more. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Whether the writer left with bytes unread that had been sent to it: told once. */
  takeReset(): boolean {
    const reset = this.#reset;
    this.#reset = false;
    return reset;
  }

  /** @param data - Not empty, and the channel's from here on. */
  write(data: Uint8Array): void {
    this.#chunks.push(data);
    this.#scheduler.after(0, this.#readable);
  }

  /** As `Chunks.take`. */
  take(limit: number): Uint8Array {
    const data = this.#chunks.take(limit);
    this.#scheduler.after(0, this.#writable);
    return data;
  }

  /** The writer has ended. */
  finish(reset: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reset = reset;
    this.#scheduler.after(0, this.#readable);
  }

  /** The reader has ended. */
  abandon(): void {
    this.#abandoned = true;
    this.#chunks.clear();
    this.#scheduler.after(0, this.#writable);
  }
}

function callAll(waiting: ReadonlySet<() => void>): void {
  for (const call of [...waiting]) call();
}

//! A TCP connection of a backend whose host has streams of its own: what each operation results in. How
//! bytes move is the host's part.
//!
//!   READ   waits until the host has bytes. They leave the host's buffer only into a READ, so
//!          cancelling one loses nothing.
//!   WRITE  waits until the host has nothing left to hand to the kernel. It is then copied, handed
//!          over and finished at once: what the kernel does not take right away (one WRITE at most)
//!          waits in the host, as it would wait in a socket's send buffer. A WRITE that waits has
//!          sent nothing, so cancelling it is exact.

import { ERRNO, SHUTDOWN } from "../../abi.gen.ts";
import type { Segments } from "../ring.ts";
import { StreamResource } from "./stream.ts";

/** How long a closed connection may go without progress on the bytes it still has to send. */
export const LINGER_MS = 30_000;

export abstract class ConnectionBase extends StreamResource {
  /** Set by the host's part: the peer sends no more. */
  protected ended = false;
  /**
   * Set by the host's part: errno that ended this direction; 0 while there is none. It is told once, as
   * Linux does: after it reads are at an end, and writes give EPIPE.
   */
  protected readFailure = 0;
  protected writeFailure = 0;
  #failureTold = false;
  #readShut = false;
  #writeShut = false;

  /** Moves bytes that are here into guest memory; returns how many, 0 for none. */
  protected abstract take(buffers: Segments): number;
  /** A READ waits: `pumpReads` is to be called when something has changed. */
  protected abstract awaitBytes(buffers: Segments): void;
  /** Hands a WRITE over. Returns its result, or undefined to have it wait for `pumpWrites`. */
  protected abstract send(buffers: Segments): number | undefined;
  /** Nothing is sent any more; what was handed over goes out first. */
  protected abstract endWriting(): void;

  protected override tryRead(buffers: Segments): number | undefined {
    // First, because bytes that came before a reset are delivered before it.
    const taken = this.take(buffers);
    if (taken > 0) return taken;
    if (this.ended || this.#readShut) return 0;
    if (this.readFailure !== 0) return this.#tell(this.readFailure) ?? 0;
    this.awaitBytes(buffers);
    return undefined;
  }

  protected override tryWrite(buffers: Segments): number | undefined {
    const result = this.#mayWrite ? this.send(buffers) : -ERRNO.EPIPE;
    // It may have been found just now.
    if (this.writeFailure === 0) return result;
    return this.#tell(this.writeFailure) ?? -ERRNO.EPIPE;
  }

  get #mayWrite(): boolean {
    return !this.#writeShut && this.writeFailure === 0 && !this.#failureTold;
  }

  /** Undefined: it was told before. */
  #tell(errno: number): number | undefined {
    if (this.#failureTold) return undefined;
    this.#failureTold = true;
    return -errno;
  }

  protected override shutdown(how: number): number {
    if (this.readFailure !== 0 || this.writeFailure !== 0) return -ERRNO.ENOTCONN;
    if (how !== SHUTDOWN.WRITE) {
      this.#readShut = true;
      this.pumpReads();
    }
    if (how !== SHUTDOWN.READ && !this.#writeShut) {
      this.#writeShut = true;
      this.pumpWrites();
      this.endWriting();
    }
    return 0;
  }
}

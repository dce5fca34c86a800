//! A TCP connection of a backend written in JavaScript: the operations that wait for it, and what
//! each results in. How bytes move is the host's part.
//!
//!   READ   waits until the host has bytes. They leave the host's buffer only into a READ, so
//!          cancelling one loses nothing.
//!   WRITE  waits until the host has nothing left to hand to the kernel. It is then copied, handed
//!          over and finished at once: what the kernel does not take right away (one WRITE at most)
//!          waits in the host, as it would wait in a socket's send buffer. A WRITE that waits has
//!          sent nothing, so cancelling it is exact.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import type { Segments } from "../ring.ts";
import { writeEndpoint } from "./endpoint.ts";
import type { Operation } from "./operation.ts";
import { type Context, oldest, type Resource } from "./resource.ts";

/** How long a closed connection may go without progress on the bytes it still has to send. */
export const LINGER_MS = 30_000;

export abstract class ConnectionBase implements Resource {
  protected readonly context: Context;
  /** Set by the host's part: the peer sends no more. */
  protected ended = false;
  /** Set by the host's part: errno that ended this direction; 0 while there is none. */
  protected readFailure = 0;
  protected writeFailure = 0;
  readonly #reads = new Set<Operation>();
  readonly #writes = new Set<Operation>();
  #readShut = false;
  #writeShut = false;

  constructor(context: Context) {
    this.context = context;
  }

  /** Undefined: the peer was gone before anybody could ask. */
  abstract readonly local: Endpoint | undefined;
  abstract readonly peer: Endpoint | undefined;

  /** Moves bytes that are here into guest memory; returns how many, 0 for none. */
  protected abstract take(buffers: Segments): number;
  /** A READ waits: `pumpReads` is to be called when something has changed. */
  protected abstract awaitBytes(buffers: Segments): void;
  /** Hands a WRITE over. Returns its result, or undefined to have it wait for `pumpWrites`. */
  protected abstract send(buffers: Segments): number | undefined;
  /** Nothing is sent any more; what was handed over goes out first. */
  protected abstract endWriting(): void;
  /** Lets go of the socket, once what was handed over is out. As `Resource.close`. */
  protected abstract release(): number | Promise<number>;
  /** Whether the socket is to keep the host's event loop alive. */
  protected abstract keepAlive(waiting: boolean): void;

  start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.READV:
        return this.#enqueue(operation, this.#reads);
      case OP.WRITE:
      case OP.WRITEV:
        return this.#enqueue(operation, this.#writes);
      case OP.SHUTDOWN:
        return this.#shutdown(operation.submission.argument);
      case OP.LOCAL_ADDRESS:
        return this.#address(operation, this.local);
      case OP.PEER_ADDRESS:
        return this.#address(operation, this.peer);
      case OP.PREAD:
      case OP.PWRITE:
        return -ERRNO.ESPIPE;
      case OP.SEND_TO:
      case OP.RECEIVE_FROM:
        return -ERRNO.ENOTSUP;
      default:
        return -ERRNO.EINVAL;
    }
  }

  cancel(operation: Operation): void {
    if (this.#reads.delete(operation) || this.#writes.delete(operation)) {
      this.#finish(operation, -ERRNO.ECANCELED);
      this.#keepAlive();
    }
  }

  close(): number | Promise<number> {
    this.#endAll(this.#reads, -ERRNO.EBADF);
    this.#endAll(this.#writes, -ERRNO.EBADF);
    return this.release();
  }

  protected pumpReads(): void {
    for (let read = oldest(this.#reads); read !== undefined; read = oldest(this.#reads)) {
      const result = this.#tryRead(read.buffers);
      if (result === undefined) break;
      this.#reads.delete(read);
      this.#finish(read, result);
    }
    this.#keepAlive();
  }

  protected pumpWrites(): void {
    for (let write = oldest(this.#writes); write !== undefined; write = oldest(this.#writes)) {
      const result = this.#tryWrite(write.buffers);
      if (result === undefined) break;
      this.#writes.delete(write);
      this.#finish(write, result);
    }
    this.#keepAlive();
  }

  #enqueue(operation: Operation, queue: Set<Operation>): number | undefined {
    const buffers = this.context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.owner = this;
    operation.buffers = buffers;
    queue.add(operation);
    if (queue === this.#reads) this.pumpReads();
    else this.pumpWrites();
    return undefined;
  }

  /** The result of a READ, or undefined when it has to wait. */
  #tryRead(buffers: Segments): number | undefined {
    // First, because bytes that came before a reset are delivered before it.
    const taken = this.take(buffers);
    if (taken > 0) return taken;
    if (this.ended || this.#readShut) return 0;
    if (this.readFailure !== 0) return -this.readFailure;
    this.awaitBytes(buffers);
    return undefined;
  }

  /** The result of a WRITE, or undefined when it has to wait. */
  #tryWrite(buffers: Segments): number | undefined {
    if (this.#writeShut) return -ERRNO.EPIPE;
    if (this.writeFailure !== 0) return -this.writeFailure;
    return this.send(buffers);
  }

  #shutdown(how: number): number {
    if (how > SHUTDOWN.BOTH) return -ERRNO.EINVAL;
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

  #address(operation: Operation, endpoint: Endpoint | undefined): number {
    if (endpoint === undefined) return -ERRNO.ENOTCONN;
    return writeEndpoint(this.context.ring, operation.submission.pointer, endpoint);
  }

  #endAll(queue: Set<Operation>, result: number): void {
    for (const operation of queue) this.#finish(operation, result);
    queue.clear();
  }

  #keepAlive(): void {
    this.keepAlive(this.#reads.size + this.#writes.size > 0);
  }

  #finish(operation: Operation, result: number): void {
    this.context.operations.finish(operation, result);
  }
}

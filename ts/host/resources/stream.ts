//! A connection of a backend written in JavaScript as a handle: its READs and WRITEs, each kind in the
//! order in which they came. What becomes of the oldest is said by who knows the connection.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { NO_SEGMENTS, type Segments } from "../ring.ts";
import { writeEndpoint } from "./endpoint.ts";
import type { Operation } from "./operation.ts";
import { OperationQueue } from "./operation-queue.ts";
import { refusedBySocket } from "./refusals.ts";
import { type Context, type Resource, TRANSFER_BYTES_MAX } from "./resource.ts";
import type { SocketOptions } from "./socket-options.ts";

export abstract class StreamResource<Shared extends Context = Context> implements Resource {
  protected readonly context: Shared;
  readonly #reads = new OperationQueue();
  readonly #writes = new OperationQueue();

  constructor(context: Shared) {
    this.context = context;
  }

  /** Undefined: the peer was gone before anybody could ask. */
  abstract readonly local: Endpoint | undefined;
  abstract readonly peer: Endpoint | undefined;
  abstract readonly options: SocketOptions;

  /** Where it was accepted from, although it may have ended meanwhile. */
  get origin(): Endpoint | undefined {
    return this.peer;
  }

  /** Whether a transfer of nothing is one. */
  protected readonly datagrams: boolean = false;

  /** The result of a READ, or undefined when it has to wait for `pumpReads`. */
  protected abstract tryRead(buffers: Segments): number | undefined;
  /** The result of a WRITE, or undefined when it has to wait for `pumpWrites`. */
  protected abstract tryWrite(buffers: Segments): number | undefined;
  /** @param how - One of SHUTDOWN. */
  protected abstract shutdown(how: number): number;
  /** Lets go of the socket, once what was handed over is out. As `Resource.close`. */
  protected abstract release(): number | Promise<number>;
  /** Whether the socket is to keep the host's event loop alive. */
  protected abstract keepAlive(waiting: boolean): void;

  start(operation: Operation): number | undefined {
    const { code, argument } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.READV:
        return this.#enqueue(operation, this.#reads);
      case OP.WRITE:
      case OP.WRITEV:
        return this.#enqueue(operation, this.#writes);
      case OP.SEND_FILE:
        return this.#sendFile(operation);
      case OP.SHUTDOWN:
        return argument > SHUTDOWN.BOTH ? -ERRNO.EINVAL : this.shutdown(argument);
      case OP.LOCAL_ADDRESS:
        return this.#address(operation, this.local);
      case OP.PEER_ADDRESS:
        return this.#address(operation, this.peer);
      case OP.SET_OPTION:
      case OP.GET_OPTION:
        return this.options.start(this.context.ring, operation.submission);
      default:
        return refusedBySocket(code);
    }
  }

  /** The result of an operation that is a READ by another name, or undefined: it waits. */
  protected startRead(operation: Operation): number | undefined {
    return this.#enqueue(operation, this.#reads);
  }

  cancel(operation: Operation): void {
    if (this.#reads.remove(operation) || this.#writes.remove(operation)) {
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
    for (let read = this.#reads.oldest; read !== undefined; read = this.#reads.oldest) {
      const result = this.tryRead(read.buffers);
      if (result === undefined) break;
      this.#reads.remove(read);
      this.#finish(read, result);
    }
    this.#keepAlive();
  }

  protected pumpWrites(): void {
    for (let write = this.#writes.oldest; write !== undefined; write = this.#writes.oldest) {
      // A file's bytes can be under way to here.
      const result = write.buffers === NO_SEGMENTS ? undefined : this.tryWrite(write.buffers);
      if (result === undefined) break;
      this.#writes.remove(write);
      this.#finish(write, result);
    }
    this.#keepAlive();
  }

  #enqueue(operation: Operation, queue: OperationQueue): number | undefined {
    const buffers = this.context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0 && !this.datagrams) return 0;
    if (queue.empty) {
      const result = queue === this.#reads ? this.tryRead(buffers) : this.tryWrite(buffers);
      if (result !== undefined) return result;
    }
    operation.owner = this;
    operation.buffers = buffers === NO_SEGMENTS ? { ...buffers } : buffers;
    queue.add(operation);
    this.#keepAlive();
    return undefined;
  }

  /** In line with the WRITEs. */
  #sendFile(operation: Operation): number | undefined {
    const { otherHandle, otherOffset, length } = operation.submission;
    if (otherOffset < 0) return -ERRNO.EINVAL;
    const file = this.context.handles.get(otherHandle);
    if (file === undefined) return -ERRNO.EBADF;
    if (file.readAt === undefined) {
      return file.directory === undefined ? -ERRNO.EINVAL : -ERRNO.EISDIR;
    }
    if (length === 0) return 0;
    operation.owner = this;
    this.#writes.add(operation);
    this.#keepAlive();
    file.readAt(otherOffset, Math.min(length, TRANSFER_BYTES_MAX), (read) => {
      if (operation.finished) return;
      if (typeof read !== "number" && read.length > 0) {
        operation.buffers = { pieces: [], bytes: read.length, data: read };
      } else {
        this.#writes.remove(operation);
        this.#finish(operation, typeof read === "number" ? read : 0);
      }
      this.pumpWrites();
    });
    return undefined;
  }

  #address(operation: Operation, endpoint: Endpoint | undefined): number {
    if (endpoint === undefined) return -ERRNO.ENOTCONN;
    return writeEndpoint(this.context.ring, operation.submission.pointer, endpoint);
  }

  #endAll(queue: OperationQueue, result: number): void {
    for (let next = queue.oldest; next !== undefined; next = queue.oldest) {
      queue.remove(next);
      this.#finish(next, result);
    }
  }

  #keepAlive(): void {
    this.keepAlive(!this.#reads.empty || !this.#writes.empty);
  }

  #finish(operation: Operation, result: number): void {
    this.context.operations.finish(operation, result);
  }
}

//! A connection as a guest's handle: READs and WRITEs in the order in which they came.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import type { Operation } from "../resources/operation.ts";
import { oldest, type Resource } from "../resources/resource.ts";
import type { SimContext } from "./sim-backend.ts";
import type { Socket, SocketOwner } from "./socket.ts";

export class StreamHandle implements Resource, SocketOwner {
  readonly #context: SimContext;
  readonly #socket: Socket;
  readonly #reads = new Set<Operation>();
  readonly #writes = new Set<Operation>();

  constructor(context: SimContext, socket: Socket) {
    this.#context = context;
    this.#socket = socket;
    socket.owner = this;
  }

  start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.READV:
        return this.#enqueue(operation, this.#reads);
      case OP.WRITE:
      case OP.WRITEV:
        return this.#enqueue(operation, this.#writes);
      case OP.SHUTDOWN: {
        const { argument } = operation.submission;
        return argument > SHUTDOWN.BOTH ? -ERRNO.EINVAL : this.#socket.shutdown(argument);
      }
      case OP.LOCAL_ADDRESS:
        return this.#address(operation, this.#socket.local);
      case OP.PEER_ADDRESS:
        return this.#address(operation, this.#socket.peerAddress);
      case OP.PREAD:
      case OP.PWRITE:
        return -ERRNO.ESPIPE;
      default:
        return -ERRNO.EINVAL;
    }
  }

  cancel(operation: Operation): void {
    if (this.#reads.delete(operation) || this.#writes.delete(operation)) {
      this.#finish(operation, -ERRNO.ECANCELED);
    }
  }

  close(): number {
    this.#endAll(this.#reads);
    this.#endAll(this.#writes);
    this.#socket.close();
    return 0;
  }

  readable(): void {
    for (let read = oldest(this.#reads); read !== undefined; read = oldest(this.#reads)) {
      const result = this.#tryRead(read);
      if (result === undefined) return;
      this.#reads.delete(read);
      this.#finish(read, result);
    }
  }

  writable(): void {
    for (let write = oldest(this.#writes); write !== undefined; write = oldest(this.#writes)) {
      const result = this.#tryWrite(write);
      if (result === undefined) return;
      this.#writes.delete(write);
      this.#finish(write, result);
    }
  }

  #enqueue(operation: Operation, queue: Set<Operation>): number | undefined {
    const buffers = this.#context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.buffers = buffers;
    if (queue.size === 0) {
      const result = queue === this.#reads ? this.#tryRead(operation) : this.#tryWrite(operation);
      if (result !== undefined) return result;
    }
    operation.owner = this;
    queue.add(operation);
    return undefined;
  }

  /** The result of a READ, or undefined when it has to wait. */
  #tryRead({ buffers }: Operation): number | undefined {
    const stream = this.#socket.in;
    const ready = Math.min(stream.available, buffers.bytes);
    if (ready === 0) return this.#socket.readEnd;
    const { ring, network } = this.#context;
    const count = this.#perhapsLess(ready, network.options.shortReads, "short read");
    for (let done = 0; done < count; ) {
      const data = stream.take(count - done);
      ring.scatter(data, buffers, done);
      done += data.length;
    }
    return count;
  }

  /** The result of a WRITE, or undefined when it has to wait. */
  #tryWrite({ buffers }: Operation): number | undefined {
    const end = this.#socket.writeEnd;
    if (end !== undefined) return end;
    const stream = this.#socket.out;
    const room = Math.min(stream.room, buffers.bytes);
    if (room <= 0) return undefined;
    const { ring, network } = this.#context;
    const count = this.#perhapsLess(room, network.options.shortWrites, "short write");
    const data = new Uint8Array(count);
    ring.gather(buffers, data);
    stream.write(data);
    return count;
  }

  #perhapsLess(count: number, probability: number, fault: "short read" | "short write"): number {
    const { faults } = this.#context.network;
    if (count < 2 || !faults.chance(probability)) return count;
    this.#socket.tellFault(fault);
    return 1 + faults.integer(count - 1);
  }

  #address(operation: Operation, endpoint: Endpoint | undefined): number {
    const { ring } = this.#context;
    const { pointer } = operation.submission;
    if (endpoint === undefined) return -ERRNO.ENOTCONN;
    return writeEndpoint(ring, pointer, endpoint);
  }

  #endAll(queue: Set<Operation>): void {
    for (const operation of queue) this.#finish(operation, -ERRNO.EBADF);
    queue.clear();
  }

  #finish(operation: Operation, result: number): void {
    this.#context.operations.finish(operation, result);
  }
}

//! A TCP connection on node:net, made to behave as the kernel's: reads pull, writes push back.
//!
//!   READ   waits in #reads until Node's stream buffer holds bytes. Bytes leave that buffer only
//!          into a READ, so cancelling one loses nothing. Node fills the buffer to its high-water
//!          mark and then stops reading the socket; before the first READ it does not read at all.
//!   WRITE  waits in #writes until Node has nothing left to hand to the kernel. It is then copied,
//!          handed over and finished at once: what the kernel did not take right away (one WRITE at
//!          most) waits in Node, as it would wait in a socket's send buffer. A WRITE in #writes has
//!          sent nothing, so cancelling it is exact.
//!
//! The socket is ref'd while operations wait here; bytes on their way to the kernel keep the event
//! loop alive by themselves.

import type { Socket } from "node:net";
import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { type Context, oldest, type Resource, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import type { Segments } from "../ring.ts";
import { endpointOf } from "./address.ts";

/** Options for every socket, connected or accepted. */
export const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  highWaterMark: 64 * 1024,
} as const;

/** How long a closed connection may go without progress on the bytes it still has to send. */
const LINGER_MS = 30_000;

export class Connection implements Resource {
  readonly peer: Endpoint | undefined;
  readonly #local: Endpoint | undefined;
  readonly #context: Context;
  readonly #socket: Socket;
  readonly #reads = new Set<Operation>();
  readonly #writes = new Set<Operation>();
  #reading = false;
  #ended = false;
  #readShut = false;
  #writeShut = false;
  /** Errno that ended the connection; 0 while there is none. */
  #failure = 0;

  /** @param socket - Connected; nothing has been read from it. */
  constructor(context: Context, socket: Socket) {
    this.#context = context;
    this.#socket = socket;
    this.peer = endpointOf(socket.remoteAddress, socket.remotePort);
    this.#local = endpointOf(socket.localAddress, socket.localPort);
    socket.unref();
    socket.on("end", () => {
      this.#ended = true;
      this.#pumpReads();
    });
    socket.on("error", (error) => {
      this.#failure = errnoOf(error);
      this.#pumpReads();
      this.#pumpWrites();
    });
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
      case OP.SHUTDOWN:
        return this.#shutdown(operation.submission.argument);
      case OP.LOCAL_ADDRESS:
        return this.#address(operation, this.#local);
      case OP.PEER_ADDRESS:
        return this.#address(operation, this.peer);
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
      this.#keepAlive();
    }
  }

  close(): number {
    this.#endAll(this.#reads, -ERRNO.EBADF);
    this.#endAll(this.#writes, -ERRNO.EBADF);
    // Bytes the guest was told are sent must still go, as they would from the kernel's buffer; only
    // not for ever, to a peer that never takes them.
    if (this.#socket.writableLength > 0) {
      this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
      this.#socket.destroySoon();
    } else {
      this.#socket.destroy();
    }
    return 0;
  }

  #enqueue(operation: Operation, queue: Set<Operation>): number | undefined {
    const buffers = this.#context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.owner = this;
    operation.buffers = buffers;
    queue.add(operation);
    if (queue === this.#reads) this.#pumpReads();
    else this.#pumpWrites();
    return undefined;
  }

  #pumpReads(): void {
    for (let read = oldest(this.#reads); read !== undefined; read = oldest(this.#reads)) {
      const result = this.#tryRead(read.buffers);
      if (result === undefined) break;
      this.#reads.delete(read);
      this.#finish(read, result);
    }
    this.#keepAlive();
  }

  /** The result of a READ, or undefined when it has to wait. */
  #tryRead(buffers: Segments): number | undefined {
    const ready = this.#socket.readableLength;
    if (ready > 0) {
      // Works on a destroyed socket too: bytes that came before a reset are delivered before it.
      const data: Buffer = this.#socket.read(Math.min(ready, buffers.bytes));
      this.#context.ring.scatter(data, buffers);
      return data.length;
    }
    if (this.#ended || this.#readShut) return 0;
    // A write found the reset first; to a reader it is one as well.
    if (this.#failure !== 0) {
      return -(this.#failure === ERRNO.EPIPE ? ERRNO.ECONNRESET : this.#failure);
    }
    if (this.#reading) {
      this.#socket.read(0); // Lets Node read on, or announce an end that it has seen.
    } else {
      this.#reading = true;
      this.#socket.on("readable", () => this.#pumpReads());
    }
    return undefined;
  }

  #pumpWrites(): void {
    for (let write = oldest(this.#writes); write !== undefined; write = oldest(this.#writes)) {
      const result = this.#tryWrite(write.buffers);
      if (result === undefined) break;
      this.#writes.delete(write);
      this.#finish(write, result);
    }
    this.#keepAlive();
  }

  /** The result of a WRITE, or undefined when it has to wait. */
  #tryWrite(buffers: Segments): number | undefined {
    if (this.#writeShut) return -ERRNO.EPIPE;
    if (this.#failure !== 0) return -this.#failure;
    if (this.#socket.destroyed) return -ERRNO.EPIPE;
    if (this.#socket.writableLength > 0) return undefined;
    // A copy, because Node may hold on to it while the guest reuses or grows its memory.
    const data = Buffer.allocUnsafe(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    this.#context.ring.gather(buffers, data);
    this.#socket.write(data, this.#onWritten);
    return data.length;
  }

  /** The WRITE that finds a failure is finished already; the "error" event keeps it for later. */
  readonly #onWritten = (error?: Error | null): void => {
    if (error == null) this.#pumpWrites();
  };

  #shutdown(how: number): number {
    if (how > SHUTDOWN.BOTH) return -ERRNO.EINVAL;
    if (this.#failure !== 0) return -ERRNO.ENOTCONN;
    if (how !== SHUTDOWN.WRITE) {
      this.#readShut = true;
      this.#pumpReads();
    }
    if (how !== SHUTDOWN.READ && !this.#writeShut) {
      this.#writeShut = true;
      this.#pumpWrites();
      this.#socket.end();
    }
    return 0;
  }

  #address(operation: Operation, endpoint: Endpoint | undefined): number {
    if (endpoint === undefined) return -ERRNO.ENOTCONN; // The peer was gone before we could ask.
    return writeEndpoint(this.#context.ring, operation.submission.pointer, endpoint);
  }

  #endAll(queue: Set<Operation>, result: number): void {
    for (const operation of queue) this.#finish(operation, result);
    queue.clear();
  }

  #keepAlive(): void {
    if (this.#socket.destroyed) return; // Holds nothing; ref() would only wait for a "connect".
    if (this.#reads.size + this.#writes.size > 0) this.#socket.ref();
    else this.#socket.unref();
  }

  #finish(operation: Operation, result: number): void {
    this.#context.operations.finish(operation, result);
  }
}

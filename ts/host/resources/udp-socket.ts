//! A UDP socket on a host that brings datagrams whenever they come and takes all that are sent: it has
//! the two bounds of a kernel's socket here.
//!
//!   RECEIVE_FROM  takes from a queue, or waits; a datagram that finds the queue full is lost.
//!   SEND_TO       waits in #waiting while the host holds too much. It is then copied and handed over,
//!                 and finishes when the host says what became of it. Until it is handed over it has
//!                 sent nothing, so cancelling it is exact; after that it cannot be taken back.

import { ADDRESS, DATAGRAM_MAX, ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { EndpointGrant } from "../backend.ts";
import { type Endpoint, endpointGranted } from "../grants.ts";
import { readEndpoint, writeEndpoint } from "./endpoint.ts";
import type { Operation } from "./operation.ts";
import { refusedBySocket } from "./refusals.ts";
import { type Context, oldest, type Resource } from "./resource.ts";

/** Linux's default for both buffers of a socket. As there, what goes beyond it still fits, once. */
const BUFFER_BYTES = 212_992;

/** What a waiting datagram is charged besides its bytes, as Linux does. */
const CHARGE_BYTES = 768;

/** What the host has bound. */
export interface DatagramPort {
  readonly local: Endpoint;
  /** @param done - Hears how many bytes were sent, or a negated errno; after `close` perhaps never. */
  send(data: Uint8Array, to: Endpoint, done: (result: number) => void): void;
  /** Whether operations wait here, and so must the host's event loop. */
  keepAlive(alive: boolean): void;
  /** @returns a promise when it takes a while until the address is free again. */
  close(): void | Promise<void>;
}

interface Datagram {
  readonly data: Uint8Array;
  readonly source: Endpoint | undefined;
}

export class UdpSocket implements Resource {
  readonly #context: Context;
  readonly #port: DatagramPort;
  readonly #grants: readonly EndpointGrant[] | undefined;
  readonly #receives = new Set<Operation>();
  /** SEND_TOs that the host does not have yet, and where each goes. */
  readonly #waiting = new Map<Operation, Endpoint>();
  readonly #sending = new Set<Operation>();
  #sendingBytes = 0;
  readonly #queue: Datagram[] = [];
  #queuedBytes = 0;

  /** @param grants - Where the guest may send to. */
  constructor(context: Context, port: DatagramPort, grants: readonly EndpointGrant[] | undefined) {
    this.#context = context;
    this.#port = port;
    this.#grants = grants;
  }

  /** A datagram has come; `data` stays as it is. */
  arrived(data: Uint8Array, source: Endpoint | undefined): void {
    if (this.#queuedBytes > BUFFER_BYTES) return;
    this.#queuedBytes += data.length + CHARGE_BYTES;
    this.#queue.push({ data, source });
    this.#pumpReceives();
  }

  /** Receiving has failed, once. */
  failed(errno: number): void {
    // What some systems say of a datagram that was sent before, which nobody wants to hear here.
    if (errno === ERRNO.ECONNREFUSED || errno === ERRNO.ECONNRESET) return;
    const receive = oldest(this.#receives);
    if (receive !== undefined) this.#end(receive, -errno);
  }

  start(operation: Operation): number | undefined {
    const { code, pointer, argument } = operation.submission;
    switch (code) {
      case OP.SEND_TO:
        return this.#send(operation);
      case OP.RECEIVE_FROM:
        return this.#receive(operation);
      case OP.LOCAL_ADDRESS:
        return writeEndpoint(this.#context.ring, pointer, this.#port.local);
      case OP.WRITE:
      case OP.WRITEV:
        return -ERRNO.EDESTADDRREQ;
      case OP.READ:
      case OP.READV:
      case OP.PEER_ADDRESS:
        return -ERRNO.ENOTCONN;
      case OP.SHUTDOWN:
        return -(argument > SHUTDOWN.BOTH ? ERRNO.EINVAL : ERRNO.ENOTCONN);
      case OP.ACCEPT:
        return -ERRNO.ENOTSUP;
      default:
        return refusedBySocket(code);
    }
  }

  cancel(operation: Operation): void {
    if (this.#receives.has(operation) || this.#waiting.has(operation)) {
      this.#end(operation, -ERRNO.ECANCELED);
    }
  }

  close(): number | Promise<number> {
    for (const operation of [...this.#receives, ...this.#waiting.keys(), ...this.#sending]) {
      this.#end(operation, -ERRNO.EBADF);
    }
    return this.#port.close()?.then(() => 0) ?? 0;
  }

  #receive(operation: Operation): number | undefined {
    const { ring } = this.#context;
    const { argument } = operation.submission;
    const buffers = ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (argument !== 0 && !ring.inRange(argument, ADDRESS.size)) return -ERRNO.EFAULT;
    operation.owner = this;
    operation.buffers = buffers;
    this.#receives.add(operation);
    this.#pumpReceives();
    this.#keepAlive();
    return undefined;
  }

  #pumpReceives(): void {
    for (let receive = oldest(this.#receives); receive; receive = oldest(this.#receives)) {
      const datagram = this.#queue.shift();
      if (datagram === undefined) return;
      this.#queuedBytes -= datagram.data.length + CHARGE_BYTES;
      this.#end(receive, this.#deliver(receive, datagram));
    }
  }

  #deliver({ submission, buffers }: Operation, { data, source }: Datagram): number {
    const { ring } = this.#context;
    const bytes = Math.min(data.length, buffers.bytes);
    ring.scatter(data.subarray(0, bytes), buffers);
    if (submission.argument !== 0) writeEndpoint(ring, submission.argument, source);
    return bytes;
  }

  #send(operation: Operation): number | undefined {
    const { ring } = this.#context;
    const { argument } = operation.submission;
    const destination = readEndpoint(ring, argument);
    if (typeof destination === "number") return destination;
    // Linux says ENETUNREACH for IPv4 on an IPv6 socket.
    if (destination.bytes.length !== this.#port.local.bytes.length) return -ERRNO.EAFNOSUPPORT;
    if (!endpointGranted(this.#grants, destination)) return -ERRNO.ENOTCAPABLE;
    if (this.#context.sandbox?.allowsEndpoint(destination) === false) return -ERRNO.ENOTCAPABLE;
    if (destination.port === 0) return -ERRNO.EINVAL;
    const buffers = ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes > DATAGRAM_MAX) return -ERRNO.EMSGSIZE;
    operation.owner = this;
    operation.buffers = buffers;
    this.#waiting.set(operation, destination);
    this.#pumpSends();
    this.#keepAlive();
    return undefined;
  }

  #pumpSends(): void {
    for (const [operation, destination] of this.#waiting) {
      if (this.#sendingBytes > BUFFER_BYTES) return;
      this.#waiting.delete(operation);
      this.#handOver(operation, destination);
    }
  }

  #handOver(operation: Operation, destination: Endpoint): void {
    // A copy, because the host may hold on to it while the guest reuses or grows its memory.
    const data = new Uint8Array(operation.buffers.bytes);
    const charge = data.length + CHARGE_BYTES;
    this.#context.ring.gather(operation.buffers, data);
    this.#sending.add(operation);
    this.#sendingBytes += charge;
    this.#port.send(data, destination, (result) => {
      this.#sendingBytes -= charge;
      this.#end(operation, result);
      this.#pumpSends();
    });
  }

  #end(operation: Operation, result: number): void {
    this.#receives.delete(operation);
    this.#waiting.delete(operation);
    this.#sending.delete(operation);
    this.#context.operations.finish(operation, result);
    this.#keepAlive();
  }

  #keepAlive(): void {
    this.#port.keepAlive(this.#receives.size + this.#waiting.size + this.#sending.size > 0);
  }
}

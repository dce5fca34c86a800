//! A UDP socket on a host that brings datagrams whenever they come and takes all that are sent: it has
//! the two bounds of a kernel's socket here.
//!
//!   to receive  takes from a queue, or waits; a datagram that finds the queue full is lost.
//!   to send     waits in #waiting while the host holds too much. It is then copied and handed over,
//!               and finishes when the host says what became of it. Until it is handed over it has
//!               sent nothing, so cancelling it is exact; after that it cannot be taken back.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import type { Grants } from "../backend.ts";
import { type Endpoint, endpointGranted } from "../grants.ts";
import type { Segments } from "../ring.ts";
import { deliver, type Incoming, type Outgoing, outgoing, sent, slots } from "./datagram-batch.ts";
import { readEndpoint, sameAddress, writeEndpoint } from "./endpoint.ts";
import { Memberships } from "./memberships.ts";
import type { Operation } from "./operation.ts";
import { refusedBySocket } from "./refusals.ts";
import { type Context, oldest, type Resource } from "./resource.ts";
import { BUFFER_BYTES, type OptionHost, SocketOptions } from "./socket-options.ts";

/** What a waiting datagram is charged besides its bytes, as Linux does. */
const CHARGE_BYTES = 768;

/** What the host has bound. */
export interface DatagramPort {
  /** May change when it is connected. */
  readonly local: Endpoint;
  readonly options: OptionHost;
  /** @param done - Hears how many bytes were sent, or a negated errno; after `close` perhaps never. */
  send(data: Uint8Array, to: Endpoint, done: (result: number) => void): void;
  /** Has the host talk to `peer` alone; undefined: to nobody in particular. Returns 0 or a negated errno. */
  connect(peer: Endpoint | undefined): number | Promise<number>;
  /** Joins or leaves a group. Returns 0 or a negated errno. */
  membership(group: Endpoint, join: boolean): number;
  /** Whether operations wait here, and so must the host's event loop. */
  keepAlive(alive: boolean): void;
  /** @returns a promise when it takes a while until the address is free again. */
  close(): void | Promise<void>;
}

export class UdpSocket implements Resource {
  readonly #context: Context;
  readonly #port: DatagramPort;
  readonly #grants: Grants;
  readonly #options: SocketOptions;
  readonly #memberships: Memberships;
  readonly #receives = new Map<Operation, readonly Segments[]>();
  /** What the host does not have yet. */
  readonly #waiting = new Map<Operation, readonly Outgoing[]>();
  readonly #sending = new Set<Operation>();
  #sendingBytes = 0;
  readonly #queue: Incoming[] = [];
  #queuedBytes = 0;
  #peer: Endpoint | undefined;
  /** Nobody listened there; told to the next operation. */
  #refused = false;

  constructor(context: Context, port: DatagramPort, grants: Grants) {
    this.#context = context;
    this.#port = port;
    this.#grants = grants;
    this.#options = new SocketOptions("udp", port.options);
    this.#memberships = new Memberships(port, grants);
  }

  /** A datagram has come; `data` stays as it is. */
  arrived(data: Uint8Array, source: Endpoint | undefined): void {
    if (this.#queuedBytes > BUFFER_BYTES) return;
    if (this.#peer !== undefined && source !== undefined && !sameAddress(this.#peer, source))
      return;
    this.#queuedBytes += data.length + CHARGE_BYTES;
    this.#queue.push({ data, source });
    this.#pumpReceives();
  }

  /** Receiving has failed, once. */
  failed(errno: number): void {
    const refused = errno === ERRNO.ECONNREFUSED || errno === ERRNO.ECONNRESET;
    // What some systems say of a datagram that was sent before; only who is connected wants to hear it.
    if (refused && this.#peer === undefined) return;
    const receive = oldest(this.#receives.keys());
    if (receive !== undefined) this.#end(receive, refused ? -ERRNO.ECONNREFUSED : -errno);
    else if (refused) this.#refused = true;
  }

  start(operation: Operation): number | undefined {
    const { code, pointer, length, argument } = operation.submission;
    const { ring } = this.#context;
    switch (code) {
      case OP.SEND_TO:
        return this.#send(operation);
      case OP.SEND_BATCH:
        return length === 0 ? 0 : this.#send(operation);
      case OP.WRITE:
      case OP.WRITEV:
        return this.#peer === undefined ? -ERRNO.EDESTADDRREQ : this.#send(operation);
      case OP.SEND_FILE:
        return -ERRNO.EDESTADDRREQ;
      case OP.RECEIVE_FROM:
        return this.#receive(operation);
      case OP.RECEIVE_BATCH:
        return length === 0 ? 0 : this.#receive(operation);
      case OP.READ:
      case OP.READV:
        return this.#peer === undefined ? -ERRNO.ENOTCONN : this.#receive(operation);
      case OP.UDP_CONNECT:
        return this.#connect(operation);
      case OP.MEMBERSHIP:
        return this.#memberships.start(ring, operation.submission);
      case OP.SET_OPTION:
      case OP.GET_OPTION:
        return this.#options.start(ring, operation.submission);
      case OP.LOCAL_ADDRESS:
        return writeEndpoint(ring, pointer, this.#port.local);
      case OP.PEER_ADDRESS:
        return this.#peer === undefined
          ? -ERRNO.ENOTCONN
          : writeEndpoint(ring, pointer, this.#peer);
      case OP.SHUTDOWN:
        return -(argument > SHUTDOWN.BOTH ? ERRNO.EINVAL : ERRNO.ENOTCONN);
      case OP.ACCEPT:
        return -ERRNO.ENOTSUP;
      case OP.UNIX_SEND_TO:
        return -ERRNO.EAFNOSUPPORT;
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
    const operations = [...this.#receives.keys(), ...this.#waiting.keys(), ...this.#sending];
    for (const operation of operations) this.#end(operation, -ERRNO.EBADF);
    return this.#port.close()?.then(() => 0) ?? 0;
  }

  /** Where the guest may send, from here. */
  readonly #destination = (address: Endpoint | undefined): Endpoint | number => {
    if (address === undefined) return this.#peer ?? -ERRNO.EDESTADDRREQ;
    // Linux says ENETUNREACH for IPv4 on an IPv6 socket.
    if (address.bytes.length !== this.#port.local.bytes.length) return -ERRNO.EAFNOSUPPORT;
    if (!endpointGranted(this.#grants.connect, address)) return -ERRNO.ENOTCAPABLE;
    if (this.#context.sandbox?.allowsEndpoint(address) === false) return -ERRNO.ENOTCAPABLE;
    return address.port === 0 ? -ERRNO.EINVAL : address;
  };

  #connect(operation: Operation): number | undefined {
    const { pointer } = operation.submission;
    let peer: Endpoint | undefined;
    if (pointer !== 0) {
      const address = readEndpoint(this.#context.ring, pointer);
      if (typeof address === "number") return address;
      const allowed = this.#destination(address);
      if (typeof allowed === "number") return allowed;
      peer = allowed;
    }
    const connected = this.#port.connect(peer);
    this.#peer = peer;
    this.#refused = false;
    if (typeof connected !== "number") {
      void connected.then((result) =>
        this.#context.operations.finish(operation, this.#told(result)),
      );
      return undefined;
    }
    return this.#told(connected);
  }

  #told(connected: number): number {
    if (connected < 0) this.#peer = undefined;
    return connected;
  }

  #takeRefusal(): boolean {
    const refused = this.#refused;
    this.#refused = false;
    return refused;
  }

  #receive(operation: Operation): number | undefined {
    const into = slots(this.#context.ring, operation.submission);
    if (typeof into === "number") return into;
    if (this.#takeRefusal()) return -ERRNO.ECONNREFUSED;
    operation.owner = this;
    this.#receives.set(operation, into);
    this.#pumpReceives();
    this.#keepAlive();
    return undefined;
  }

  #pumpReceives(): void {
    for (const [operation, into] of this.#receives) {
      const datagrams = this.#queue.splice(0, into.length);
      if (datagrams.length === 0) return;
      for (const { data } of datagrams) this.#queuedBytes -= data.length + CHARGE_BYTES;
      this.#end(operation, deliver(this.#context.ring, operation.submission, into, datagrams));
    }
  }

  #send(operation: Operation): number | undefined {
    const { ring } = this.#context;
    const addressed = operation.submission.code === OP.SEND_TO;
    const to = (address: Endpoint | undefined): Endpoint | number => {
      const allowed = this.#destination(address);
      const named = address !== undefined && typeof allowed !== "number";
      return named && this.#peer !== undefined ? -ERRNO.EISCONN : allowed;
    };
    const batch = outgoing(ring, operation.submission, to);
    if (typeof batch === "number") return batch;
    if (!addressed && this.#takeRefusal()) return -ERRNO.ECONNREFUSED;
    operation.owner = this;
    this.#waiting.set(operation, batch);
    this.#pumpSends();
    this.#keepAlive();
    return undefined;
  }

  #pumpSends(): void {
    for (const [operation, batch] of this.#waiting) {
      if (this.#sendingBytes > BUFFER_BYTES) return;
      this.#waiting.delete(operation);
      this.#handOver(operation, batch);
    }
  }

  #handOver(operation: Operation, batch: readonly Outgoing[]): void {
    const results: number[] = [];
    let left = batch.length;
    this.#sending.add(operation);
    for (const [index, { buffers, to }] of batch.entries()) {
      // A copy, because the host may hold on to it while the guest reuses or grows its memory.
      const data = new Uint8Array(buffers.bytes);
      const charge = data.length + CHARGE_BYTES;
      this.#context.ring.gather(buffers, data);
      this.#sendingBytes += charge;
      this.#port.send(data, to, (result) => {
        this.#sendingBytes -= charge;
        results[index] = result;
        if (--left === 0) {
          this.#end(operation, sent(this.#context.ring, operation.submission, results));
        }
        this.#pumpSends();
      });
    }
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

//! One end of a TCP connection in a host's kernel: what it tells its owner, and how it ends. Errors
//! are Linux's: a reset is told once, to whoever asks first; after it reads end and writes give EPIPE.

import { ERRNO, SHUTDOWN } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import type { Connection } from "./connection.ts";
import type { Network } from "./network.ts";
import type { SimHost } from "./sim-host.ts";
import type { Stream } from "./stream.ts";
import type { FaultEvent } from "./world-event.ts";

/** Who holds the handle. Told when it is worth trying again; at an end both are called. */
export interface SocketOwner {
  readable(): void;
  writable(): void;
}

export class Socket {
  readonly connection: Connection;
  readonly host: SimHost;
  readonly local: Endpoint;
  readonly peer: Endpoint;
  /** Both directions: there are none before there are two ends. */
  out!: Stream;
  in!: Stream;
  owner: SocketOwner | undefined;
  /** The last step of connecting has come. */
  onAcknowledged: (() => void) | undefined;
  readonly #network: Network;
  /** Told to the next operation. */
  #errno = 0;
  /** No bytes go either way any more. */
  #over = false;
  /** Its host has forgotten it. */
  #lost = false;
  /** The handle is closed; bytes may still be on their way. */
  #closed = false;
  #connected = false;
  #readShut = false;
  #writeShut = false;
  #finReceived = false;
  #finArrived = false;

  constructor(
    connection: Connection,
    network: Network,
    host: SimHost,
    local: Endpoint,
    peer: Endpoint,
  ) {
    this.connection = connection;
    this.#network = network;
    this.host = host;
    this.local = local;
    this.peer = peer;
    host.tcp.sockets.add(this);
  }

  /** No bytes go either way any more. */
  get over(): boolean {
    return this.#over;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Nobody holds it, and it has nothing left to do. */
  get done(): boolean {
    return this.#over || (this.#closed && this.#finArrived);
  }

  /** Linux answers bytes that nobody will read with a reset. */
  get refusesData(): boolean {
    return this.#closed || (this.#readShut && this.#writeShut);
  }

  get #ended(): boolean {
    return this.#over || (this.#finReceived && this.#finArrived);
  }

  /** What a READ gets that finds no bytes; undefined: it waits. */
  get readEnd(): number | undefined {
    if (this.#finReceived) return 0;
    if (this.#errno !== 0) return -this.#takeErrno();
    return this.#readShut || this.#over ? 0 : undefined;
  }

  /** What a WRITE gets that may send nothing; undefined: it may. */
  get writeEnd(): number | undefined {
    if (this.#errno !== 0) return -this.#takeErrno();
    return this.#writeShut || this.#over ? -ERRNO.EPIPE : undefined;
  }

  /** The address of the other end, while it has one. */
  get peerAddress(): Endpoint | undefined {
    return this.#ended ? undefined : this.peer;
  }

  connect(out: Stream, into: Stream): void {
    this.out = out;
    this.in = into;
    this.#connected = true;
  }

  shutdown(how: number): number {
    if (this.#ended) return -ERRNO.ENOTCONN;
    if (how !== SHUTDOWN.WRITE) this.#readShut = true;
    if (how !== SHUTDOWN.READ && !this.#writeShut) {
      this.#writeShut = true;
      this.out.finish();
    }
    this.#tell();
    return 0;
  }

  /**
   * Its owner lets go. What was written still arrives, unless the owner left bytes unread, or wants a reset.
   */
  close(reset = false): void {
    this.owner = undefined;
    this.#closed = true;
    if (this.#over) return;
    if (reset || this.in.available > 0) {
      this.abort();
    } else if (this.#writeShut) {
      this.#settle();
    } else {
      this.#writeShut = true;
      this.out.finish();
    }
  }

  /** Ends the connection with a reset. */
  abort(): void {
    this.out.reset();
    this.#end(0);
  }

  /** Its host knows nothing of it any more, and tells nobody. */
  lose(): void {
    this.#lost = true;
    if (this.#connected) this.out.drop();
    this.#end(0);
  }

  /** Bytes came that nobody takes. */
  refuse(): void {
    this.out.reset();
    if (!this.#over) this.#end(ERRNO.ECONNRESET);
  }

  /** The bytes did not get through. */
  fail(errno: number): void {
    if (this.#over) return;
    this.out.drop();
    if (this.#network.observer.watched) this.connection.tell("timeout");
    this.#end(errno);
  }

  // ── What arrives ──

  acknowledged(): void {
    this.onAcknowledged?.();
  }

  finReceived(): void {
    this.#finReceived = true;
    this.owner?.readable();
    this.#settle();
  }

  /** The other end has got our end. */
  finArrived(): void {
    this.#finArrived = true;
    this.#settle();
  }

  wasReset(): void {
    if (this.#over) return;
    this.out.drop();
    this.#end(this.#finReceived ? ERRNO.EPIPE : ERRNO.ECONNRESET);
  }

  tellFault(fault: FaultEvent["fault"]): void {
    const { observer } = this.#network;
    if (observer.watched) observer.tell({ type: "fault", host: this.host.name, fault });
  }

  #takeErrno(): number {
    const errno = this.#errno;
    this.#errno = 0;
    return errno;
  }

  #end(errno: number): void {
    this.#errno = errno;
    this.#over = true;
    this.#settle();
    this.#tell();
  }

  #tell(): void {
    this.owner?.readable();
    this.owner?.writable();
  }

  #settle(): void {
    if (!this.done) return;
    this.host.tcp.forget(this);
    this.connection.settle();
  }
}

//! TCP in one host's kernel: who listens, who connects, which sockets there are.

import { ERRNO } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { Connection } from "./connection.ts";
import { CallEvent } from "./event-queue.ts";
import { covers, isUnspecified, type Network } from "./network.ts";
import type { Ports } from "./ports.ts";
import type { SimHost } from "./sim-host.ts";
import type { Socket } from "./socket.ts";

/** How long Linux asks around for an address that nobody has. */
const UNREACHABLE_NS = 3e9;

/** A CONNECT under way. */
export interface Attempt {
  /** Nobody waits for its outcome any more. */
  cancel(): void;
}

export class TcpListener {
  readonly local: Endpoint;
  /** Whether others of the kind may listen there too. */
  readonly reusePort: boolean;
  /** Called when a connection can be accepted. */
  onConnection: () => void = () => {};
  /** Connections that are not established yet. */
  readonly halfOpen = new Set<Socket>();
  readonly #backlog: number;
  readonly #tcp: Tcp;
  readonly #queue: Socket[] = [];
  #closed = false;

  constructor(tcp: Tcp, local: Endpoint, backlog: number, reusePort: boolean) {
    this.#tcp = tcp;
    this.local = local;
    this.reusePort = reusePort;
    this.#backlog = backlog;
  }

  get full(): boolean {
    return this.#queue.length + this.halfOpen.size > this.#backlog;
  }

  establish(socket: Socket): void {
    this.halfOpen.delete(socket);
    if (this.#closed) {
      socket.abort();
      return;
    }
    this.#queue.push(socket);
    this.onConnection();
  }

  accept(): Socket | undefined {
    return this.#queue.shift();
  }

  /** Resets the connections that nobody has accepted. */
  close(): void {
    this.#closed = true;
    this.#tcp.remove(this);
    for (const socket of this.#queue) socket.abort();
    this.#queue.length = 0;
  }
}

export class Tcp {
  readonly sockets = new Set<Socket>();
  readonly #host: SimHost;
  readonly #network: Network;
  readonly #ports: Ports;
  /** By port: one address each, but for those that share it. */
  readonly #listeners = new Map<number, TcpListener[]>();

  constructor(host: SimHost, network: Network, ports: Ports) {
    this.#host = host;
    this.#network = network;
    this.#ports = ports;
  }

  /** A listener, or a negated errno. */
  listen(wanted: Endpoint, backlog: number, reusePort = false): TcpListener | number {
    if (!isUnspecified(wanted.bytes) && !this.#host.owns(wanted.bytes)) return -ERRNO.EADDRNOTAVAIL;
    const port = wanted.port === 0 ? this.#ports.free() : wanted.port;
    const others = this.#listeners.get(port) ?? [];
    const conflicts = (other: TcpListener): boolean =>
      covers(other.local.bytes, wanted.bytes) && !(reusePort && other.reusePort);
    if (port === 0 || others.some(conflicts)) return -ERRNO.EADDRINUSE;
    const listener = new TcpListener(this, { ...wanted, port }, backlog, reusePort);
    this.#listeners.set(port, [...others, listener]);
    this.#ports.take(port);
    return listener;
  }

  remove(listener: TcpListener): void {
    const { port } = listener.local;
    const left = (this.#listeners.get(port) ?? []).filter((other) => other !== listener);
    if (left.length > 0) this.#listeners.set(port, left);
    else this.#listeners.delete(port);
    this.#ports.give(port);
  }

  /** Who listens for connections to this address from `peer`; of several, its port says which. */
  listenerOf({ bytes, port }: Endpoint, peer: Endpoint): TcpListener | undefined {
    const listeners = this.#listeners.get(port) ?? [];
    const those = listeners.filter(({ local }) => covers(local.bytes, bytes));
    return those[peer.port % those.length];
  }

  /**
   * Begins to connect.
   *
   * @param outcome - Called once, later, with the socket or a negated errno.
   * @returns what can be canceled, or a negated errno.
   */
  connect(wanted: Endpoint, outcome: (socket: Socket | number) => void): Attempt | number {
    const peer = isUnspecified(wanted.bytes)
      ? { ...wanted, bytes: this.#host.loopback(wanted.bytes.length) }
      : wanted;
    const server = this.#network.route(this.#host, peer.bytes);
    if (server === undefined) {
      const { scheduler } = this.#network;
      const failure = new CallEvent(() => outcome(-ERRNO.EHOSTUNREACH));
      scheduler.after(UNREACHABLE_NS, failure);
      return { cancel: () => scheduler.cancel(failure) };
    }
    const port = this.#ports.free();
    if (port === 0) return -ERRNO.EADDRNOTAVAIL;
    this.#ports.take(port);
    const local = { bytes: this.#host.sourceFor(peer.bytes), port, scope: peer.scope };
    return new Connection(this.#network, this.#host, server, local, peer, outcome);
  }

  /** A socket that has nothing left to do. */
  forget(socket: Socket): void {
    if (!this.sockets.delete(socket)) return;
    if (socket.connection.clientSocket === socket) this.#ports.give(socket.local.port);
  }

  /** The host crashes: all of it is gone, and nobody is told. */
  crash(): void {
    for (const socket of [...this.sockets]) socket.lose();
    this.#listeners.clear();
    this.#ports.clear();
  }
}

//! A TCP connection as the world sees it: both ends, and how it is made.
//!
//!   client ── syn ──▶ server    refused, or an end is made there
//!          ◀─ syn-ack ──        the CONNECT is finished
//!          ── ack ──▶           it can be accepted
//!
//! A syn that meets nobody, or a full backlog, is sent again, after a second, then two, then four.

import { ERRNO } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { CallEvent } from "./event-queue.ts";
import type { Link } from "./link.ts";
import type { Network } from "./network.ts";
import { type LinkDrop, Packet } from "./packet.ts";
import type { SimHost } from "./sim-host.ts";
import { Socket } from "./socket.ts";
import { Stream } from "./stream.ts";
import type { TcpListener } from "./tcp.ts";
import type { ConnectionEvent, DropEvent } from "./world-event.ts";

const SYN_RETRY_NS = 1e9;

/** An unlucky connection is reset within so many segments. */
const RESET_SEGMENTS_MAX = 32;

/** For drawing. */
export interface ConnectionView {
  readonly id: number;
  readonly client: SimHost;
  readonly server: SimHost;
  readonly clientPort: number;
  readonly serverPort: number;
  /** `half-open`: the server knows of it; nobody can accept it yet. */
  readonly state: "connecting" | "half-open" | "open";
}

type Step = "syn" | "syn-ack" | "refused";

/** A step of connecting. */
class Handshake extends Packet {
  readonly #connection: Connection;
  readonly #step: Step;

  constructor(connection: Connection, link: Link, step: Step) {
    super(link);
    this.#connection = connection;
    this.#step = step;
  }

  protected override arrive(): void {
    this.#connection.stepArrived(this.#step);
  }

  protected override dropped(why: LinkDrop): void {
    this.#connection.stepDropped(this.#step, this.link, why);
  }
}

export class Connection implements ConnectionView {
  readonly id: number;
  readonly client: SimHost;
  readonly server: SimHost;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly clientSocket: Socket;
  serverSocket: Socket | undefined;
  readonly #network: Network;
  #outcome: ((socket: Socket | number) => void) | undefined;
  #tries = 0;
  readonly #retry = new CallEvent(() => this.#sendSyn());
  readonly #giveUp = new CallEvent(() => this.#fail(ERRNO.ETIMEDOUT, "timeout"));
  #listener: TcpListener | undefined;
  #established = false;

  /** @param outcome - Called once, with the client's end or a negated errno, unless `cancel` is. */
  constructor(
    network: Network,
    client: SimHost,
    server: SimHost,
    local: Endpoint,
    peer: Endpoint,
    outcome: (socket: Socket | number) => void,
  ) {
    this.#network = network;
    this.id = network.nextConnectionId();
    this.client = client;
    this.server = server;
    this.clientPort = local.port;
    this.serverPort = peer.port;
    this.#outcome = outcome;
    this.clientSocket = new Socket(this, network, client, local, peer);
    network.connections.add(this);
    if (network.observer.watched) this.tell("connect");
    const { scheduler, options } = network;
    scheduler.after(options.connectTimeoutMs * 1e6, this.#giveUp);
    this.#sendSyn();
  }

  get state(): ConnectionView["state"] {
    if (this.#established) return "open";
    return this.serverSocket === undefined ? "connecting" : "half-open";
  }

  /** Nobody waits for the outcome any more. */
  cancel(): void {
    this.#outcome = undefined;
    this.#stopTrying();
    if (!this.#established) this.clientSocket.lose();
  }

  stepArrived(step: Step): void {
    switch (step) {
      case "syn":
        this.#synArrived();
        break;
      case "syn-ack":
        this.#synAckArrived();
        break;
      case "refused":
        this.#fail(ERRNO.ECONNREFUSED, "refused");
        break;
    }
  }

  stepDropped(step: Step, link: Link, why: DropEvent["why"]): void {
    if (this.#network.observer.watched) this.#tellDrop(step, link, why);
    if (step === "syn-ack" && !this.client.up) this.#forgetHalfOpen();
  }

  /** An end has nothing left to do. */
  settle(): void {
    const { clientSocket, serverSocket } = this;
    if (!this.#network.connections.has(this)) return;
    if (clientSocket.over) this.#forgetHalfOpen();
    if (!clientSocket.done || serverSocket?.done === false) return;
    this.#network.connections.delete(this);
    if (this.#network.observer.watched) this.tell("closed");
  }

  tell(type: ConnectionEvent["type"]): void {
    this.#network.observer.tell({
      type,
      connection: this.id,
      client: this.client.name,
      server: this.server.name,
    });
  }

  #tellDrop(step: Step, link: Link, why: DropEvent["why"]): void {
    this.#network.observer.tell({
      type: "drop",
      what: step === "refused" ? "reset" : step,
      why,
      connection: this.id,
      from: link.from.name,
      to: link.to.name,
    });
  }

  #sendSyn(): void {
    const { scheduler } = this.#network;
    scheduler.after(SYN_RETRY_NS * 2 ** this.#tries++, this.#retry);
    this.#send("syn", this.client, this.server);
  }

  #send(step: Step, from: SimHost, to: SimHost): void {
    const network = this.#network;
    const { scheduler, observer } = network;
    const link = network.link(from, to);
    const packet = new Handshake(this, link, step);
    const sentNs = network.occupy(packet, 0);
    const arrivesNs = Math.ceil(sentNs + network.delayNs());
    scheduler.at(arrivesNs, packet);
    if (!observer.watched) return;
    observer.tell({
      type: step === "refused" ? "reset" : step,
      connection: this.id,
      from: from.name,
      to: to.name,
      bytes: 0,
      sentNs: Math.ceil(sentNs),
      arrivesNs,
    });
  }

  #synArrived(): void {
    const { faults, options, observer } = this.#network;
    if (this.#established || this.#outcome === undefined || this.clientSocket.over) return;
    if (this.serverSocket !== undefined && !this.serverSocket.over) {
      this.#send("syn-ack", this.server, this.client);
      return;
    }
    const { peer, local } = this.clientSocket;
    const listener = this.server.tcp.listenerOf(peer, local);
    const struck = listener !== undefined && faults.chance(options.connectRefused);
    if (listener === undefined || struck) {
      if (struck) this.clientSocket.tellFault("refused");
      this.#send("refused", this.server, this.client);
      return;
    }
    if (listener.full) {
      const link = this.#network.link(this.client, this.server);
      if (observer.watched) this.#tellDrop("syn", link, "full");
      return;
    }
    this.#makeServerEnd(listener, peer, local);
    this.#send("syn-ack", this.server, this.client);
  }

  #makeServerEnd(listener: TcpListener, local: Endpoint, peer: Endpoint): void {
    const network = this.#network;
    const client = this.clientSocket;
    const server = new Socket(this, network, this.server, local, peer);
    const { faults, options } = network;
    const unlucky = faults.chance(options.connectionResets);
    const segments = unlucky ? 1 + faults.integer(RESET_SEGMENTS_MAX) : 0;
    const clients = unlucky && faults.integer(2) === 0;
    const there = new Stream(network, client, server, clients ? segments : 0);
    const back = new Stream(network, server, client, clients ? 0 : segments);
    client.connect(there, back);
    server.connect(back, there);
    this.serverSocket = server;
    this.#listener = listener;
    listener.halfOpen.add(server);
    server.onAcknowledged = () => {
      server.onAcknowledged = undefined;
      listener.establish(server);
    };
  }

  #synAckArrived(): void {
    if (this.#established) return;
    if (this.clientSocket.over) {
      this.clientSocket.refuse();
      return;
    }
    this.#established = true;
    this.#stopTrying();
    this.clientSocket.out.acknowledge();
    if (this.#network.observer.watched) this.tell("established");
    this.#outcome?.(this.clientSocket);
    this.#outcome = undefined;
  }

  #fail(errno: number, event: "refused" | "timeout"): void {
    if (this.#established || this.#outcome === undefined) return;
    const outcome = this.#outcome;
    this.#outcome = undefined;
    this.#stopTrying();
    if (this.#network.observer.watched) this.tell(event);
    this.clientSocket.lose();
    outcome(-errno);
  }

  #stopTrying(): void {
    const { scheduler } = this.#network;
    scheduler.cancel(this.#retry);
    scheduler.cancel(this.#giveUp);
  }

  /** The server never hears of the client again: a while later it forgets, which here is at once. */
  #forgetHalfOpen(): void {
    const { serverSocket: server } = this;
    if (server !== undefined && this.#listener?.halfOpen.delete(server)) server.lose();
  }
}

//! UDP in one host's kernel. Datagrams of a link arrive in order, but for those that the options lose,
//! double or hold back.

import { ERRNO } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import type { DatagramPort } from "../resources/udp-socket.ts";
import { CallEvent } from "./event-queue.ts";
import type { Link } from "./link.ts";
import { covers, isUnspecified, type Network } from "./network.ts";
import { type LinkDrop, Packet } from "./packet.ts";
import type { Ports } from "./ports.ts";
import type { SimHost } from "./sim-host.ts";
import type { DropEvent, FaultEvent } from "./world-event.ts";

/** What a packet of 65,535 bytes has left besides the headers; in IPv6 its own does not count. */
const IPV4_BYTES_MAX = 65_507;
const IPV6_BYTES_MAX = 65_527;

/** A datagram that is held back comes so many latencies late, at most. */
const LATE_MAX = 4;

/** A datagram on its way. */
class Datagram extends Packet {
  readonly #udp: Udp;
  readonly data: Uint8Array;
  readonly source: Endpoint;
  readonly target: Endpoint;

  constructor(udp: Udp, link: Link, data: Uint8Array, source: Endpoint, target: Endpoint) {
    super(link);
    this.#udp = udp;
    this.data = data;
    this.source = source;
    this.target = target;
  }

  /** On the same way. Whoever receives the first may keep its bytes. */
  copy(): Datagram {
    const copy = new Datagram(this.#udp, this.link, this.data.slice(), this.source, this.target);
    copy.queuedNs = this.queuedNs;
    copy.sentNs = this.sentNs;
    return copy;
  }

  protected override arrive(): void {
    if (!this.link.to.udp.arrive(this)) this.dropped("nobody");
  }

  protected override dropped(why: LinkDrop | "nobody"): void {
    this.#udp.tellDrop(this.link, why);
  }
}

/** A bound socket. */
export class UdpPort implements DatagramPort {
  readonly local: Endpoint;
  /** Called with what arrives. */
  onDatagram: (data: Uint8Array, source: Endpoint) => void = () => {};
  readonly #udp: Udp;

  constructor(udp: Udp, local: Endpoint) {
    this.#udp = udp;
    this.local = local;
  }

  /** `done` is called when the datagram has left the host, whether or not it arrives. */
  send(data: Uint8Array, to: Endpoint, done: (result: number) => void): void {
    this.#udp.send(this.local, data, to, done);
  }

  keepAlive(_alive: boolean): void {}

  close(): void {
    this.#udp.remove(this);
  }
}

export class Udp {
  readonly #host: SimHost;
  readonly #network: Network;
  readonly #ports: Ports;
  readonly #bound = new Map<number, UdpPort[]>();

  constructor(host: SimHost, network: Network, ports: Ports) {
    this.#host = host;
    this.#network = network;
    this.#ports = ports;
  }

  /** A socket, or a negated errno. */
  bind(wanted: Endpoint): UdpPort | number {
    if (!isUnspecified(wanted.bytes) && !this.#host.owns(wanted.bytes)) return -ERRNO.EADDRNOTAVAIL;
    const port = wanted.port === 0 ? this.#ports.free() : wanted.port;
    const others = this.#bound.get(port) ?? [];
    if (port === 0 || others.some(({ local }) => covers(local.bytes, wanted.bytes))) {
      return -ERRNO.EADDRINUSE;
    }
    const bound = new UdpPort(this, { ...wanted, port });
    this.#bound.set(port, [...others, bound]);
    this.#ports.take(port);
    return bound;
  }

  remove(bound: UdpPort): void {
    const { port } = bound.local;
    const others = this.#bound.get(port) ?? [];
    if (!others.includes(bound)) return; // The host has crashed since.
    const left = others.filter((other) => other !== bound);
    if (left.length > 0) this.#bound.set(port, left);
    else this.#bound.delete(port);
    this.#ports.give(port);
  }

  send(local: Endpoint, data: Uint8Array, to: Endpoint, done: (result: number) => void): void {
    const most = to.bytes.length === 4 ? IPV4_BYTES_MAX : IPV6_BYTES_MAX;
    if (data.length > most) {
      done(-ERRNO.EMSGSIZE);
      return;
    }
    if (to.bytes.every((byte) => byte === 255)) {
      done(-ERRNO.EACCES); // Nobody asked to be allowed to broadcast.
      return;
    }
    const loopback = isUnspecified(to.bytes);
    const target = loopback ? { ...to, bytes: this.#host.loopback(to.bytes.length) } : to;
    const { scheduler } = this.#network;
    const receiver = this.#network.route(this.#host, target.bytes);
    let leftNs = scheduler.nowNs;
    if (receiver !== undefined) {
      const anywhere = isUnspecified(local.bytes);
      const source = anywhere ? { ...local, bytes: this.#host.sourceFor(target.bytes) } : local;
      const link = this.#network.link(this.#host, receiver);
      const datagram = new Datagram(this, link, data, source, target);
      leftNs = this.#network.occupy(datagram, data.length);
      this.#dispatch(datagram);
    }
    if (leftNs <= scheduler.nowNs) done(data.length);
    else scheduler.at(leftNs, new CallEvent(() => done(data.length)));
  }

  /** Whether somebody takes it. */
  arrive({ data, source, target }: Datagram): boolean {
    const bound = this.#bound.get(target.port);
    const taker = bound?.find(({ local }) => covers(local.bytes, target.bytes));
    taker?.onDatagram(data, source);
    return taker !== undefined;
  }

  /** The host crashes. */
  crash(): void {
    this.#bound.clear();
    this.#ports.clear();
  }

  tellDrop(link: Link, why: DropEvent["why"]): void {
    const { observer } = this.#network;
    if (!observer.watched) return;
    const { from, to } = link;
    observer.tell({ type: "drop", what: "datagram", why, from: from.name, to: to.name });
  }

  #dispatch(datagram: Datagram): void {
    const { faults, options } = this.#network;
    if (faults.chance(options.datagramLoss)) {
      this.#tellFault("datagram lost");
      return;
    }
    this.#post(datagram);
    if (!faults.chance(options.datagramDuplicates)) return;
    this.#tellFault("datagram duplicated");
    this.#post(datagram.copy());
  }

  #post(datagram: Datagram): void {
    const network = this.#network;
    const { faults, options, observer, scheduler } = network;
    const { link, sentNs } = datagram;
    let arrivesNs = sentNs + network.delayNs();
    if (faults.chance(options.datagramReorder)) {
      const latencyNs = (options.latencyMs + options.jitterMs) * 1e6;
      arrivesNs += latencyNs * LATE_MAX * faults.next();
      this.#tellFault("datagram reordered");
    } else {
      arrivesNs = link.lastDatagramNs = Math.max(arrivesNs, link.lastDatagramNs);
    }
    arrivesNs = Math.ceil(arrivesNs);
    scheduler.at(arrivesNs, datagram);
    if (!observer.watched) return;
    observer.tell({
      type: "datagram",
      from: link.from.name,
      to: link.to.name,
      fromPort: datagram.source.port,
      toPort: datagram.target.port,
      bytes: datagram.data.length,
      sentNs: Math.ceil(sentNs),
      arrivesNs,
    });
  }

  #tellFault(fault: FaultEvent["fault"]): void {
    const { observer } = this.#network;
    if (observer.watched) observer.tell({ type: "fault", host: this.#host.name, fault });
  }
}

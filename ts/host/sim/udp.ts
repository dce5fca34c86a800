//! UDP in one host's kernel. Datagrams of a link arrive in order, but for those that the options lose,
//! double or hold back.

import { ERRNO, OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import type { BindFlags } from "../resources/bind-flags.ts";
import { sameAddress } from "../resources/endpoint.ts";
import { isMulticast } from "../resources/memberships.ts";
import { CallEvent } from "./event-queue.ts";
import type { Link } from "./link.ts";
import { covers, isUnspecified, type Network } from "./network.ts";
import { type LinkDrop, Packet } from "./packet.ts";
import type { Ports } from "./ports.ts";
import type { SimHost } from "./sim-host.ts";
import { INTERFACE, isBroadcast, UdpPort } from "./udp-port.ts";
import type { DropEvent, FaultEvent } from "./world-event.ts";

/** What a packet of 65,535 bytes has left besides the headers; in IPv6 its own does not count. */
const IPV4_BYTES_MAX = 65_507;
const IPV6_BYTES_MAX = 65_527;

/** A datagram that is held back comes so many latencies late, at most. */
const LATE_MAX = 4;

const EXCLUSIVE: BindFlags = { reusePort: false, reuseAddress: false };

/** A datagram on its way. */
class Datagram extends Packet {
  readonly #udp: Udp;
  readonly data: Uint8Array;
  readonly source: Endpoint;
  readonly target: Endpoint;
  /** The interface that it comes over. */
  readonly at: number;

  constructor(
    udp: Udp,
    link: Link,
    data: Uint8Array,
    source: Endpoint,
    target: Endpoint,
    at: number,
  ) {
    super(link);
    this.#udp = udp;
    this.data = data;
    this.source = source;
    this.target = target;
    this.at = at;
  }

  /** On the same way. Whoever receives the first may keep its bytes. */
  copy(): Datagram {
    const { link, source, target, at } = this;
    const copy = new Datagram(this.#udp, link, this.data.slice(), source, target, at);
    copy.queuedNs = this.queuedNs;
    copy.sentNs = this.sentNs;
    return copy;
  }

  protected override arrive(): void {
    if (this.link.to.udp.arrive(this)) return;
    this.dropped("nobody");
    this.#udp.answerRefusal(this);
  }

  protected override dropped(why: LinkDrop | "nobody"): void {
    this.#udp.tellDrop(this.link, why);
  }
}

/** The answer that nobody listens, on its way. */
class Unreachable extends Packet {
  readonly #datagram: Datagram;

  constructor(link: Link, datagram: Datagram) {
    super(link);
    this.#datagram = datagram;
  }

  protected override arrive(): void {
    this.link.to.udp.wasRefused(this.#datagram.source, this.#datagram.target);
  }

  protected override dropped(): void {}
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
  bind(wanted: Endpoint, flags = EXCLUSIVE): UdpPort | number {
    const { bytes } = wanted;
    if (!isUnspecified(bytes) && !isMulticast(bytes) && !this.#host.owns(bytes)) {
      return -ERRNO.EADDRNOTAVAIL;
    }
    const port = wanted.port === 0 ? this.#ports.free() : wanted.port;
    const others = this.#bound.get(port) ?? [];
    const shares = (other: UdpPort): boolean =>
      (flags.reusePort && other.flags.reusePort) ||
      (flags.reuseAddress && other.flags.reuseAddress);
    if (port === 0 || others.some((other) => covers(other.local.bytes, bytes) && !shares(other))) {
      return -ERRNO.EADDRINUSE;
    }
    const bound = new UdpPort(this, this.#host, { ...wanted, port }, flags);
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

  send(port: UdpPort, data: Uint8Array, to: Endpoint, done: (result: number) => void): void {
    const most = to.bytes.length === 4 ? IPV4_BYTES_MAX : IPV6_BYTES_MAX;
    if (data.length > most) {
      done(-ERRNO.EMSGSIZE);
      return;
    }
    if (isBroadcast(to.bytes) && port.option(OPTION.BROADCAST, 0) === 0) {
      done(-ERRNO.EACCES); // Nobody asked to be allowed to broadcast.
      return;
    }
    const unspecified = isUnspecified(to.bytes);
    const target = unspecified ? { ...to, bytes: this.#host.loopback(to.bytes.length) } : to;
    const { scheduler } = this.#network;
    let leftNs = scheduler.nowNs;
    const at = this.#interfaceFor(port, target);
    for (const receiver of this.#receivers(port, target, at)) {
      const { local } = port;
      const own = at === INTERFACE.LOOPBACK ? this.#host.loopback(target.bytes.length) : undefined;
      const source = isUnspecified(local.bytes)
        ? { ...local, bytes: own ?? this.#host.sourceFor(target.bytes) }
        : local;
      const link = this.#network.link(this.#host, receiver);
      const datagram = new Datagram(this, link, data, source, target, at);
      leftNs = Math.max(leftNs, this.#network.occupy(datagram, data.length));
      this.#dispatch(datagram);
    }
    if (leftNs <= scheduler.nowNs) done(data.length);
    else scheduler.at(leftNs, new CallEvent(() => done(data.length)));
  }

  /** Whether somebody takes it. */
  arrive({ data, source, target, at }: Datagram): boolean {
    const bound = this.#bound.get(target.port) ?? [];
    const hearers = bound.filter((port) => port.hears(source, target, at));
    if (isMulticast(target.bytes) || isBroadcast(target.bytes)) {
      for (const port of hearers) port.onDatagram(data, source);
      return hearers.length > 0;
    }
    const claim = Math.max(...hearers.map((port) => port.claim));
    const equals = hearers.filter((port) => port.claim === claim);
    const last = equals.at(-1);
    const taker = last?.flags.reusePort ? equals[source.port % equals.length] : last;
    taker?.onDatagram(data, source);
    return taker !== undefined;
  }

  /** Nobody took it at its end: its sender hears of it, if it talks to that end alone. */
  answerRefusal(datagram: Datagram): void {
    const { link, source, target } = datagram;
    if (this.#connectedTo(source, target) === undefined) return;
    const network = this.#network;
    const answer = new Unreachable(network.link(link.to, link.from), datagram);
    network.scheduler.at(Math.ceil(network.occupy(answer, 0) + network.delayNs()), answer);
  }

  wasRefused(source: Endpoint, target: Endpoint): void {
    this.#connectedTo(source, target)?.onRefused();
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

  #connectedTo(source: Endpoint, target: Endpoint): UdpPort | undefined {
    const bound = this.#bound.get(source.port) ?? [];
    return bound.find(({ peer }) => peer !== undefined && sameAddress(peer, target));
  }

  /** The interface that a datagram leaves by. */
  #interfaceFor(port: UdpPort, { bytes, scope }: Endpoint): number {
    const { local } = port;
    const fromLoopback =
      !isUnspecified(local.bytes) && isLoopback(local.bytes) && this.#host.owns(local.bytes);
    const toItself = !isMulticast(bytes) && this.#host.owns(bytes);
    return fromLoopback || toItself || scope === INTERFACE.LOOPBACK
      ? INTERFACE.LOOPBACK
      : INTERFACE.NETWORK;
  }

  #receivers(port: UdpPort, target: Endpoint, at: number): SimHost[] {
    const group = isMulticast(target.bytes);
    if (!group && !isBroadcast(target.bytes)) {
      const receiver = this.#network.route(this.#host, target.bytes);
      return receiver === undefined ? [] : [receiver];
    }
    const here = !group || port.option(OPTION.MULTICAST_LOOP, 1) === 1;
    const there = at === INTERFACE.NETWORK && (!group || port.option(OPTION.MULTICAST_HOPS, 1) > 0);
    return this.#network.hosts.filter((host) => (host === this.#host ? here : there));
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

function isLoopback(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

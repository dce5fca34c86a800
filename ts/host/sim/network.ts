//! What is between the hosts: addresses, links, and how long a packet takes.

import { addressText } from "../resources/address-text.ts";
import type { Connection } from "./connection.ts";
import { Link } from "./link.ts";
import type { Observer } from "./observer.ts";
import type { NetworkOptions } from "./options.ts";
import type { Packet } from "./packet.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimHost } from "./sim-host.ts";

/** Hosts are fewer than this. */
const HOSTS_MAX = 2 ** 16;

export class Network {
  options: NetworkOptions;
  readonly scheduler: Scheduler;
  readonly observer: Observer;
  /** Latencies. */
  readonly #delays: Random;
  /** Whether something goes wrong. */
  readonly faults: Random;
  readonly connections = new Set<Connection>();
  readonly #byAddress = new Map<string, SimHost>();
  readonly #links = new Map<number, Link>();
  readonly #lateHost: (address: string) => SimHost | undefined;
  #connectionsMade = 0;

  /** @param lateHost - Makes the host of an address that nobody has yet, if there is to be one. */
  constructor(
    scheduler: Scheduler,
    observer: Observer,
    random: Random,
    options: NetworkOptions,
    lateHost: (address: string) => SimHost | undefined,
  ) {
    this.#lateHost = lateHost;
    this.scheduler = scheduler;
    this.observer = observer;
    this.#delays = random.fork("delays");
    this.faults = random.fork("faults");
    this.options = options;
  }

  nextConnectionId(): number {
    return ++this.#connectionsMade;
  }

  /** @throws {RangeError} the address is another host's. */
  addAddress(bytes: Uint8Array, host: SimHost): void {
    const text = addressText(bytes);
    const owner = this.#byAddress.get(text);
    if (owner !== undefined) {
      throw new RangeError(`host ${host.name}: ${text} is the address of ${owner.name}`);
    }
    this.#byAddress.set(text, host);
  }

  hasAddress(bytes: Uint8Array): boolean {
    return this.#byAddress.has(addressText(bytes));
  }

  /** All that have an address. */
  get hosts(): SimHost[] {
    return [...new Set(this.#byAddress.values())];
  }

  /** Who answers to `bytes` when `from` asks. */
  route(from: SimHost, bytes: Uint8Array): SimHost | undefined {
    if (from.owns(bytes)) return from;
    const text = addressText(bytes);
    return this.#byAddress.get(text) ?? this.#lateHost(text);
  }

  link(from: SimHost, to: SimHost): Link {
    const key = from.id * HOSTS_MAX + to.id;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(from, to);
      this.#links.set(key, link);
    }
    return link;
  }

  get links(): Iterable<Link> {
    return this.#links.values();
  }

  /** Puts a packet on its link; returns when it has left the link's start. */
  occupy(packet: Packet, bytes: number): number {
    const { bandwidthBytesPerSecond } = this.options;
    packet.link.occupy(packet, this.scheduler.nowNs, bytes, bandwidthBytesPerSecond);
    return packet.sentNs;
  }

  /** The host has crashed. */
  flush(host: SimHost): void {
    for (const link of this.#links.values()) {
      if (link.from === host) link.flush(this.scheduler.nowNs);
    }
  }

  /** What a packet takes on its way, in nanoseconds. */
  delayNs(): number {
    const { latencyMs, jitterMs } = this.options;
    return jitterMs === 0
      ? latencyMs * 1e6
      : Math.round((latencyMs + jitterMs * this.#delays.next()) * 1e6);
  }

  /** How long a sender waits before it sends again. */
  retryNs(): number {
    const { latencyMs, jitterMs } = this.options;
    return Math.max(200e6, 4e6 * (latencyMs + jitterMs));
  }
}

/** Whether an address is among those that another stands for: itself, or all of its family. */
export function covers(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  return isUnspecified(a) || isUnspecified(b) || a.every((byte, index) => byte === b[index]);
}

export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

//! A bound UDP socket of a simulated host.

import { ERRNO, OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import type { BindFlags } from "../resources/bind-flags.ts";
import { sameAddress } from "../resources/endpoint.ts";
import { isMulticast } from "../resources/memberships.ts";
import type { DatagramPort } from "../resources/udp-socket.ts";
import { covers, isUnspecified } from "./network.ts";
import type { SimHost } from "./sim-host.ts";
import type { Udp } from "./udp.ts";

/** The interfaces that every host has, by number. */
export const INTERFACE = { LOOPBACK: 1, NETWORK: 2 } as const;

export class UdpPort implements DatagramPort {
  readonly flags: BindFlags;
  /** Called with what arrives. */
  onDatagram: (data: Uint8Array, source: Endpoint) => void = () => {};
  /** Called when nobody listens where it is connected to. */
  onRefused: () => void = () => {};
  readonly #udp: Udp;
  readonly #host: SimHost;
  readonly #bound: Endpoint;
  readonly #options = new Map<number, number>();
  /** Groups, and the interface of each. */
  readonly #groups: { readonly bytes: Uint8Array; readonly at: number }[] = [];
  #peer: Endpoint | undefined;

  constructor(udp: Udp, host: SimHost, bound: Endpoint, flags: BindFlags) {
    this.#udp = udp;
    this.#host = host;
    this.#bound = bound;
    this.flags = flags;
  }

  get local(): Endpoint {
    if (this.#peer === undefined || !isUnspecified(this.#bound.bytes)) return this.#bound;
    return { ...this.#bound, bytes: this.#host.sourceFor(this.#peer.bytes) };
  }

  get peer(): Endpoint | undefined {
    return this.#peer;
  }

  readonly options = {
    options: Object.values(OPTION),
    set: (option: number, value: number): number => {
      this.#options.set(option, value);
      return 0;
    },
  };

  option(option: number, initially: number): number {
    return this.#options.get(option) ?? initially;
  }

  /** `done` is called when the datagram has left the host, whether or not it arrives. */
  send(data: Uint8Array, to: Endpoint, done: (result: number) => void): void {
    this.#udp.send(this, data, to, done);
  }

  connect(peer: Endpoint | undefined): number {
    this.#peer = peer;
    return 0;
  }

  membership({ bytes, scope }: Endpoint, join: boolean): number {
    if (scope > INTERFACE.NETWORK) return -ERRNO.ENODEV;
    const at = scope === 0 ? INTERFACE.NETWORK : scope;
    if (join) this.#groups.push({ bytes, at });
    else
      this.#groups.splice(
        this.#groups.findIndex((group) => isGroup(group, bytes, at)),
        1,
      );
    return 0;
  }

  /** Whether a datagram that came over an interface is for this socket. */
  hears(source: Endpoint, target: Endpoint, at: number): boolean {
    if (this.#peer !== undefined && !sameAddress(this.#peer, source)) return false;
    const { bytes } = this.#bound;
    if (isBroadcast(target.bytes)) return bytes.length === 4 && isUnspecified(bytes);
    if (!covers(bytes, target.bytes)) return false;
    if (!isMulticast(target.bytes)) return true;
    return this.#groups.some((group) => isGroup(group, target.bytes, at));
  }

  /** Of several sockets that hear a datagram for one, the higher gets it. */
  get claim(): number {
    return (this.#peer === undefined ? 0 : 2) + (isUnspecified(this.#bound.bytes) ? 0 : 1);
  }

  keepAlive(_alive: boolean): void {}

  close(): void {
    this.#udp.remove(this);
  }
}

export function isBroadcast(bytes: Uint8Array): boolean {
  return bytes.length === 4 && bytes.every((byte) => byte === 255);
}

function isGroup(
  group: { readonly bytes: Uint8Array; readonly at: number },
  bytes: Uint8Array,
  at: number,
): boolean {
  return group.at === at && group.bytes.every((byte, index) => byte === bytes[index]);
}

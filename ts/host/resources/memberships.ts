//! The multicast groups of a UDP socket. Hosts tell a second join, or a leave without one, in different
//! ways: so both are found here.

import { ADDRESS, ERRNO } from "../../abi.gen.ts";
import type { Grants } from "../backend.ts";
import { type Endpoint, endpointGranted } from "../grants.ts";
import type { GuestRing, Submission } from "../ring.ts";
import { addressText } from "./address-text.ts";
import { readEndpoint } from "./endpoint.ts";

/** Who joins. */
export interface GroupMember {
  readonly local: Endpoint;
  membership(group: Endpoint, join: boolean): number;
}

export class Memberships {
  readonly #member: GroupMember;
  readonly #grants: Grants;
  readonly #joined = new Set<string>();

  constructor(member: GroupMember, grants: Grants) {
    this.#member = member;
    this.#grants = grants;
  }

  /** The result of a MEMBERSHIP. */
  start(ring: GuestRing, { pointer, argument }: Submission): number {
    if (argument > 1) return -ERRNO.EINVAL;
    const address = readEndpoint(ring, pointer);
    if (typeof address === "number") return address;
    const { local } = this.#member;
    if (address.bytes.length !== local.bytes.length) return -ERRNO.EAFNOSUPPORT;
    const group = { ...address, port: local.port, scope: scopeAt(ring, pointer) };
    // What is sent to it can be heard by who listens there, on the socket's port.
    if (!endpointGranted(this.#grants.listen, group)) return -ERRNO.ENOTCAPABLE;
    if (!isMulticast(group.bytes)) return -ERRNO.EINVAL;
    const join = argument === 1;
    const key = `${addressText(group.bytes)} ${group.scope}`;
    if (this.#joined.has(key) === join) return -(join ? ERRNO.EADDRINUSE : ERRNO.EADDRNOTAVAIL);
    const result = this.#member.membership(group, join);
    if (result < 0) return result;
    if (join) this.#joined.add(key);
    else this.#joined.delete(key);
    return 0;
  }
}

/** The number of the interface: of IPv4 addresses too. */
function scopeAt(ring: GuestRing, pointer: number): number {
  const scope = ring.copyOut(pointer + ADDRESS.scope, 4)!;
  return new DataView(scope.buffer).getUint32(0, true);
}

export function isMulticast(bytes: Uint8Array): boolean {
  return bytes.length === 4 ? bytes[0]! >> 4 === 0xe : bytes[0] === 0xff;
}

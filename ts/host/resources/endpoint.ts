//! sf_address in guest memory, for backends written in JavaScript.

import { ADDRESS, ERRNO, FAMILY } from "../../abi.gen.ts";
import type { EndpointGrant } from "../backend.ts";
import { type Endpoint, endpointGranted } from "../grants.ts";
import type { GuestRing } from "../ring.ts";
import type { Operation } from "./operation.ts";
import type { Context } from "./resource.ts";

/** The sf_address at `pointer`, or a negated errno. */
export function readEndpoint(ring: GuestRing, pointer: number): Endpoint | number {
  const record = ring.copyOut(pointer, ADDRESS.size);
  if (record === undefined) return -ERRNO.EFAULT;
  const view = new DataView(record.buffer);
  const family = view.getUint16(ADDRESS.family, true);
  if (family !== FAMILY.IPV4 && family !== FAMILY.IPV6) return -ERRNO.EAFNOSUPPORT;
  const length = family === FAMILY.IPV4 ? 4 : 16;
  return {
    bytes: record.slice(ADDRESS.bytes, ADDRESS.bytes + length),
    port: view.getUint16(ADDRESS.port, true),
    scope: family === FAMILY.IPV6 ? view.getUint32(ADDRESS.scope, true) : 0,
  };
}

/** Whether both are one address and port. */
export function sameAddress(a: Endpoint, b: Endpoint): boolean {
  return (
    a.port === b.port &&
    a.bytes.length === b.bytes.length &&
    a.bytes.every((byte, index) => byte === b.bytes[index])
  );
}

/** Writes an sf_address, all zero for an unknown one. Returns 0 or a negated errno. */
export function writeEndpoint(
  ring: GuestRing,
  pointer: number,
  endpoint: Endpoint | undefined,
): number {
  if (!ring.inRange(pointer, ADDRESS.size)) return -ERRNO.EFAULT;
  const record = new Uint8Array(ADDRESS.size);
  if (endpoint !== undefined) {
    const view = new DataView(record.buffer);
    view.setUint16(ADDRESS.family, endpoint.bytes.length === 4 ? FAMILY.IPV4 : FAMILY.IPV6, true);
    view.setUint16(ADDRESS.port, endpoint.port, true);
    view.setUint32(ADDRESS.scope, endpoint.scope, true);
    record.set(endpoint.bytes, ADDRESS.bytes);
  }
  ring.copyIn(pointer, record);
  return 0;
}

/** The endpoint that the guest names for a new handle and may use, or a negated errno. */
export function grantedEndpoint(
  { ring, handles, sandbox }: Context,
  grants: readonly EndpointGrant[] | undefined,
  { submission }: Operation,
): Endpoint | number {
  const endpoint = readEndpoint(ring, submission.pointer);
  if (typeof endpoint === "number") return endpoint;
  if (!endpointGranted(grants, endpoint)) return -ERRNO.ENOTCAPABLE;
  if (sandbox?.allowsEndpoint(endpoint) === false) return -ERRNO.ENOTCAPABLE;
  return handles.full ? -ERRNO.EMFILE : endpoint;
}

//! Random operations with an sf_address each, and what the laws say of every one of them.

import * as fc from "fast-check";
import { ADDRESS, DATAGRAM_MAX, type ERRNO, FAMILY, OP } from "../../ts/abi.gen.ts";
import { LOOPBACK, LOOPBACK_IPV6 } from "../conformance/guest.ts";

export type Kind = "udp4" | "udp6" | "listener" | "stream" | "forged";

/** In an area, shortly before the end of the memory, or beyond it. Offsets go round. */
export interface Place {
  readonly from: "start" | "end" | "beyond";
  readonly offset: number;
}

export interface Step {
  readonly op: number;
  /** Which of the bench's handles. */
  readonly handle: number;
  /** What lies at `address` when the operation reads it there: 24 bytes. */
  readonly record: Uint8Array;
  readonly address: Place;
  readonly buffer: Place;
  readonly length: number;
  readonly cancel: boolean;
}

export interface Batch {
  readonly steps: readonly Step[];
  readonly after: "turn" | "loop" | "grow";
}

/**
 * An address starts within so many bytes of one of two areas, that of what operations read and that of what
 * they write, so that neither changes the other. Each area is longer by an address.
 */
export const AREA_BYTES = 4096;

const place: fc.Arbitrary<Place> = fc.record({
  from: fc.oneof(
    { weight: 8, arbitrary: fc.constant("start" as const) },
    { weight: 2, arbitrary: fc.constant("end" as const) },
    { weight: 1, arbitrary: fc.constant("beyond" as const) },
  ),
  offset: fc.oneof(fc.nat(64), fc.nat(AREA_BYTES - 1), fc.nat(0xffff_ffff)),
});

/** What no operation reads stays garbage: the tail of an IPv4 address, and its scope. */
const record: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.uint8Array({ minLength: ADDRESS.size, maxLength: ADDRESS.size }),
    fc.constantFrom("garbage", "family", "loopback", "loopback", "loopback", "loopback"),
    fc.constantFrom(FAMILY.IPV4, FAMILY.IPV4, FAMILY.IPV6),
  )
  .map(([bytes, how, family]) => {
    if (how !== "garbage") new DataView(bytes.buffer).setUint16(ADDRESS.family, family, true);
    if (how === "loopback") {
      bytes.set(family === FAMILY.IPV4 ? LOOPBACK : LOOPBACK_IPV6, ADDRESS.bytes);
    }
    return bytes;
  });

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom(
    OP.LISTEN,
    OP.CONNECT,
    OP.UDP_BIND,
    OP.ACCEPT,
    OP.LOCAL_ADDRESS,
    OP.PEER_ADDRESS,
    OP.SEND_TO,
    OP.SEND_TO,
    OP.RECEIVE_FROM,
    OP.RECEIVE_FROM,
  ),
  handle: fc.nat(255),
  record,
  address: place,
  buffer: place,
  length: fc.oneof(
    { weight: 4, arbitrary: fc.nat(2000) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, DATAGRAM_MAX, DATAGRAM_MAX + 1, 0x7fff_ffff, 0xffff_ffff),
    },
  ),
  cancel: fc.constantFrom(false, false, false, true),
});

export const batches: fc.Arbitrary<Batch[]> = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    after: fc.constantFrom("turn", "loop", "grow"),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Whether the operation reads the address; else it writes one. */
export function readsAddress(op: number): boolean {
  return op === OP.LISTEN || op === OP.CONNECT || op === OP.UDP_BIND || op === OP.SEND_TO;
}

export interface Situation {
  readonly op: number;
  readonly kind: Kind;
  readonly address: number;
  readonly pointer: number;
  readonly length: number;
  readonly memory: Uint8Array;
}

/**
 * The error that the operation must end with. Undefined: none, one of the system's, or that of a
 * cancel. The first rule that applies decides.
 */
export function expectedErrno(situation: Situation): keyof typeof ERRNO | undefined {
  const { op, kind, address, pointer, length, memory } = situation;
  const fits = (at: number, bytes: number): boolean => at + bytes <= memory.length;
  const addressFits = fits(address, ADDRESS.size);
  if (op === OP.LISTEN || op === OP.CONNECT || op === OP.UDP_BIND) {
    if (!addressFits) return "EFAULT";
    const family = familyAt(memory, address);
    if (family === undefined) return "EAFNOSUPPORT";
    return granted(memory, address, op !== OP.CONNECT) ? undefined : "ENOTCAPABLE";
  }
  if (kind === "forged") return "EBADF";
  const udp = kind === "udp4" || kind === "udp6";
  switch (op) {
    case OP.ACCEPT:
      if (kind !== "listener") return udp ? "ENOTSUP" : "EINVAL";
      return addressFits ? undefined : "EFAULT";
    case OP.LOCAL_ADDRESS:
      return addressFits ? undefined : "EFAULT";
    case OP.PEER_ADDRESS:
      if (kind !== "stream") return "ENOTCONN";
      return addressFits ? undefined : "EFAULT";
    case OP.RECEIVE_FROM:
      if (!udp) return "ENOTSUP";
      return addressFits && (length === 0 || fits(pointer, length)) ? undefined : "EFAULT";
    default:
      if (!udp) return "ENOTSUP";
      if (!addressFits) return "EFAULT";
      if (familyAt(memory, address) !== (kind === "udp4" ? FAMILY.IPV4 : FAMILY.IPV6)) {
        return "EAFNOSUPPORT";
      }
      if (!granted(memory, address, false)) return "ENOTCAPABLE";
      if (portAt(memory, address) === 0) return "EINVAL";
      if (length > 0 && !fits(pointer, length)) return "EFAULT";
      return length > DATAGRAM_MAX ? "EMSGSIZE" : undefined;
  }
}

function familyAt(memory: Uint8Array, address: number): number | undefined {
  const family = memory[address]! | (memory[address + 1]! << 8);
  return family === FAMILY.IPV4 || family === FAMILY.IPV6 ? family : undefined;
}

function portAt(memory: Uint8Array, address: number): number {
  return memory[address + ADDRESS.port]! | (memory[address + ADDRESS.port + 1]! << 8);
}

/** Loopback is: to listen on port 0, to connect and send anywhere. */
function granted(memory: Uint8Array, address: number, listen: boolean): boolean {
  const bytes = familyAt(memory, address) === FAMILY.IPV4 ? LOOPBACK : LOOPBACK_IPV6;
  const at = address + ADDRESS.bytes;
  return (
    bytes.every((byte, index) => memory[at + index] === byte) &&
    (!listen || portAt(memory, address) === 0)
  );
}

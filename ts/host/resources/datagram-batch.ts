//! What a UDP socket's operation moves: one datagram or several, as the guest's memory says.

import { ADDRESS, DATAGRAM, DATAGRAM_MAX, ERRNO, IOVEC_MAX, OP } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { type GuestRing, NO_SEGMENTS, type Segments, type Submission } from "../ring.ts";
import { readEndpoint, writeEndpoint } from "./endpoint.ts";

/** What an IPv4 packet of 65,535 bytes has left besides its headers. */
const IPV4_DATAGRAM_MAX = 65_507;

/** A datagram that the guest wants sent. */
export interface Outgoing {
  readonly buffers: Segments;
  readonly to: Endpoint;
}

/** A datagram that has come. */
export interface Incoming {
  readonly data: Uint8Array;
  readonly source: Endpoint | undefined;
}

/** Where an address may lead, or a negated errno; undefined: the guest names none. */
export type Destination = (address: Endpoint | undefined) => Endpoint | number;

/** What a SEND_TO, WRITE, WRITEV or SEND_BATCH sends, or a negated errno. */
export function outgoing(
  ring: GuestRing,
  submission: Submission,
  destination: Destination,
): Outgoing[] | number {
  if (submission.code === OP.SEND_BATCH) return outgoingBatch(ring, submission, destination);
  const address =
    submission.code === OP.SEND_TO ? readEndpoint(ring, submission.argument) : undefined;
  const one = checked(ring.buffers(submission), address, destination);
  return typeof one === "number" ? one : [one];
}

/** Up to the first that cannot be sent. */
function outgoingBatch(
  ring: GuestRing,
  { pointer, length }: Submission,
  destination: Destination,
): Outgoing[] | number {
  const records = readRecords(ring, pointer, length);
  if (typeof records === "number") return records;
  const batch: Outgoing[] = [];
  for (let index = 0; index < length; index++) {
    const at = index * DATAGRAM.size;
    const named = records.getUint16(at + DATAGRAM.address + ADDRESS.family, true) !== 0;
    const address = named ? readEndpoint(ring, pointer + at + DATAGRAM.address) : undefined;
    const one = checked(bufferOf(ring, records, at), address, destination);
    if (typeof one !== "number") batch.push(one);
    else if (index === 0) return one;
    else break;
  }
  return batch;
}

function checked(
  buffers: Segments | number,
  address: Endpoint | number | undefined,
  destination: Destination,
): Outgoing | number {
  if (typeof address === "number") return address;
  const to = destination(address);
  if (typeof to === "number") return to;
  if (typeof buffers === "number") return buffers;
  const most = to.bytes.length === 4 ? IPV4_DATAGRAM_MAX : DATAGRAM_MAX;
  return buffers.bytes > most ? -ERRNO.EMSGSIZE : { buffers, to };
}

/** Where a READ, READV, RECEIVE_FROM or RECEIVE_BATCH wants its datagrams, or a negated errno. */
export function slots(ring: GuestRing, submission: Submission): Segments[] | number {
  const { code, pointer, length, argument } = submission;
  if (code !== OP.RECEIVE_BATCH) {
    const buffers = ring.buffers(submission);
    if (typeof buffers === "number") return buffers;
    const wild = code === OP.RECEIVE_FROM && argument !== 0;
    return wild && !ring.inRange(argument, ADDRESS.size) ? -ERRNO.EFAULT : [buffers];
  }
  const records = readRecords(ring, pointer, length);
  if (typeof records === "number") return records;
  const batch: Segments[] = [];
  for (let index = 0; index < length; index++) {
    const buffers = bufferOf(ring, records, index * DATAGRAM.size);
    if (typeof buffers === "number") return buffers;
    batch.push(buffers);
  }
  return batch;
}

/** Puts datagrams where the operation wants them, at most one into each slot. Returns its result. */
export function deliver(
  ring: GuestRing,
  submission: Submission,
  into: readonly Segments[],
  datagrams: readonly Incoming[],
): number {
  const { code, pointer, argument } = submission;
  for (const [index, { data, source }] of datagrams.entries()) {
    const slot = into[index]!;
    const bytes = Math.min(data.length, slot.bytes);
    ring.scatter(data.subarray(0, bytes), slot);
    if (code === OP.RECEIVE_BATCH) {
      const at = pointer + index * DATAGRAM.size;
      writeUint32(ring, at + DATAGRAM.result, bytes);
      writeUint32(ring, at + DATAGRAM.truncated, data.length > bytes ? 1 : 0);
      writeEndpoint(ring, at + DATAGRAM.address, source);
      continue;
    }
    if (code === OP.RECEIVE_FROM && argument !== 0) writeEndpoint(ring, argument, source);
    return bytes;
  }
  return datagrams.length;
}

/** What became of each, up to the first that failed, told to the guest. Returns the operation's result. */
export function sent(
  ring: GuestRing,
  { code, pointer }: Submission,
  results: readonly number[],
): number {
  const failed = results.findIndex((result) => result < 0);
  if (failed === 0 || code !== OP.SEND_BATCH) return results[0]!;
  const count = failed < 0 ? results.length : failed;
  for (let index = 0; index < count; index++) {
    writeUint32(ring, pointer + index * DATAGRAM.size + DATAGRAM.result, results[index]!);
  }
  return count;
}

function readRecords(ring: GuestRing, pointer: number, count: number): DataView | number {
  if (count > IOVEC_MAX) return -ERRNO.EINVAL;
  const records = ring.copyOut(pointer, count * DATAGRAM.size);
  return records === undefined ? -ERRNO.EFAULT : new DataView(records.buffer);
}

function bufferOf(ring: GuestRing, records: DataView, at: number): Segments | number {
  const pointer = records.getUint32(at + DATAGRAM.pointer, true);
  const length = records.getUint32(at + DATAGRAM.length, true);
  if (length === 0) return NO_SEGMENTS;
  if (!ring.inRange(pointer, length)) return -ERRNO.EFAULT;
  return { pieces: [pointer, length], bytes: length };
}

function writeUint32(ring: GuestRing, at: number, value: number): void {
  const record = new DataView(new ArrayBuffer(4));
  record.setUint32(0, value, true);
  ring.copyIn(at, new Uint8Array(record.buffer));
}

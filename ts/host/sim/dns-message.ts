//! DNS messages (RFC 1035), as far as a server needs that answers for a few names.

export const QTYPE = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const RCODE = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4 } as const;

const CLASS_IN = 1;
const HEADER_BYTES = 12;
const FLAG_RESPONSE = 0x8000;
const FLAG_AUTHORITATIVE = 0x0400;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const OPCODE_MASK = 0x7800;
const FLAG_TRUNCATED = 0x0200;
const NAME_BYTES_MAX = 255;
/** A pointer to the name of the first question. */
const QUESTION_NAME = [0xc0, HEADER_BYTES];
const TTL_SECONDS = 60;
/** Of a datagram, for who does not say that it takes more. */
const DATAGRAM_BYTES = 512;

export interface DnsQuestion {
  /** In lower case, without the dot at the end. */
  readonly name: string;
  readonly type: number;
}

export interface DnsQuery {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** Undefined: a message that asks for something else, or that makes no sense. */
  readonly question: DnsQuestion | undefined;
  readonly notImplemented: boolean;
  /** As it was asked. */
  readonly questionBytes: Uint8Array;
  /** How much it takes in one datagram. */
  readonly datagramBytes: number;
}

export interface DnsRecord {
  /** Whose it is. Absent: of the name that was asked for. */
  readonly owner?: string;
  /** How long it may be remembered. Absent: a minute. */
  readonly ttlSeconds?: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** Undefined: not even a query whose answer somebody would know for one. */
export function readQuery(message: Uint8Array): DnsQuery | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if ((flags & FLAG_RESPONSE) !== 0) return undefined;
  const found = view.getUint16(4) === 1 ? readQuestion(message, view) : undefined;
  return {
    id: view.getUint16(0),
    recursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
    question: found?.question,
    notImplemented: (flags & OPCODE_MASK) !== 0,
    questionBytes: found === undefined ? new Uint8Array(0) : message.slice(HEADER_BYTES, found.end),
    datagramBytes: found === undefined ? DATAGRAM_BYTES : datagramBytes(message, view, found.end),
  };
}

/** @param bytesMax - Of a longer one only the question is left, marked as truncated. */
export function writeAnswer(
  query: DnsQuery,
  rcode: number,
  records: readonly DnsRecord[],
  bytesMax: number,
): Uint8Array {
  const answers = records.flatMap(({ owner, ttlSeconds = TTL_SECONDS, type, data }) => [
    ...(owner === undefined ? QUESTION_NAME : encodeName(owner)),
    ...uint16(type),
    ...uint16(CLASS_IN),
    ...uint16(ttlSeconds >>> 16),
    ...uint16(ttlSeconds & 0xffff),
    ...uint16(data.length),
    ...data,
  ]);
  const truncated = HEADER_BYTES + query.questionBytes.length + answers.length > bytesMax;
  const flags =
    FLAG_RESPONSE |
    FLAG_AUTHORITATIVE |
    FLAG_RECURSION_AVAILABLE |
    (truncated ? FLAG_TRUNCATED : 0) |
    (query.recursionDesired ? FLAG_RECURSION_DESIRED : 0) |
    rcode;
  const questions = query.questionBytes.length > 0 ? 1 : 0;
  const counts = [questions, truncated ? 0 : records.length, 0, 0];
  return Uint8Array.from([
    ...uint16(query.id),
    ...uint16(flags),
    ...counts.flatMap(uint16),
    ...query.questionBytes,
    ...(truncated ? [] : answers),
  ]);
}

/** A name in labels, as in the data of a PTR record. */
export function encodeName(name: string): Uint8Array {
  const encoder = new TextEncoder();
  const labels = name.split(".").map((label) => encoder.encode(label));
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
}

/** What an OPT record says that comes first behind the question, where those who write one have it. */
function datagramBytes(message: Uint8Array, view: DataView, end: number): number {
  const alone = view.getUint16(6) === 0 && view.getUint16(8) === 0 && view.getUint16(10) > 0;
  if (!alone || end + 11 > message.length) return DATAGRAM_BYTES;
  if (message[end] !== 0 || view.getUint16(end + 1) !== QTYPE.OPT) return DATAGRAM_BYTES;
  return Math.max(DATAGRAM_BYTES, view.getUint16(end + 3));
}

function readQuestion(
  message: Uint8Array,
  view: DataView,
): { question: DnsQuestion; end: number } | undefined {
  const labels: string[] = [];
  const decoder = new TextDecoder();
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at++];
    if (length === undefined || length > 63 || at + length > message.length) return undefined;
    if (length === 0) break;
    labels.push(decoder.decode(message.subarray(at, at + length)));
    at += length;
    if (at - HEADER_BYTES > NAME_BYTES_MAX) return undefined;
  }
  if (at + 4 > message.length || view.getUint16(at + 2) !== CLASS_IN) return undefined;
  const question = { name: labels.join(".").toLowerCase(), type: view.getUint16(at) };
  return { question, end: at + 4 };
}

function uint16(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}

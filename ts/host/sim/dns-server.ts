//! The name server of a world: port 53 of one of its hosts, for datagrams and connections. Knows the names
//! of all hosts, and those that the embedder adds.

import type { Endpoint } from "../grants.ts";
import { parseAddress } from "../resources/address-text.ts";
import {
  type DnsQuery,
  type DnsQuestion,
  type DnsRecord,
  encodeName,
  QTYPE,
  RCODE,
  readQuery,
  writeAnswer,
} from "./dns-message.ts";
import type { SimHost } from "./sim-host.ts";
import type { Socket } from "./socket.ts";

const DNS_PORT = 53;
const BACKLOG = 64;

/** In front of a message on a connection. */
const LENGTH_BYTES = 2;
const MESSAGE_BYTES_MAX = 65_535;

/** As in other servers. */
const ALIASES_MAX = 16;

/** A name besides those of hosts. */
export interface NameOptions {
  /** Numeric. @defaultValue none */
  readonly addresses?: readonly string[];
  /** Another name that it stands for: a CNAME record. */
  readonly alias?: string;
  /** How long its records may be remembered, in seconds. 0 to 2 ** 31 - 1. @defaultValue 60 */
  readonly ttlSeconds?: number;
}

/** What a name server knows. */
export interface Zone {
  readonly hosts: () => Iterable<SimHost>;
  /** By name in lower case. */
  readonly names: ReadonlyMap<string, NameOptions>;
}

/** Has `server` answer for `zone`, and again after every restart. */
export function serveDns(server: SimHost, zone: Zone): void {
  server.onStart(() => {
    for (const bytes of [new Uint8Array(4), new Uint8Array(16)]) {
      const local = { bytes, port: DNS_PORT, scope: 0 };
      const port = server.udp.bind(local);
      const listener = server.tcp.listen(local, BACKLOG);
      if (typeof port === "number" || typeof listener === "number") {
        throw new Error(`host ${server.name}: port ${DNS_PORT} is taken`);
      }
      port.onDatagram = (data, source: Endpoint) => {
        const query = readQuery(data);
        if (query === undefined) return;
        port.send(answer(query, zone, query.datagramBytes), source, () => {});
      };
      listener.onConnection = () => {
        const socket = listener.accept();
        if (socket !== undefined) serveConnection(socket, zone);
      };
    }
  });
}

/** One query, and its answer. */
function serveConnection(socket: Socket, zone: Zone): void {
  let received = new Uint8Array(0);
  const readable = (): void => {
    while (socket.in.available > 0) {
      received = Uint8Array.from([...received, ...socket.in.take(MESSAGE_BYTES_MAX)]);
    }
    const [high, low] = received;
    if (low !== undefined) {
      const bytes = high! * 256 + low;
      if (received.length >= LENGTH_BYTES + bytes) {
        reply(received.subarray(LENGTH_BYTES, LENGTH_BYTES + bytes));
        return;
      }
    }
    if (socket.readEnd !== undefined) socket.close();
  };
  const reply = (message: Uint8Array): void => {
    const query = readQuery(message);
    if (query !== undefined) {
      const text = answer(query, zone, MESSAGE_BYTES_MAX);
      socket.out.write(Uint8Array.of(text.length >> 8, text.length & 0xff, ...text));
    }
    socket.close();
  };
  socket.owner = { readable, writable: () => {} };
  readable();
}

function answer(query: DnsQuery, zone: Zone, bytesMax: number): Uint8Array {
  if (query.notImplemented) return writeAnswer(query, RCODE.NOTIMP, [], bytesMax);
  if (query.question === undefined) return writeAnswer(query, RCODE.FORMERR, [], bytesMax);
  const records = recordsOf(query.question, zone);
  const rcode = records === undefined ? RCODE.NXDOMAIN : RCODE.NOERROR;
  return writeAnswer(query, rcode, records ?? [], bytesMax);
}

/** What `zone` has for a name, IPv6 first. */
export function zoneAddresses(name: string, zone: Zone): Uint8Array[] {
  return [QTYPE.AAAA, QTYPE.A].flatMap((type) =>
    (recordsOf({ name, type }, zone) ?? []).flatMap((record) =>
      record.type === type ? [record.data] : [],
    ),
  );
}

/** Undefined: there is no such name. */
function recordsOf({ name, type }: DnsQuestion, zone: Zone): readonly DnsRecord[] | undefined {
  const aliases: DnsRecord[] = [];
  let owner = name;
  while (aliases.length < ALIASES_MAX) {
    const known = zone.names.get(owner);
    const own = aliases.length === 0 ? {} : { owner };
    const ttl = known?.ttlSeconds === undefined ? {} : { ttlSeconds: known.ttlSeconds };
    if (known?.alias === undefined || type === QTYPE.CNAME) {
      const records = known === undefined ? hostRecords(owner, type, zone) : given(known, type);
      return records === undefined
        ? undefined
        : [...aliases, ...records.map((record) => ({ ...own, ...ttl, ...record }))];
    }
    aliases.push({ ...own, ...ttl, type: QTYPE.CNAME, data: encodeName(known.alias) });
    owner = known.alias.toLowerCase();
  }
  return aliases;
}

function given({ addresses = [], alias }: NameOptions, type: number): DnsRecord[] {
  const names = alias === undefined ? [] : [{ type: QTYPE.CNAME, data: encodeName(alias) }];
  return ofType([...names, ...addresses.map(addressRecord)], type);
}

function hostRecords(name: string, type: number, zone: Zone): readonly DnsRecord[] | undefined {
  for (const host of zone.hosts()) {
    const { ipv4, ipv6 } = host.addresses;
    if (name === host.name.toLowerCase()) return ofType([ipv4, ipv6].map(addressRecord), type);
    if (name === reverseName(ipv4) || name === reverseName(ipv6)) {
      return ofType([{ type: QTYPE.PTR, data: encodeName(host.name) }], type);
    }
  }
  return undefined;
}

function addressRecord(text: string): DnsRecord {
  const data = parseAddress(text)!;
  return { type: data.length === 4 ? QTYPE.A : QTYPE.AAAA, data };
}

function ofType(records: readonly DnsRecord[], type: number): DnsRecord[] {
  return records.filter((record) => type === record.type || type === QTYPE.ANY);
}

/** "1.0.0.10.in-addr.arpa" for 10.0.0.1; nibbles below ip6.arpa for IPv6. */
function reverseName(address: string): string {
  const bytes = [...parseAddress(address)!];
  if (bytes.length === 4) return `${bytes.reverse().join(".")}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join(".")}.ip6.arpa`;
}

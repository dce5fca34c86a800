//! The name server of a world: port 53 of one of its hosts. Knows the names of all hosts.

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

const DNS_PORT = 53;

/** Has `server` answer for `hosts`, and again after every restart. */
export function serveDns(server: SimHost, hosts: () => Iterable<SimHost>): void {
  server.onStart(() => {
    for (const bytes of [new Uint8Array(4), new Uint8Array(16)]) {
      const port = server.udp.bind({ bytes, port: DNS_PORT, scope: 0 });
      if (typeof port === "number") throw new Error(`host ${server.name}: port 53 is taken`);
      port.onDatagram = (data, source: Endpoint) => {
        const query = readQuery(data);
        if (query !== undefined) port.send(answer(query, hosts()), source, () => {});
      };
    }
  });
}

function answer(query: DnsQuery, hosts: Iterable<SimHost>): Uint8Array {
  if (query.notImplemented) return writeAnswer(query, RCODE.NOTIMP, []);
  if (query.question === undefined) return writeAnswer(query, RCODE.FORMERR, []);
  const records = recordsOf(query.question, hosts);
  const rcode = records === undefined ? RCODE.NXDOMAIN : RCODE.NOERROR;
  return writeAnswer(query, rcode, records ?? []);
}

/** Undefined: there is no such name. */
function recordsOf(
  { name, type }: DnsQuestion,
  hosts: Iterable<SimHost>,
): readonly DnsRecord[] | undefined {
  for (const host of hosts) {
    const { ipv4, ipv6 } = host.addresses;
    if (name === host.name.toLowerCase()) {
      const all = [
        { type: QTYPE.A, data: parseAddress(ipv4)! },
        { type: QTYPE.AAAA, data: parseAddress(ipv6)! },
      ];
      return all.filter((record) => type === record.type || type === QTYPE.ANY);
    }
    if (name === reverseName(ipv4) || name === reverseName(ipv6)) {
      const wanted = type === QTYPE.PTR || type === QTYPE.ANY;
      return wanted ? [{ type: QTYPE.PTR, data: encodeName(host.name) }] : [];
    }
  }
  return undefined;
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

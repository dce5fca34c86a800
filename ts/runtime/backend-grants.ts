//! Grants as people write them, with endpoints like "127.0.0.1:8080", "[::1]:*", "localhost:0", "*".

import type { DnsGrant, EndpointGrant, Grants, NameServer, StdioGrant } from "../host/backend.ts";
import { parseAddress } from "../host/resources/address-text.ts";
import type { RuntimeDnsGrant, RuntimeGrants, StandardStream } from "./options.ts";

/** By number. */
const STANDARD_STREAMS: readonly StandardStream[] = ["stdin", "stdout", "stderr"];

/** @throws {RangeError} that says which endpoint, server or stream is none. */
export function backendGrants({
  directories,
  connect,
  listen,
  dns,
  stdio,
  processes,
}: RuntimeGrants = {}): Grants {
  return {
    directories: directories ?? [],
    connect: (connect ?? []).flatMap(parseEndpoint),
    listen: (listen ?? []).flatMap(parseEndpoint),
    ...(dns === undefined ? {} : { dns: dnsGrant(dns) }),
    ...(stdio === undefined ? {} : { stdio: stdioGrant(stdio) }),
    ...(processes === undefined ? {} : { processes }),
  };
}

/**
 * The grants that "host:port" means. Host: a numeric address, `localhost` (both loopbacks) or `*`.
 * Port: 0 to 65535 or `*`. "*" alone is "*:*".
 *
 * @throws {RangeError} that says what is wrong.
 */
function parseEndpoint(text: string): EndpointGrant[] {
  if (text === "*") return [{}];
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\*|\d{1,5})$/.exec(text);
  const port = match?.[3] === "*" ? undefined : Number(match?.[3]);
  if (match === null || (port !== undefined && port > 65_535)) {
    throw new RangeError(`endpoint "${text}": write host:port, [ipv6]:port, host:* or *`);
  }
  const host = match[1] ?? match[2]!;
  const withPort = port === undefined ? {} : { port };
  if (host === "*") return [withPort];
  const addresses = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  return addresses.map((address) => ({ ...withPort, bytes: grantAddress(address, text) }));
}

function grantAddress(address: string, text: string): Uint8Array {
  const bytes = parseAddress(address);
  if (bytes !== undefined) return bytes;
  throw new RangeError(`endpoint "${text}": ${address} is not a numeric address, localhost or *`);
}

function stdioGrant(given: true | readonly StandardStream[]): StdioGrant {
  if (given === true) return true;
  return given.map((name) => {
    const number = STANDARD_STREAMS.indexOf(name);
    if (number >= 0) return number as 0 | 1 | 2;
    throw new RangeError(`standard stream "${name}": write ${STANDARD_STREAMS.join(", ")}`);
  });
}

function dnsGrant(given: true | RuntimeDnsGrant): true | DnsGrant {
  if (given === true) return true;
  const { servers, ...texts } = given;
  return servers === undefined ? texts : { ...texts, servers: servers.map(parseServer) };
}

function parseServer(text: string): NameServer {
  const match = /^(?:\[([^\]]+)\](?::(\d{1,5}))?|([^:]+):(\d{1,5})|(.+))$/.exec(text);
  const bytes = parseAddress(match?.[1] ?? match?.[3] ?? match?.[5] ?? "");
  if (bytes === undefined) {
    throw new RangeError(`name server "${text}": write an address, address:port or [ipv6]:port`);
  }
  const port = match?.[2] ?? match?.[4];
  return port === undefined ? { bytes } : { bytes, port: Number(port) };
}

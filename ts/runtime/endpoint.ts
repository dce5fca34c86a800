//! Endpoints as people write them in grants: "127.0.0.1:8080", "[::1]:*", "localhost:0", "*".

import type { EndpointGrant } from "../host/backend.ts";
import { parseAddress } from "../host/resources/address-text.ts";

/**
 * The grants that "host:port" means. Host: a numeric address, `localhost` (both loopbacks) or `*`.
 * Port: 0 to 65535 or `*`. "*" alone is "*:*".
 *
 * @throws {RangeError} that says what is wrong.
 */
export function parseEndpoint(text: string): EndpointGrant[] {
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

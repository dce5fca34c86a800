//! Endpoints as people write them in grants: "127.0.0.1:8080", "[::1]:*", "localhost:0", "*".

import type { EndpointGrant } from "../host/backend.ts";

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
  return addresses.map((address) => ({ ...withPort, bytes: parseAddress(address, text) }));
}

function parseAddress(address: string, text: string): Uint8Array {
  const bytes = address.includes(":") ? parseIpv6(address) : parseIpv4(address);
  if (bytes !== undefined) return bytes;
  throw new RangeError(`endpoint "${text}": ${address} is not a numeric address, localhost or *`);
}

function parseIpv4(address: string): Uint8Array | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function parseIpv6(address: string): Uint8Array | undefined {
  const [head, tail, more] = address.split("::");
  if (more !== undefined) return undefined;
  const left = groups(head!);
  const right = tail === undefined ? [] : groups(tail);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...left, ...new Array<number>(missing).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  if (parts.some((part) => !/^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  return parts.map((part) => Number.parseInt(part, 16));
}

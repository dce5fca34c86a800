//! Endpoints, and their spelling in node:net.

import { networkInterfaces } from "node:os";
import type { Endpoint } from "../grants.ts";

/** The `host` for node:net. A zone is an interface's name there. */
export function hostOf({ bytes, scope }: Endpoint): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push(((bytes[index]! << 8) | bytes[index + 1]!).toString(16));
  }
  const zone = scope === 0 ? undefined : zoneName(scope);
  return zone === undefined ? groups.join(":") : `${groups.join(":")}%${zone}`;
}

/** What node:net says of a socket, as an Endpoint; undefined when the socket has none. */
export function endpointOf(
  host: string | undefined,
  port: number | undefined,
): Endpoint | undefined {
  if (host === undefined || port === undefined) return undefined;
  const [address = "", zone] = host.split("%");
  if (!address.includes(":")) return { bytes: ipv4Bytes(address), port, scope: 0 };
  return { bytes: ipv6Bytes(address), port, scope: zone === undefined ? 0 : zoneIndex(zone) };
}

function ipv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split("."), Number);
}

/** @param text - As inet_ntop writes it: at most one "::", perhaps a dotted tail. */
function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [front = "", back] = text.split("::");
  const head = groupBytes(front);
  const tail = back === undefined ? [] : groupBytes(back);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function zoneName(index: number): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((address) => address.family === "IPv6" && address.scopeid === index)) {
      return name;
    }
  }
  // Windows spells zones as numbers; elsewhere the bind or connect fails and says so.
  return String(index);
}

function zoneIndex(zone: string): number {
  const known = networkInterfaces()[zone]?.find((address) => address.family === "IPv6");
  return known?.family === "IPv6" ? (known.scopeid ?? 0) : Number.parseInt(zone, 10) || 0;
}

//! Endpoints, and their spelling in node:net and node:dgram.

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Endpoint } from "../grants.ts";
import { addressBytes, addressText } from "../resources/address-text.ts";

/** The `host` for both. A zone is an interface's name there. */
export function hostOf({ bytes, scope }: Endpoint): string {
  const address = addressText(bytes);
  return scope === 0 ? address : `${address}%${zoneName(scope)}`;
}

/** What node:net says of a socket, as an Endpoint; undefined when the socket has none. */
export function endpointOf(
  host: string | undefined,
  port: number | undefined,
): Endpoint | undefined {
  if (host === undefined || port === undefined) return undefined;
  const [address = "", zone] = host.split("%");
  return { bytes: addressBytes(address), port, scope: zone === undefined ? 0 : zoneIndex(zone) };
}

function zoneName(index: number): string {
  // Windows spells zones as numbers; elsewhere the bind or connect fails and says so.
  return interfaceName(index) ?? String(index);
}

/** The name of the interface with this number. */
export function interfaceName(index: number): string | undefined {
  const interfaces = networkInterfaces();
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (addresses?.some((address) => address.family === "IPv6" && address.scopeid === index)) {
      return name;
    }
  }
  // One without a link-local address, such as Linux's loopback.
  return Object.keys(interfaces).find((name) => linuxIndex(name) === index);
}

/** The interface's own IPv4 address. */
export function interfaceAddress(name: string): string | undefined {
  return networkInterfaces()[name]?.find(({ family }) => family === "IPv4")?.address;
}

function linuxIndex(name: string): number | undefined {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
  } catch {
    return undefined;
  }
}

function zoneIndex(zone: string): number {
  const known = networkInterfaces()[zone]?.find((address) => address.family === "IPv6");
  return known?.family === "IPv6" ? (known.scopeid ?? 0) : Number.parseInt(zone, 10) || 0;
}

//! Endpoints, and their spelling in node:net and node:dgram.

import { networkInterfaces } from "node:os";
import type { Endpoint } from "../grants.ts";
import { addressBytes, addressText } from "../resources/address-text.ts";

/** The `host` for both. A zone is an interface's name there. */
export function hostOf({ bytes, scope }: Endpoint): string {
  const zone = scope === 0 ? undefined : zoneName(scope);
  return zone === undefined ? addressText(bytes) : `${addressText(bytes)}%${zone}`;
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

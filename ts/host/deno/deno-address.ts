//! Addresses as Deno spells them.

import type { Endpoint } from "../grants.ts";
import { addressBytes, addressText } from "../resources/address-text.ts";
import type { DenoAddress } from "./deno-api.ts";

/** Zones go by number: their names would need a permission of their own. */
export function hostnameOf({ bytes, scope }: Endpoint): string {
  return scope === 0 ? addressText(bytes) : `${addressText(bytes)}%${scope}`;
}

/** Deno does not tell the zone of an address. */
export function endpointOf({ hostname, port }: DenoAddress): Endpoint {
  return { bytes: addressBytes(hostname), port, scope: 0 };
}

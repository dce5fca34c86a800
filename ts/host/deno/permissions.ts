//! What Deno lets this process do, by the names of its flags. Everywhere else everything is allowed.
//!
//! Deno asks the user where it has a terminal, and the whole thread waits for the answer. So whatever
//! may need a permission looks here first, and is refused instead.

import type { Endpoint } from "../grants.ts";
import { addressText } from "../resources/address-text.ts";
import { deno, type Permission } from "./deno-api.ts";

/** Whether Deno allows all of it now. Asks nobody. */
export function permitted(permission: Permission): boolean {
  if (deno === undefined) return true;
  const { state, partial } = deno.permissions.querySync(permission);
  return state === "granted" && !partial;
}

/** The flag that would allow it: "--allow-read=/data". */
export function flagOf(permission: Permission): string {
  const { name, ...scope } = permission;
  const [value] = Object.values(scope);
  return value === undefined ? `--allow-${name}` : `--allow-${name}=${value}`;
}

/** To connect or listen there. Zones do not count. */
export function netPermission({ bytes, port }: Omit<Endpoint, "scope">): Permission {
  const text = addressText(bytes);
  // URL shortens "0:0:0:0:0:0:0:1" to "[::1]", as Deno does.
  const host = bytes.length === 4 ? text : new URL(`http://[${text}]`).hostname;
  return { name: "net", host: `${host}:${port}` };
}

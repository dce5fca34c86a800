//! What Deno's permissions let operations do. What they refuse is remembered by the flag that would
//! have allowed it, for the embedder: all that the guest gets is ENOTCAPABLE.

import { flagOf, type Permission, permitted } from "../../permissions.ts";
import type { Endpoint } from "../grants.ts";
import { addressText } from "./address-text.ts";

/** Flags that are remembered: a guest can need any number. */
const MISSING_MAX = 32;

export class Sandbox {
  readonly #missing = new Set<string>();

  /** Flags that operations have lacked, the first of them. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  allowsEndpoint({ bytes, port }: Endpoint): boolean {
    return this.#allows({ name: "net" }, netPermission(bytes, port));
  }

  /** The host's resolver asks whom it likes. */
  allowsNames(): boolean {
    return this.#allows({ name: "net" }, { name: "net" });
  }

  /** @param root - A directory that `path` is below. */
  allowsFile(name: "read" | "write", root: string, path: string): boolean {
    return this.#allows({ name, path: root }, { name, path });
  }

  allowsProgram(path: string): boolean {
    return this.#allows({ name: "run" }, { name: "run", command: path });
  }

  /** To send signals: Deno knows no processes there. */
  allowsSignals(): boolean {
    return this.#allows({ name: "run" }, { name: "run" });
  }

  /** To make a symbolic link: Deno wants to know that it may lead anywhere. */
  allowsLinks(): boolean {
    return (["read", "write"] as const).every((name) => this.#allows({ name }, { name }));
  }

  /** `wide` includes `narrow`. Asked first: Deno remembers every question. */
  #allows(wide: Permission, narrow: Permission): boolean {
    if (permitted(wide) || permitted(narrow)) return true;
    if (this.#missing.size < MISSING_MAX) this.#missing.add(flagOf(narrow));
    return false;
  }
}

/** To connect or listen there, or without a port anywhere at that address. Zones do not count. */
export function netPermission(bytes: Uint8Array, port?: number): Permission {
  const text = addressText(bytes);
  // URL shortens "0:0:0:0:0:0:0:1" to "[::1]", as Deno does.
  const host = bytes.length === 4 ? text : new URL(`http://[${text}]`).hostname;
  return { name: "net", host: port === undefined ? host : `${host}:${port}` };
}

//! How the hosts of a world find names: its name server, and nothing in their own files.

import type { Grants } from "../backend.ts";
import { type Names, namesOf } from "../resources/names.ts";

export const DNS_ADDRESSES = { ipv4: "10.0.0.53", ipv6: "fd00::35" } as const;

const FILES = {
  configuration: `nameserver ${DNS_ADDRESSES.ipv4}\nnameserver ${DNS_ADDRESSES.ipv6}\n`,
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
};

/** What `grants.dns` gives on a host of a world; undefined: nothing. */
export function simNames({ dns }: Grants): Names | undefined {
  return dns === undefined ? undefined : namesOf(dns === true ? {} : dns, FILES);
}

//! What the guest of the exchange may reach.

import type { Grants } from "../../ts/host/backend.ts";
import { LOOPBACK } from "./guest.ts";
import { CAT, MISSING, SHELL } from "./process-guest.ts";

const PROGRAMS = [SHELL, CAT, MISSING];

/** @param data - The directory that it sees. */
export function exchangeGrants(data: string): Grants {
  return {
    connect: [{ bytes: Uint8Array.from(LOOPBACK) }],
    listen: [{ bytes: Uint8Array.from(LOOPBACK) }],
    dns: {
      configuration: "search example\nnameserver 192.0.2.1\noptions rotate\n",
      hosts: "192.0.2.7 seven\n",
    },
    directories: [
      { host: data, guest: "/data" },
      { host: data, guest: "/readonly", readOnly: true },
    ],
    processes: { programs: PROGRAMS },
  };
}

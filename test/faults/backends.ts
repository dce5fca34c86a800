//! The backends that are tried, and how a runtime gets them.

import type { Backend, BackendName, BackendProvider } from "../../ts/host/backend.ts";
import { MECHANISM_TITLES, type MechanismName } from "../../ts/host/native/mechanisms.ts";
import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { openWithNames } from "../native/other-host.ts";
import { unavailable } from "../support/unavailable.ts";

/** kqueue is over the shim. */
export const FAULT_BACKENDS = ["uring", "epoll", "poll", "kqueue", "node"] as const;

export type FaultBackend = (typeof FAULT_BACKENDS)[number];

export function isNative(backend: FaultBackend): backend is FaultBackend & MechanismName {
  return Object.hasOwn(MECHANISM_TITLES, backend);
}

/** For a runtime. Native ones are those of the addon that is tested. */
export function providerOf(backend: FaultBackend): BackendProvider | BackendName {
  return isNative(backend)
    ? { open: (options) => openWithNames(backend, options) }
    : (backend as BackendName);
}

/** One without grants. */
export function openBackend(backend: FaultBackend): Promise<Backend> {
  const options = { grants: {}, handlesMax: 1 };
  return isNative(backend) ? openWithNames(backend, options) : openNodeBackend(options);
}

/** Why this host does not have it. */
export function whyNot(backend: FaultBackend): Promise<string | undefined> {
  return unavailable(() => openBackend(backend));
}

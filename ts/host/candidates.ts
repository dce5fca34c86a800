//! The backends of a host with an operating system, best first. candidates.browser.ts has a browser's.

import type { Backend, BackendName, BackendOptions } from "./backend.ts";
import { type DenoApi, deno } from "./deno/deno-api.ts";
import type { MechanismName } from "./native/mechanisms.ts";
import { openNone } from "./none/none-backend.ts";

export interface Candidate {
  readonly name: BackendName;
  /** @throws {StackfulError} SF_IO with errno ENOSYS or EPERM where the host lacks the mechanism. */
  open(options: BackendOptions): Promise<Backend>;
}

/** What the platform has of the addon's mechanisms, best first. */
const MECHANISMS: Readonly<Record<string, readonly MechanismName[]>> = {
  linux: ["uring", "epoll"],
  darwin: ["kqueue"],
  freebsd: ["kqueue"],
  win32: ["iocp"],
};

/** Imported on demand: a host without node:net or addons loads this file too. */
export const CANDIDATES: readonly Candidate[] = [
  ...(MECHANISMS[process.platform] ?? []).map(nativeCandidate),
  ...(deno === undefined ? [] : [denoCandidate(deno)]),
  {
    name: "node",
    open: async (options) => (await import("./node/node-backend.ts")).openNodeBackend(options),
  },
  { name: "none", open: openNone },
  // By name only: "auto" never comes this far.
  nativeCandidate("poll"),
  {
    name: "sim",
    open: async (options) => (await import("./sim/private-world.ts")).openPrivateWorld(options),
  },
];

function nativeCandidate(name: MechanismName): Candidate {
  return {
    name,
    open: async (options) => {
      if (deno !== undefined) {
        (await import("./deno/native-permissions.ts")).checkNativePermissions(name, options.grants);
      }
      return (await import("./native/native-backend.ts")).openNative(name, options);
    },
  };
}

function denoCandidate(api: DenoApi): Candidate {
  return {
    name: "deno",
    open: async (options) => (await import("./deno/deno-backend.ts")).openDenoBackend(api, options),
  };
}

//! How an addon is linked, by process.platform.

import type { NativeSystem } from "./compile-addon.ts";

export interface Platform {
  readonly system: NativeSystem;
  readonly linkerFlags: readonly string[];
}

// Node unloads an addon with the last worker that used it, while its event loop may still call it.
const STAYS_LOADED = "-Wl,-z,nodelete";

const BSD: Platform = { system: "kqueue", linkerFlags: [STAYS_LOADED] };

export const PLATFORMS = {
  linux: { system: "linux", linkerFlags: [STAYS_LOADED] },
  darwin: {
    system: "kqueue",
    linkerFlags: [
      // There a library with threads of its own is never unloaded; Node-API is found when it is loaded.
      "-Wl,-undefined,dynamic_lookup",
      // Else it is the path that the linker was given.
      "-Wl,-install_name,@rpath/stackful.node",
    ],
  },
  win32: { system: "windows", linkerFlags: [] },
  freebsd: BSD,
  netbsd: BSD,
  openbsd: BSD,
} as const satisfies Readonly<Record<string, Platform>>;

export type PlatformName = keyof typeof PLATFORMS;

//! The addon with calls that block for as long as a test wants: LOOKUP, and PREAD at ENDLESS.

import { compileAddon, findCompiler } from "../../../scripts/compile-addon.ts";
import { type LoadedAddon, loadAddonFile } from "../../../ts/host/native/load-addon.ts";
import { packageRoot } from "../../../ts/package-files.ts";

/** A PREAD there blocks until it is interrupted. */
export const ENDLESS = 2 ** 40;

/** Builds it if need be. Where that is not possible the reason says why. */
export function loadSlowAddon(): LoadedAddon {
  if (process.platform !== "linux") return { reason: "the addon with slow calls is for Linux" };
  const compiler = findCompiler();
  if (compiler === undefined) return { reason: "there is no C compiler to build it" };
  const file = packageRoot("dist/test-native/slow.node");
  compileAddon({
    file,
    system: "linux",
    compiler,
    linkerFlags: ["-Wl,-z,nodelete"],
    flags: ["-Dgetaddrinfo=sf_test_getaddrinfo", "-Dpreadv=sf_test_preadv"],
    units: [packageRoot("test/native/slow/slow.c")],
  });
  return loadAddonFile(file);
}

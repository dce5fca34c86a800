//! The addon for macOS and the BSDs, built for this Linux over a kqueue made of epoll.

import { type AddonCompilation, compileAddon, findCompiler } from "../../scripts/compile-addon.ts";
import { type LoadedAddon, loadAddonFile } from "../../ts/host/native/load-addon.ts";
import { packageRoot } from "../../ts/package-files.ts";

let loaded: LoadedAddon | undefined;

/** Builds it if need be. Where that is not possible the reason says why. */
export function loadKqueueAddon(): LoadedAddon {
  loaded ??= load();
  return loaded;
}

function load(): LoadedAddon {
  if (process.platform !== "linux") return { reason: "the kqueue shim is for Linux" };
  const compiler = findCompiler();
  if (compiler === undefined) return { reason: "there is no C compiler to build the kqueue shim" };
  const file = packageRoot("dist/test-native/kqueue.node");
  compileAddon(kqueueAddon(file, compiler));
  return loadAddonFile(file);
}

/** How it is compiled. */
export function kqueueAddon(file: string, compiler: readonly string[]): AddonCompilation {
  const shim = packageRoot("test/native/kqueue-shim");
  return {
    file,
    system: "kqueue",
    compiler,
    linkerFlags: ["-Wl,-z,nodelete"],
    flags: ["-DSF_PORTABLE"],
    includes: [shim],
    units: [`${shim}/kqueue.c`],
  };
}

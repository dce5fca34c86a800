//! Finds and loads the native addon: the one that was built here, else the one that came with the package.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ABI_VERSION } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { bundled, packageRoot } from "../../package-files.ts";
import { mayRead } from "../../permissions.ts";
import type { Addon } from "./addon.ts";

/** As far as it may be looked for: Deno would ask the user. */
const isThere = (file: string): boolean => mayRead(file) && existsSync(file);

/** The addon, or why there is none. */
export type LoadedAddon =
  | {
      readonly addon: Addon;
      /** Which one it is. */
      readonly from: string;
      /** Why it is not a better one. */
      readonly insteadOf?: string;
      readonly reason?: undefined;
    }
  | { readonly addon?: undefined; readonly reason: string };

const MACHINE = `${process.platform}-${process.arch}`;

/** Where a build for this machine alone belongs; no package has one. */
export function addonFile(): string {
  return packageRoot(`dist/native/${MACHINE}/stackful.node`);
}

/** Where the package has the addon for machines of this kind. */
export function prebuiltAddonFile(): string {
  return packageRoot(`prebuilds/${MACHINE}/stackful.node`);
}

/** The one that `loadAddon` tries first, of those that are there. */
export function presentAddonFile(): string {
  return isThere(addonFile()) ? addonFile() : prebuiltAddonFile();
}

/** Where the build says why it made none. */
export function addonReasonFile(): string {
  return join(dirname(addonFile()), "reason.txt");
}

let loaded: LoadedAddon | undefined;

/** Loads the addon, the first time it is called. Never throws. */
export function loadAddon(): LoadedAddon {
  loaded ??= bundled ? loadBundled() : loadInstalled();
  return loaded;
}

/** Loads another build of it. */
export function loadAddonFile(file: string): LoadedAddon {
  try {
    if (!isThere(file)) return { reason: `there is no addon at ${file}` };
    return checked(createRequire(import.meta.url)(file) as Addon, file);
  } catch (error) {
    return { reason: `${file} cannot be loaded: ${String(error)}` };
  }
}

function loadInstalled(): LoadedAddon {
  const built = loadAddonFile(addonFile());
  if (built.addon !== undefined) return built;
  const prebuilt = loadAddonFile(prebuiltAddonFile());
  if (!isThere(packageRoot("native/src"))) return ofPackage(prebuilt);
  const own = isThere(addonFile()) ? built.reason : `${built.reason}: ${whyNotBuilt()}`;
  if (prebuilt.addon !== undefined) return { ...prebuilt, insteadOf: own };
  return { reason: isThere(prebuiltAddonFile()) ? `${own}; ${prebuilt.reason}` : own };
}

/** A package never has one that was built where it is. */
function ofPackage(prebuilt: LoadedAddon): LoadedAddon {
  if (prebuilt.addon !== undefined || isThere(prebuiltAddonFile())) return prebuilt;
  return { reason: `this package has no addon for ${MACHINE}` };
}

function whyNotBuilt(): string {
  const file = addonReasonFile();
  return isThere(file) ? readFileSync(file, "utf8") : "npm run build makes it";
}

const IN_BUNDLE = "the addon in this bundle";

function loadBundled(): LoadedAddon {
  // Elsewhere nothing can have put it there, and looking for it might need a permission.
  if (jsRuntime() !== "bun") return { reason: "the addon is not in this bundle" };
  // Bun puts into an executable what has such a name here. In a `try` it may be missing.
  try {
    const addon = require(`#native/${process.platform}-${process.arch}`) as Addon;
    return checked(addon, IN_BUNDLE);
  } catch {
    // A package has none that was built for one machine.
  }
  try {
    const addon = require(`#prebuilds/${process.platform}-${process.arch}`) as Addon;
    return checked(addon, IN_BUNDLE);
  } catch (error) {
    const [why] = String(error).split("\n");
    return { reason: `${IN_BUNDLE} cannot be loaded: ${why}` };
  }
}

function checked(addon: Addon, from: string): LoadedAddon {
  if (addon.abiVersion === ABI_VERSION) return { addon, from };
  return { reason: `${from} is for ABI version ${addon.abiVersion}, not ${ABI_VERSION}` };
}

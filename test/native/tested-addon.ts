//! The addon whose laws are tested: the one that is loaded anywhere, or the one that ships, or a build of
//! `npm run sanitize`.

import {
  type LoadedAddon,
  loadAddon,
  loadAddonFile,
  prebuiltAddonFile,
} from "../../ts/host/native/load-addon.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { loadKqueueAddon } from "./kqueue-addon.ts";

/** Set: the addon of prebuilds/ and no other. */
export const PREBUILT = "STACKFUL_PREBUILT";

/** Names the directory of a sanitized build. */
export const SANITIZED = "STACKFUL_SANITIZED";

/** What that directory holds. */
export const SANITIZED_FILES = { own: "stackful.node", kqueue: "kqueue.node" } as const;

const loaded = new Map<string, LoadedAddon>();

/** With kqueue over the shim. */
export function testedAddon(name: MechanismName): LoadedAddon {
  const directory = process.env[SANITIZED];
  if (directory !== undefined) {
    return loadOnce(`${directory}/${SANITIZED_FILES[name === "kqueue" ? "kqueue" : "own"]}`);
  }
  if (name === "kqueue") return loadKqueueAddon();
  return process.env[PREBUILT] === undefined ? loadAddon() : loadOnce(prebuiltAddonFile());
}

function loadOnce(file: string): LoadedAddon {
  const addon = loaded.get(file) ?? loadAddonFile(file);
  loaded.set(file, addon);
  return addon;
}

//! The addon whose laws are tested: the one that ships, or a build of `npm run sanitize`.

import { type LoadedAddon, loadAddon, loadAddonFile } from "../../ts/host/native/load-addon.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { loadKqueueAddon } from "./kqueue-addon.ts";

/** Names the directory of a sanitized build. */
export const SANITIZED = "STACKFUL_SANITIZED";

/** What that directory holds. */
export const SANITIZED_FILES = { own: "stackful.node", kqueue: "kqueue.node" } as const;

const loaded = new Map<string, LoadedAddon>();

/** With kqueue over the shim. */
export function testedAddon(name: MechanismName): LoadedAddon {
  const directory = process.env[SANITIZED];
  if (directory === undefined) return name === "kqueue" ? loadKqueueAddon() : loadAddon();
  const file = `${directory}/${name === "kqueue" ? SANITIZED_FILES.kqueue : SANITIZED_FILES.own}`;
  const addon = loaded.get(file) ?? loadAddonFile(file);
  loaded.set(file, addon);
  return addon;
}

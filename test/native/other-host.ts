import type { BackendOptions } from "../../ts/host/backend.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";
import { openNames } from "../../ts/host/node/host-names.ts";
import type { Names } from "../../ts/host/resources/names.ts";
import { loadKqueueAddon } from "./kqueue-addon.ts";

/** What is different in the runtimes that are not Node, all of it at once. */
export const OTHER_HOST: HostTraits = { wake: "thread", memoryMoves: true };

const SUFFIX = " with a thread";

/** What the conformance suite calls a native backend with these. */
export function otherName(name: MechanismName): string {
  return `${name}${SUFFIX}`;
}

/** A native backend; kqueue is over the shim. Of `grants.dns` it knows only what `names` are. */
export function openMechanism(
  name: MechanismName,
  options: BackendOptions,
  traits = hostTraits(),
  names?: Names,
): NativeBackend {
  const loaded = name === "kqueue" ? { loaded: loadKqueueAddon() } : {};
  return NativeBackend.open(name, options, { traits, names, ...loaded });
}

/** The same, with the names that it is granted. */
export async function openWithNames(
  name: MechanismName,
  options: BackendOptions,
  traits = hostTraits(),
): Promise<NativeBackend> {
  return openMechanism(name, options, traits, await openNames(options.grants));
}

/** The backend that tests call so and openBackend does not; undefined: it is none of those. */
export function openOther(name: string, options: BackendOptions): NativeBackend | undefined {
  if (name === "kqueue") return openMechanism(name, options);
  if (!name.endsWith(SUFFIX)) return undefined;
  return openMechanism(name.slice(0, -SUFFIX.length) as MechanismName, options, OTHER_HOST);
}

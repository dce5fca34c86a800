import type { BackendOptions } from "../../ts/host/backend.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import { MECHANISM_TITLES, type MechanismName } from "../../ts/host/native/mechanisms.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";
import { openNames } from "../../ts/host/node/host-names.ts";
import type { Names } from "../../ts/host/resources/names.ts";
import { testedAddon } from "./tested-addon.ts";

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
  return NativeBackend.open(name, options, { traits, names, loaded: testedAddon(name) });
}

/** The same, with the names that it is granted. */
export async function openWithNames(
  name: MechanismName,
  options: BackendOptions,
  traits = hostTraits(),
): Promise<NativeBackend> {
  return openMechanism(name, options, traits, await openNames(options.grants));
}

/** The native backend that tests call so; undefined: it is none. */
export function openOther(name: string, options: BackendOptions): NativeBackend | undefined {
  const other = name.endsWith(SUFFIX);
  const mechanism = (other ? name.slice(0, -SUFFIX.length) : name) as MechanismName;
  if (!Object.hasOwn(MECHANISM_TITLES, mechanism)) return undefined;
  return openMechanism(mechanism, options, other ? OTHER_HOST : hostTraits());
}

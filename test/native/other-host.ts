import type { BackendOptions } from "../../ts/host/backend.ts";
import type { HostTraits } from "../../ts/host/native/host-traits.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";

/** What is different in the runtimes that are not Node, all of it at once. */
export const OTHER_HOST: HostTraits = { wake: "thread", memoryMoves: true };

const SUFFIX = " with a thread";

/** What the conformance suite calls a native backend with these. */
export function otherName(name: MechanismName): string {
  return `${name}${SUFFIX}`;
}

/** The backend that is called so; undefined when the name is another's. */
export function openOther(name: string, options: BackendOptions): NativeBackend | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  return NativeBackend.open(name.slice(0, -SUFFIX.length) as MechanismName, options, OTHER_HOST);
}

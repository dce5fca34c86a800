import { expect, vi } from "vitest";
import type { Grants } from "../../ts/host/backend.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import type { LoadedAddon } from "../../ts/host/native/load-addon.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";
import type { Names } from "../../ts/host/resources/names.ts";
import { Guest } from "../conformance/guest.ts";
import type { DriverOptions } from "../conformance/ring-driver.ts";
import { openDescriptors } from "../support/descriptors.ts";
import { openMechanism } from "./other-host.ts";
import { requireAddon } from "./require-addon.ts";

/** Those that are tried here; kqueue is over the shim. */
export const MECHANISMS: readonly MechanismName[] = ["uring", "epoll", "poll", "kqueue"];

export interface NativeOptions extends DriverOptions {
  readonly handlesMax?: number;
  /** Default "uring". */
  readonly mechanism?: MechanismName;
  readonly grants?: Grants;
  /** Absent: those of the runtime. */
  readonly traits?: HostTraits;
  /** Absent: the addon, and for kqueue the shim's. */
  readonly loaded?: LoadedAddon;
  /** What `grants.dns` gives. */
  readonly names?: Names;
}

export interface NativeBench {
  readonly guest: Guest;
  readonly backend: NativeBackend;
}

/** Opens a backend that may use every endpoint, and afterwards checks that it left no descriptor. */
export async function withNative(
  {
    handlesMax = 1024,
    mechanism = "uring",
    grants = { connect: [{}], listen: [{}] },
    traits = hostTraits(),
    loaded,
    names,
    ...driver
  }: NativeOptions,
  body: (bench: NativeBench) => Promise<void>,
): Promise<void> {
  requireAddon();
  const before = openDescriptors();
  const options = { grants, handlesMax };
  const backend =
    loaded === undefined
      ? openMechanism(mechanism, options, traits, names)
      : NativeBackend.open(mechanism, options, { traits, names, loaded });
  try {
    await body({ backend, guest: new Guest(backend, driver) });
  } finally {
    await backend[Symbol.asyncDispose]();
  }
  // Deno closes sockets of its own later than it says.
  await vi.waitFor(() => expect(openDescriptors()).toEqual(before), { timeout: 30_000 });
}

import { expect, vi } from "vitest";
import type { Grants } from "../../ts/host/backend.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import type { NativeBackend } from "../../ts/host/native/native-backend.ts";
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
    ...driver
  }: NativeOptions,
  body: (bench: NativeBench) => Promise<void>,
): Promise<void> {
  requireAddon();
  const before = openDescriptors();
  const backend = openMechanism(mechanism, { grants, handlesMax }, traits);
  try {
    await body({ backend, guest: new Guest(backend, driver) });
  } finally {
    await backend[Symbol.asyncDispose]();
  }
  // Deno closes sockets of its own later than it says.
  await vi.waitFor(() => expect(openDescriptors()).toEqual(before), { timeout: 30_000 });
}

import { readdirSync } from "node:fs";
import { expect } from "vitest";
import type { Grants } from "../../ts/host/backend.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import { UringBackend } from "../../ts/host/native/uring-backend.ts";
import { Guest } from "../conformance/guest.ts";
import type { DriverOptions } from "../conformance/ring-driver.ts";
import { requireAddon } from "./require-addon.ts";

export interface UringOptions extends DriverOptions {
  readonly handlesMax?: number;
  readonly grants?: Grants;
  /** Absent: those of the runtime. */
  readonly traits?: HostTraits;
}

export interface UringBench {
  readonly guest: Guest;
  readonly backend: UringBackend;
}

/** Opens a backend that may use every endpoint, and afterwards checks that it left no descriptor. */
export async function withUring(
  {
    handlesMax = 1024,
    grants = { connect: [{}], listen: [{}] },
    traits = hostTraits(),
    ...driver
  }: UringOptions,
  body: (bench: UringBench) => Promise<void>,
): Promise<void> {
  requireAddon();
  const before = openDescriptors();
  const backend = UringBackend.open({ grants, handlesMax }, traits);
  try {
    await body({ backend, guest: new Guest(backend, driver) });
  } finally {
    await backend[Symbol.asyncDispose]();
  }
  expect(openDescriptors()).toBe(before);
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

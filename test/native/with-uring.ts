import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { expect, vi } from "vitest";
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
  // Deno closes sockets of its own later than it says.
  await vi.waitFor(() => expect(openDescriptors()).toEqual(before), { timeout: 30_000 });
}

/** What each is of: "/tmp/file", "socket:[1234]", "anon_inode:[io_uring]". */
function openDescriptors(): string[] {
  // A runtime opens some for itself when it first needs them: Deno for timers, Bun for its output.
  const local = readFileSync("/proc/net/unix", "utf8");
  const isLocal = (link: string): boolean => {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    return inode !== undefined && new RegExp(` ${inode}\\b`).test(local);
  };
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // The one that readdir used.
    }
  });
  return links.filter((link) => !isLocal(link)).sort();
}

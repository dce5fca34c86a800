//! Child processes as a guest has them: tasks that wait for them, and what is left when the runtime ends.

import { beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { RuntimeGrants } from "../../ts/runtime/options.ts";
import { exists, SHELL } from "../conformance/process-guest.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime } from "../support/runtime.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("processes");
});

/** What an export of the guest returns. */
async function call(
  backend: "auto" | "node",
  name: string,
  grants: RuntimeGrants = { processes: { programs: [SHELL] } },
): Promise<number> {
  await using runtime = await openRuntime(guest, { backend, grants });
  return Number(await runtime.spawn(name));
}

describe.each(["auto", "node"] as const)("%s", (backend) => {
  test("a wait with a deadline ends, and leaves the child as it is", async () => {
    expect(await call(backend, "deadline")).toBe(0);
  });

  test("a task that is canceled while it waits leaves the child as it is", async () => {
    expect(await call(backend, "canceled")).toBe(0);
  });

  test("tasks talk to children of their own side by side", async () => {
    expect(await call(backend, "many")).toBe(0);
  });

  test("no child outlives the runtime, also without a handle", async () => {
    const pid = await call(backend, "leave_running");
    expect(pid).toBeGreaterThan(1);
    expect(exists(pid)).toBe(false);
  });

  test("a guest that is granted no program starts none", async () => {
    expect(await call(backend, "leave_running", {})).toBe(-ERRNO.ENOTCAPABLE);
  });
});

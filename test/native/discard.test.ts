//! What a discard is for: the process holds less memory afterwards.

import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { requireAddon } from "./require-addon.ts";

requireAddon();

for (const kind of ["plain", "shared"]) {
  test(`resident memory falls when 64 MiB of a ${kind} memory are discarded`, async () => {
    const { code, stdout, stderr } = await runChild("native/discard.ts", [kind]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // Not all of it: the process may take some for itself meanwhile.
    expect(Number(stdout)).toBeGreaterThanOrEqual(48 * 1024);
  });
}

import { beforeAll, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";
import { SCENARIOS } from "./scenarios.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("hostile", { asyncImports: ["env.wait"] });
});

// Goal: whatever a guest writes over the control blocks it shares with the host, the host neither
// crashes nor hangs nor loops, and every promise it gave settles.
// Method: each scenario in a process of its own: the guest scribbles and goes on in some way; the
// embedder lists and cancels tasks, reads stats and disposes.
test.each(Object.keys(SCENARIOS))(
  "the host survives: %s",
  async (name) => {
    const { code, hung, stdout, stderr } = await runChild(
      "hostile/children/scribble.ts",
      [guest.path, name],
      { limitMs: 40_000 },
    );
    expect({ hung, code, stdout, stderr: stderr.slice(0, 2_000) }).toMatchObject({
      hung: false,
      code: 0,
      stdout: expect.stringContaining("survived"),
    });
  },
  60_000,
);

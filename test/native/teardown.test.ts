//! The end of a worker or of the process, with operations in flight. A kernel that still wrote to
//! memory that is gone, or a handle that libuv still had, would crash or hang the child.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { childCommand } from "../support/child.ts";
import { requireAddon } from "./require-addon.ts";
import { MECHANISMS } from "./with-native.ts";

requireAddon();

const run = promisify(execFile);

describe.each(MECHANISMS)("%s", (mechanism) => {
  for (const [situation, printed] of [
    ["exit", "waiting\n"],
    ["throw", "waiting\n"],
    ["terminate", "terminated 5 workers\n"],
    ["abandon", "5 workers ended\n"],
    ["forget", "forgotten\n"],
  ] as const) {
    test(`the process survives: ${situation}`, { timeout: 300_000 }, async () => {
      const child = run(...childCommand("native/program.ts", [situation, mechanism]));
      const { stdout } = await child.catch((error: { stdout: string; code: number }) => {
        if (situation !== "throw" || error.code !== 7) throw error;
        return error;
      });
      expect(stdout).toBe(printed);
    });
  }
});

//! A sandbox that refuses io_uring: the next best mechanism is used, and doctor says why.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCompiler } from "../../scripts/compile-addon.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { requireAddon } from "./require-addon.ts";

requireAddon();

const compiler = process.platform === "linux" ? findCompiler() : undefined;
const reason = compiler === undefined ? "no C compiler, or no Linux, for the filter" : undefined;

interface Report {
  readonly backend: string;
  readonly reasons: readonly { readonly name: string; readonly reason: string }[];
  readonly backends: readonly { readonly name: string; readonly reason?: string }[];
}

describe("where io_uring is refused", () => {
  if (reason !== undefined) {
    test.skip(`epoll is used [skipped: ${reason}]`);
    return;
  }

  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "stackful-sandbox-"));
    const [command = "cc", ...flags] = compiler ?? [];
    const source = packageRoot("test/native/without-uring.c");
    execFileSync(command, [...flags, "-o", join(directory, "without-uring"), source]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function stackful(refusal: string, args: readonly string[]) {
    const { STACKFUL_BACKEND: _, ...env } = process.env;
    const register = packageRoot("test/support/register-ts.mjs");
    const main = packageRoot("ts/cli/main.ts");
    const command = [process.execPath, "--import", register, main, ...args];
    return spawnSync(join(directory, "without-uring"), [refusal, ...command], {
      encoding: "utf8",
      env,
    });
  }

  test.each([
    ["eperm", "EPERM"],
    ["enosys", "ENOSYS"],
  ])("with %s, epoll is used, and doctor says why", (refusal, errno) => {
    const { status, stdout, stderr } = stackful(refusal, ["doctor", "--json"]);
    expect(status, stderr).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.backend).toBe("epoll");
    expect(report.reasons.map(({ name }) => name)).toEqual(["uring"]);
    expect(report.reasons[0]?.reason).toContain(`open io_uring: ${errno}`);
    const survey = new Map(report.backends.map(({ name, reason: why }) => [name, why]));
    expect(survey.get("uring")).toContain(errno);
    expect(survey.get("epoll")).toBeUndefined();
  });
});

import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../ts/package-files.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  const source = readFileSync(packageRoot("examples/deadlock/deadlock.c"), "utf8");
  guest = await buildGuest({ source }, { command: true });
});

test.each(["node", "auto"])(
  "the deadlock example on %s: every task, what it waits for, and where",
  async (backend) => {
    const args = ["run", "--backend", backend, guest.path];
    const { code, stdout, stderr, hung } = await runChild("../ts/cli/main.ts", args);
    expect({ code, stdout, hung }).toEqual({ code: 1, stdout: "", hung: false });
    expect(stderr).toContain("all 5 tasks wait, and no timer, operation or host promise can wake");
    const rows = [
      /1 {2}main +parked +join of task "philosopher 0"/,
      /2 {2}philosopher 0 +parked +mutex at 0x[0-9a-f]+, held by task "philosopher 1"/,
      /3 {2}philosopher 1 +parked +mutex at 0x[0-9a-f]+, held by task "philosopher 2"/,
      /4 {2}philosopher 2 +parked +mutex at 0x[0-9a-f]+, held by task "philosopher 0"/,
      /5 {2}waiter +parked +channel receive at 0x[0-9a-f]+/,
    ];
    for (const row of rows) expect(stderr).toMatch(row);
    expect(stderr).toMatch(
      /task 2 "philosopher 0".*\(2 more with the same stack\)\n( {4}sf_\w+\n)? {4}philosopher\n/,
    );
    expect(stderr).toMatch(/task 5 "waiter".*\n( {4}sf_\w+\n)? {4}wait_tables\n/);
  },
);

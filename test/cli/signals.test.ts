import { beforeAll, describe, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { type RunningChild, startChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("signals", { command: true });
});

const start = (options: readonly string[], ...kinds: number[]): RunningChild =>
  startChild("../ts/cli/main.ts", ["run", ...options, guest.path, ...kinds.map(String)]);

describe("stackful run passes on what the guest watches", () => {
  test("every signal, and the guest goes on", async () => {
    const child = start([], 1, 3, 4, 5, 6, 7, 2);
    await child.wrote("ready");
    const named = [
      ["SIGINT", 1],
      ["SIGHUP", 3],
      ["SIGQUIT", 4],
      ["SIGUSR1", 5],
      ["SIGUSR2", 6],
      ["SIGWINCH", 7],
      ["SIGTERM", 2],
    ] as const;
    for (const [name, kind] of named) {
      child.signal(name);
      await child.wrote(`signal ${kind}`);
    }
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
  });

  test("the first SIGINT that it does not watch cancels its tasks", async () => {
    const child = start([], 6, 7);
    await child.wrote("ready");
    child.signal("SIGINT");
    const { code, stdout } = await child.ended;
    expect({ code, stdout }).toEqual({ code: 5, stdout: "ready\ncanceled\n" });
  });

  test("others that it does not watch do what they always do", async () => {
    const child = start([], 6, 7);
    await child.wrote("ready");
    child.signal("SIGHUP");
    const { code, stdout } = await child.ended;
    expect({ code, stdout }).toEqual({ code: null, stdout: "ready\n" });
  });
});

describe("--dump-on-signal", () => {
  test.each([
    ["SIGUSR2", "--dump-on-signal"],
    ["SIGQUIT", "--dump-on-signal=SIGQUIT"],
  ] as const)(
    "%s prints what every task does, any number of times, and the guest goes on",
    async (name, option) => {
      const child = start([option], 2);
      await child.wrote("ready");
      child.signal(name);
      await child.wrote("1 task: 1 parked");
      await child.wrote("_start");
      child.signal(name);
      child.signal("SIGTERM");
      const { code, stderr } = await child.ended;
      expect(code).toBe(0);
      expect(stderr).toMatch(/1 {2}main +parked +signal SIGTERM/);
    },
  );

  test.each(["SIGKILL", "SIGNONE", "15"])("%s cannot be caught: a usage error", async (name) => {
    const { code, stderr } = await start([`--dump-on-signal=${name}`], 2).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(`--dump-on-signal=${name}: expected a signal`);
  });
});

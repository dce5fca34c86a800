import { beforeAll, describe, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { startChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("executors-main", { command: true });
});

const start = (options: readonly string[], ...args: string[]) =>
  startChild("../ts/cli/main.ts", ["run", ...options, guest.path, ...args]);

const linesOf = (text: string): string[] => text.trimEnd().split("\n").toSorted();

describe("stackful run --executors", () => {
  test("runs main on each, and they talk through channels", async () => {
    const { code, stdout, stderr } = await start(["--executors", "3", "--stats=json"]).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "3 executors, sum 3\n" });
    const stats = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(stats.map(({ executor, tasksLive }) => [executor, tasksLive])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
  });

  test("without it, the same program is the only executor", async () => {
    expect(await start([]).ended).toMatchObject({ code: 0, stdout: "1 executors, sum 0\n" });
  });

  test("an exit code that is not 0 ends the others, and is the program's", async () => {
    const { code, hung } = await start(["--executors", "3"], "1").ended;
    expect({ code, hung }).toEqual({ code: 3, hung: false });
  });

  test("a signal reaches every executor, and a dump tells of all", async () => {
    const child = start(["--executors", "2", "--dump-on-signal=SIGUSR2"], "9");
    await child.wrote("executor 0 waits");
    await child.wrote("executor 1 waits");
    child.signal("SIGUSR2");
    await child.wrote("2 tasks: 2 parked");
    await child.wrote("waits for signal SIGUSR1 (1 more with the same stack)");
    child.signal("SIGUSR1");
    const { code, stdout } = await child.ended;
    expect(code).toBe(0);
    expect(linesOf(stdout)).toEqual([
      "2 executors, sum 1",
      "executor 0 got it",
      "executor 0 waits",
      "executor 1 got it",
      "executor 1 waits",
    ]);
  });

  test.each([
    ["--executors 0", ["--executors", "0"]],
    ["with a simulated world", ["--executors", "2", "--backend", "sim"]],
    ["with painted stacks", ["--executors", "2", "--paint-stacks"]],
  ])("%s is refused", async (_, options) => {
    const { code, stderr } = await start(options).ended;
    expect(code).toBe(2);
    expect(stderr).toContain("--executors");
  });
});

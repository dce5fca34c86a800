import { beforeAll, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { type ChildResult, runChild, startChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("dump", { asyncImports: ["env.wait"] });
});

const FILE = "runtime/children/deadlock.ts";
const run = (what: string): Promise<ChildResult> => runChild(FILE, [guest.path, what]);

test("a task that is awaited with nothing left to wake it rejects, with all tasks", async () => {
  expect(await run("spawned")).toEqual({
    code: 0,
    hung: false,
    stdout: "SF_DEADLOCK: wait_join in wait_join, is joined in park_task\n",
    stderr: "",
  });
});

test("a host promise that nothing can settle is a deadlock", async () => {
  expect(await run("promise")).toMatchObject({
    code: 0,
    stdout: "SF_DEADLOCK: wait_host in wait_host\n",
  });
});

test("each runtime tells of its own tasks", async () => {
  const { code, stdout } = await run("two");
  expect(code).toBe(0);
  expect(stdout.trim().split("\n").sort()).toEqual([
    "SF_DEADLOCK: wait_join in wait_join, is joined in park_task",
    "SF_DEADLOCK: wait_unpark in wait_unpark",
  ]);
});

test("a timer of the host may wake a task: no deadlock", async () => {
  expect(await run("timer")).toMatchObject({ code: 0, stdout: "wait_unpark returned -11\n" });
});

test("an operation may end: no deadlock", async () => {
  expect(await run("operation")).toMatchObject({
    code: 0,
    stdout: "wait_operation returned -11\n",
  });
});

test("what the host waits for ends as at the end of the runtime", async () => {
  expect(await run("channel")).toMatchObject({
    code: 0,
    stdout: "SF_DEADLOCK: wait_unpark in wait_unpark\nreceived undefined\n",
  });
});

test("a task that waits for a signal keeps the process, until nothing waits for one", async () => {
  const child = startChild(FILE, [guest.path, "signal"]);
  await child.wrote("idle");
  child.signal("SIGUSR2");
  const { code, stdout } = await child.ended;
  expect(code).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines.filter((line) => line !== "idle")).toEqual([
    "raised: true",
    "wait_signal returned 1",
    "SF_DEADLOCK: hold in hold, wait_unpark in wait_unpark",
  ]);
});

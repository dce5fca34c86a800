import { beforeAll, expect, test } from "vitest";
import { jsRuntime } from "../../ts/js-runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild, startChild } from "../support/child.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("stuck", { asyncImports: ["env.wait"], command: true });
});

const FILE = "executors/stuck-child.ts";
const only = test.skipIf(jsRuntime() !== "node");

/** What a child says, line by line. */
async function says(what: string): Promise<string[]> {
  const { code, hung, stdout, stderr } = await runChild(FILE, [guest.path, what]);
  expect({ code, hung, stderr }).toEqual({ code: 0, hung: false, stderr: "" });
  return stdout.trim().split("\n");
}

only(
  "tasks that nothing can wake reject, with those of all executors; the pool has ended",
  async () => {
    const stuck = "SF_DEADLOCK: park on 0 in park, receive on 1 in receive";
    expect((await says("parked")).sort()).toEqual(
      [`park: ${stuck}`, `receive: ${stuck}`, "received undefined", `spawn: ${stuck}`].sort(),
    );
  },
);

only("a program that waits for ever on every executor ends with SF_DEADLOCK", async () => {
  expect(await says("run")).toEqual(["run: SF_DEADLOCK: main on 0 in _start, main on 1 in _start"]);
});

only("tasks that pass an item on are not stuck; without it they wait for each other", async () => {
  expect(await says("each other")).toEqual([
    "once gave 0,0",
    "again: SF_DEADLOCK: pass on 0 in pass, pass on 1 in pass",
  ]);
});

only("what a timer, a promise, the embedder or an operation may wake is not stuck", async () => {
  expect(await says("woken")).toEqual([
    "nap gave 0",
    "wait_host gave 7",
    "park gave -11",
    "accept_one gave -11",
  ]);
});

only("a pool without tasks keeps the process", async () => {
  expect(await says("nothing")).toEqual(["still there"]);
});

only("a task that waits for a signal keeps the process, until nothing waits for one", async () => {
  const child = startChild(FILE, [guest.path, "signal"]);
  await child.wrote("idle");
  child.signal("SIGUSR2");
  const { code, stdout } = await child.ended;
  expect(code).toBe(0);
  expect(stdout.trim().split("\n")).toEqual([
    "idle",
    "raised: true",
    "wait_signal gave 1",
    "park: SF_DEADLOCK: park on 1 in park",
  ]);
});

import { beforeAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { runChild } from "../support/child.ts";
import { leakCheck, openRuntime } from "../support/runtime.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("main", { command: true });
});

describe.each(["embedded", "owned"] as const)("%s loop", (loop) => {
  const open = (...args: string[]): Promise<Runtime> => openRuntime(guest, { args, loop });

  async function exitCode(...args: string[]): Promise<number> {
    const runtime = await open(...args);
    const code = await runtime.run();
    leakCheck(runtime);
    return code;
  }

  test.each([0, 1, 42, 255])("main's result %i is the exit code", async (code) => {
    expect(await exitCode("return", String(code))).toBe(code);
  });

  test.each([0, 3])("exit(%i) in main is the exit code", async (code) => {
    expect(await exitCode("exit", String(code))).toBe(code);
  });

  test("exit in another task ends main", async () => {
    expect(await exitCode("exit-from-task", "5")).toBe(5);
  }, 10_000);

  test("the first exit counts, and tasks that exit while they are canceled end", async () => {
    expect(await exitCode("exit-twice", "6")).toBe(6);
  });

  test("tasks that trap while they are canceled end, and the exit code stays", async () => {
    expect(await exitCode("exit-then-trap", "8")).toBe(8);
  });

  test("a trap in main is SF_TRAP from run", async () => {
    const runtime = await open("trap");
    await expect(runtime.run()).rejects.toMatchObject({
      code: "SF_TRAP",
      message: expect.stringContaining('"main"'),
    });
    leakCheck(runtime);
  });

  test("tasks that are left when main returns are canceled and run to their end", async () => {
    const runtime = await open("leave-tasks");
    expect(await runtime.run()).toBe(4);
    leakCheck(runtime);
    expect((runtime.exports as { cleaned_up(): number }).cleaned_up()).toBe(10);
  });

  // A loop that waits in the kernel for the sleeper would let JavaScript run once a second.
  test("JavaScript that the guest wakes runs at once, while other tasks sleep", async () => {
    const runtime = await openRuntime(guest, { args: ["echo"], loop, backend: "auto" });
    const [there, back] = [runtime.channel(), runtime.channel()];
    const { set_channels } = runtime.exports as { set_channels(from: number, to: number): void };
    set_channels(there.address, back.address);
    const ran = runtime.run();
    for (let i = 0; i < 50; i++) {
      await there.send(i);
      expect(await back.receive()).toBe(i);
    }
    there.close();
    expect(await ran).toBe(0);
    leakCheck(runtime);
  }, 20_000);

  test("a sleeping main returns", async () => {
    expect(await exitCode("sleep")).toBe(0);
  });

  test("run works once, and not after the end", async () => {
    const runtime = await open("return", "0");
    await runtime.run();
    await expect(runtime.run()).rejects.toMatchObject({ code: "SF_DISPOSED" });
    expect(() => runtime.spawn("_start")).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
    await runtime[Symbol.asyncDispose]();
  });

  test("a second run at the same time is SF_MODULE", async () => {
    const runtime = await open("sleep");
    const first = runtime.run();
    await expect(runtime.run()).rejects.toMatchObject({ code: "SF_MODULE" });
    expect(await first).toBe(0);
  });

  test("when nothing can wake a task, run is SF_DEADLOCK and names each task and its wait", async () => {
    const { stdout, code, hung, stderr } = await runChild("runtime/children/run-main.ts", [
      guest.path,
      loop,
      "deadlock",
    ]);
    expect({ code, hung, stderr }).toEqual({ code: 0, hung: false, stderr: "" });
    expect(stdout).toContain("SF_DEADLOCK: all 4 tasks wait");
    expect(stdout).toMatch(/1 {2}main +parked {2}join of task "is joined"/);
    expect(stdout).toMatch(/waits for unpark +parked {2}unpark/);
    expect(stdout).toMatch(/waits for an item +parked {2}channel receive at 0x/);
    expect(stdout).toMatch(/is joined +parked {2}unpark/);
  });

  test("what main prints without a newline at its end comes out", async () => {
    const args = [guest.path, loop, "print", "no newline"];
    const { stdout, code } = await runChild("runtime/children/run-main.ts", args);
    expect(stdout).toBe("first line\nno newline\nexit code 0\n");
    expect(code).toBe(0);
  });
});

test("output goes to onOutput by line, the last without its newline", async () => {
  const lines: string[] = [];
  const onOutput = (stream: string, line: string): void => void lines.push(`${stream}: ${line}`);
  const runtime = await openRuntime(guest, { args: ["print", "no newline"], onOutput });
  expect(await runtime.run()).toBe(0);
  expect(lines).toEqual(["stdout: first line", "stdout: no newline"]);
});

test("a guest without main cannot run", async () => {
  const runtime = await openRuntime(await buildGuest("tasks"));
  await expect(runtime.run()).rejects.toMatchObject({ code: "SF_MODULE" });
  await runtime[Symbol.asyncDispose]();
});

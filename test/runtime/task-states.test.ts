import { beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { describeTaskState, TASK_STATE } from "../../ts/runtime/task-states.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime } from "../support/runtime.ts";
import { turns } from "../support/shared-guest.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("dump", { asyncImports: ["env.wait"] });
});

async function withTasks(body: (runtime: Runtime) => Promise<void>): Promise<void> {
  const env = { wait: () => new Promise<number>(() => {}), look: Number };
  const limits = { tasksMax: 100_001 };
  const grants = { listen: ["127.0.0.1:0"] };
  const runtime = await openRuntime(guest, { imports: { env }, limits, grants });
  try {
    await body(runtime);
  } finally {
    runtime.cancel();
    await runtime[Symbol.asyncDispose]();
  }
}

/** One line for each task of what `taskStates` returned. */
function lines(states: Uint32Array) {
  return Array.from({ length: states.length / TASK_STATE.words }, (_, index) => {
    const at = index * TASK_STATE.words;
    return {
      id: states[at + TASK_STATE.id]!,
      switches: states[at + TASK_STATE.switches]!,
      ...describeTaskState(states[at + TASK_STATE.code]!),
    };
  });
}

test("states are those of a dump, the newest task first, without objects and names", async () => {
  await withTasks(async (runtime) => {
    const kinds = ["sleep", "receive", "send", "mutex", "select", "join", "unpark", "yield"];
    for (const kind of ["hold", ...kinds.map((name) => `wait_${name}`), "wait_operation"]) {
      runtime.spawn(kind, [], { stackBytes: 65_536 });
    }
    await turns();
    runtime.spawn("wait_sleep");
    const expected = runtime.dump({ stacks: false }).map(({ id, switches, state, waitsFor }) => ({
      id,
      switches,
      state,
      waitsFor: state === "parked" ? waitsFor.replace(/ (at|of) .*$/, "") : "",
    }));
    expect(lines(runtime.taskStates()).reverse()).toEqual(expected);
    expect(expected.map((line) => line.waitsFor)).toEqual(
      expect.arrayContaining(["operation accept", "channel receive", "mutex", "select", "join"]),
    );
  });
});

test("the task that calls the host is running", async () => {
  let seen: ReturnType<typeof lines> = [];
  let runtime: Runtime;
  const look = (): number => {
    seen = lines(runtime.taskStates());
    return 0;
  };
  runtime = await openRuntime(guest, { imports: { env: { wait: Number, look } } });
  await runtime.spawn("wait_look");
  expect(seen).toEqual([{ id: 1, switches: 1, state: "running", waitsFor: "" }]);
  await runtime[Symbol.asyncDispose]();
});

test("an array with room is written to, one without is replaced", async () => {
  await withTasks(async (runtime) => {
    expect(runtime.taskStates()).toHaveLength(0);
    for (let i = 0; i < 5; i++) runtime.spawn("wait_unpark");
    const room = new Uint32Array(5 * TASK_STATE.words + 1).fill(9);
    const states = runtime.taskStates(room);
    expect(states.buffer).toBe(room.buffer);
    expect(states).toHaveLength(5 * TASK_STATE.words);
    expect(room.at(-1)).toBe(9);
    const narrow = new Uint32Array(5 * TASK_STATE.words - 1);
    expect(runtime.taskStates(narrow)).toEqual(states);
    expect(narrow.every((word) => word === 0)).toBe(true);
  });
});

test("100,000 tasks: every one is there, once", async () => {
  await withTasks(async (runtime) => {
    await runtime.spawn("spawn_many", [100_000]);
    await turns();
    const ids = new Set(lines(runtime.taskStates()).map(({ id }) => id));
    expect(ids.size).toBe(100_000);
    expect(ids).toEqual(new Set(runtime.dump({ stacks: false }).map(({ id }) => id)));
  });
}, 120_000);

test("a task that has ended is in no list", async () => {
  await withTasks(async (runtime) => {
    const task = runtime.spawn("wait_unpark");
    runtime.spawn("wait_sleep");
    await turns();
    task.cancel();
    await task;
    expect(lines(runtime.taskStates())).toMatchObject([{ id: 2, waitsFor: "sleep" }]);
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import type { TaskDump } from "../../ts/runtime/dump.ts";
import { formatDump } from "../../ts/runtime/dump-format.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import type { Task } from "../../ts/runtime/task.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime } from "../support/runtime.ts";

let guest: TestGuest;
let busy: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("dump", { asyncImports: ["env.wait"] });
  busy = await buildGuest("busy", { asyncImports: ["env.wait"], command: true });
});

/** Runs `body` with a task that holds what the others want, and ends all of them. */
async function withTasks(
  body: (runtime: Runtime, spawn: (entry: string, ...args: number[]) => Task) => Promise<void>,
  options: RuntimeOptions = {},
): Promise<void> {
  const ended = new AbortController();
  const env = {
    wait: (value: number) =>
      new Promise<number>((resolve) => {
        ended.signal.addEventListener("abort", () => resolve(value));
      }),
    look: (value: number): number => value,
    ...options.imports?.env,
  };
  const grants = { listen: ["127.0.0.1:0"] };
  const runtime = await openRuntime(guest, { grants, ...options, imports: { env } });
  const tasks: Task[] = [];
  const spawn = (entry: string, ...args: number[]): Task => {
    const task = runtime.spawn(entry, args, { stackBytes: 1 << 20 });
    tasks.push(task);
    return task;
  };
  try {
    await body(runtime, spawn);
  } finally {
    ended.abort();
    await runtime[Symbol.asyncDispose]();
  }
  for (const task of tasks) expect(await task).toBeTypeOf("number");
}

/** Lets every task run up to where it waits. */
async function settle(runtime: Runtime): Promise<void> {
  const parked = (): boolean =>
    runtime.dump({ stacks: false }).every((task) => task.switches > 0 || task.state === "parked");
  do await new Promise((resolve) => setImmediate(resolve));
  while (!parked() || runtime.tasks().some((task) => task.waitsFor === "operation"));
}

const called = (dump: readonly TaskDump[], name: string): TaskDump =>
  dump.find((task) => task.name === name)!;

describe("where a task waits, and for what", () => {
  test.each([
    ["sleep", /^sleep$/],
    ["receive", /^channel receive at 0x[0-9a-f]+$/],
    ["send", /^channel send at 0x[0-9a-f]+$/],
    ["mutex", /^mutex at 0x[0-9a-f]+, held by task "hold"$/],
    ["read_lock", /^read lock at 0x[0-9a-f]+, held by task "hold"$/],
    ["write_lock", /^write lock at 0x[0-9a-f]+, held by task "hold"$/],
    ["condition", /^condition at 0x[0-9a-f]+$/],
    ["semaphore", /^semaphore at 0x[0-9a-f]+$/],
    ["barrier", /^barrier at 0x[0-9a-f]+$/],
    ["event", /^event at 0x[0-9a-f]+$/],
    ["notify", /^notification at 0x[0-9a-f]+$/],
    ["future", /^future at 0x[0-9a-f]+$/],
    ["latch", /^latch at 0x[0-9a-f]+$/],
    ["futex", /^futex at 0x[0-9a-f]+$/],
    ["once", /^once at 0x[0-9a-f]+$/],
    ["signal", /^signal SIGUSR2$/],
    [
      "select",
      /^select of 3 arms: channel receive at 0x[0-9a-f]+, channel send at 0x[0-9a-f]+, timeout$/,
    ],
    ["join", /^join of task "is joined"$/],
    ["group", /^group at 0x[0-9a-f]+$/],
    ["unpark", /^unpark$/],
    ["yield", /^its turn$/],
    ["host", /^host promise of env\.wait$/],
  ])("%s", async (kind, waitsFor) => {
    await withTasks(async (runtime, spawn) => {
      spawn("hold");
      await new Promise((resolve) => setImmediate(resolve));
      spawn(`wait_${kind}`);
      await settle(runtime);
      for (let times = 0; times < 3; times++) {
        const task = called(runtime.dump(), `wait_${kind}`);
        expect(task.waitsFor).toMatch(waitsFor);
        expect(task.state).toBe(kind === "yield" ? "ready" : "parked");
        expect(task.stackError).toBe(undefined);
        const stack = task.stack[0]!.startsWith("sf_") ? task.stack.slice(1) : task.stack;
        expect(stack).toEqual([`below_${kind}`, `wait_${kind}`]);
      }
    });
  });

  test("an operation", async () => {
    await withTasks(async (runtime, spawn) => {
      spawn("wait_operation");
      const accepts = (): boolean =>
        runtime.dump({ stacks: false })[0]?.waitsFor === "operation accept";
      while (!accepts()) await new Promise((resolve) => setImmediate(resolve));
      expect(runtime.dump()[0]!.stack.slice(-2)).toEqual(["below_operation", "wait_operation"]);
    });
  });
});

test("a task that has not run yet is in its entry", async () => {
  await withTasks(async (runtime, spawn) => {
    spawn("wait_sleep");
    expect(runtime.dump()).toMatchObject([
      { id: 1, entry: "wait_sleep", state: "ready", waitsFor: "its first turn", switches: 0 },
    ]);
    expect(runtime.dump()[0]!.stack).toEqual(["wait_sleep"]);
  });
});

test("a dump from a host import has the stack of the task that called it", async () => {
  let dump: readonly TaskDump[] = [];
  let runtime: Runtime;
  const look = (): number => {
    dump = runtime.dump();
    return 5;
  };
  await withTasks(
    async (opened, spawn) => {
      runtime = opened;
      spawn("wait_sleep");
      expect(await spawn("look_below", 3)).toBe(5);
      expect(called(dump, "look_below")).toMatchObject({ state: "running", waitsMs: 0 });
      const descends = ["descend", "descend", "descend", "descend"];
      expect(called(dump, "look_below").stack).toEqual([...descends, "look_below"]);
      expect(called(dump, "wait_sleep").stack.slice(-1)).toEqual(["wait_sleep"]);
    },
    { imports: { env: { look } } },
  );
});

test("stacks: false reads none", async () => {
  await withTasks(async (runtime, spawn) => {
    spawn("wait_unpark");
    await settle(runtime);
    expect(runtime.dump({ stacks: false })).toMatchObject([
      { name: "wait_unpark", waitsFor: "unpark", stack: [], stackError: undefined },
    ]);
  });
});

test("tasks: only those are told, with the names of others that they wait for", async () => {
  await withTasks(async (runtime, spawn) => {
    spawn("hold");
    await new Promise((resolve) => setImmediate(resolve));
    spawn("wait_mutex");
    spawn("wait_sleep");
    await settle(runtime);
    const all = runtime.dump({ stacks: false });
    expect(runtime.dump({ stacks: false, tasks: [2, 77] })).toMatchObject([
      { id: 2, waitsFor: all[1]!.waitsFor, stack: [] },
    ]);
    expect(all[1]!.waitsFor).toMatch(/held by task "hold"$/);
    expect(runtime.dump({ tasks: [3, 1] }).map(({ id }) => id)).toEqual([1, 3]);
    expect(runtime.dump({ tasks: [3] })[0]!.stack.slice(-1)).toEqual(["wait_sleep"]);
    expect(runtime.dump({ tasks: [] })).toEqual([]);
  });
});

test("a stack of more than 100 functions is cut", async () => {
  await withTasks(async (runtime, spawn) => {
    spawn("park_below", 99);
    spawn("park_below", 1_000);
    await settle(runtime);
    const [short, long] = runtime.dump().map(({ stack }) => stack);
    expect(short!.filter((name) => name === "descend").length).toBeGreaterThanOrEqual(99);
    expect(long).toHaveLength(101);
    expect(long!.at(-1)).toBe("...");
  });
});

test("how much of its stack a task uses is between what it must and what it has", async () => {
  await withTasks(async (runtime, spawn) => {
    spawn("park_below", 0);
    spawn("park_below", 500);
    await settle(runtime);
    const [flat, deep] = runtime.dump();
    // Each level keeps an int on the C stack, 16 bytes with its alignment, and a frame.
    expect(deep!.stackUsedBytes).toBeGreaterThan(flat!.stackUsedBytes + 500 * 16);
    expect(deep!.stackUsedBytes).toBeLessThan(deep!.stackBytes);
    expect(deep!.stackBytes).toBe(1 << 20);
  });
});

test("after the end there is nothing to dump", async () => {
  const runtime = await openRuntime(guest, { imports: { env: { wait: Number, look: Number } } });
  runtime.spawn("wait_sleep");
  await runtime[Symbol.asyncDispose]();
  expect(runtime.dump()).toEqual([]);
});

describe.each(["embedded", "owned"] as const)("%s loop", (loop) => {
  async function run(rounds: number, dumping: boolean, paintStacks: boolean) {
    let sum = 0;
    let dumps = 0;
    let lines = 0;
    const dump = (): void => {
      if (!dumping) return;
      dumps++;
      for (const task of runtime.dump()) {
        expect(task.stackError).toBe(undefined);
        expect(task.stack.length).toBeGreaterThan(0);
        lines++;
      }
    };
    const env = {
      wait: async (value: number): Promise<number> => {
        await new Promise((resolve) => setImmediate(resolve));
        dump();
        return value + 1;
      },
      look: (value: number): number => {
        dump();
        return value * 3;
      },
      report: (value: number): void => {
        sum = value >>> 0;
      },
    };
    const runtime: Runtime = await openRuntime(busy, {
      loop,
      paintStacks,
      args: [String(rounds)],
      imports: { env },
    });
    expect(await runtime.run()).toBe(0);
    const { switches, hostCalls, tasksLive } = runtime.stats;
    return { outcome: { sum, switches, hostCalls, tasksLive }, dumps, lines };
  }

  test("10,000 dumps change no result and no counter of a busy program", async () => {
    const rounds = 2_500;
    const { outcome } = await run(rounds, false, false);
    for (const paintStacks of [false, true]) {
      const dumped = await run(rounds, true, paintStacks);
      expect(dumped.outcome).toEqual(outcome);
      expect(dumped.dumps).toBe(2 * rounds);
      expect(dumped.lines).toBeGreaterThan(4 * rounds);
    }
    expect((await run(rounds, false, true)).outcome).toEqual(outcome);
  });
});

test("100,000 tasks: each has its stack, and the text tells each stack once", async () => {
  const env = { wait: Number, look: Number };
  const limits = { tasksMax: 100_001 };
  const runtime = await openRuntime(guest, { imports: { env }, limits });
  await runtime.spawn("spawn_many", [100_000]);
  await settle(runtime);
  const dump = runtime.dump();
  expect(dump).toHaveLength(100_000);
  expect(
    dump.every((task, index) => task.stack.at(-1) === (index % 2 ? "named_b" : "named_a")),
  ).toBe(true);
  expect(new Set(dump.map((task) => task.id)).size).toBe(100_000);
  const text = formatDump(dump);
  expect(text).toContain("100000 tasks: 100000 parked");
  expect(text).toContain("... and 99900 more tasks");
  expect(text.match(/\(49999 more with the same stack\)/g)).toHaveLength(2);
  expect(text.split("\n").length).toBeLessThan(120);
  runtime.cancel();
  await runtime[Symbol.asyncDispose]();
}, 120_000);

test("where the engine's stack has no room, the line says so and the task goes on", async () => {
  let runtime: Runtime;
  let dump: readonly TaskDump[] = [];
  const look = (): number => {
    dump = runtime.dump();
    return 9;
  };
  const env = { wait: Number, look };
  runtime = await openRuntime(guest, { imports: { env } });
  const options = { stackBytes: 8 << 20 };
  const reaches = (depth: number): Promise<boolean> =>
    runtime.spawn("look_below", [depth], options).then(
      () => true,
      () => false,
    );
  let deepest = 1_000;
  while (deepest < 60_000 && (await reaches(deepest))) deepest = Math.ceil(deepest * 1.2);

  let unread = 0;
  for (const share of [0.5, 0.6, 0.7, 0.8]) {
    const depth = Math.floor(deepest * share);
    const parked = runtime.spawn("park_below", [depth], options);
    const witness = runtime.spawn("wait_unpark");
    await settle(runtime);
    expect(await runtime.spawn("look_below", [depth], options)).toBe(9);
    const error = called(dump, "park_below").stackError;
    if (error !== undefined) unread++;
    if (error !== undefined) expect(error).toContain("engine's own is too small");
    if (error !== undefined) expect(formatDump(dump)).toContain(error);
    expect(called(runtime.dump(), "park_below").stack.at(-1)).toBe("...");
    parked.cancel();
    witness.cancel();
    expect(await Promise.all([parked, witness])).toEqual([-11, -11]);
  }
  expect(unread).toBeGreaterThan(0);
  await runtime[Symbol.asyncDispose]();
});

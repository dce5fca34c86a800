//! The stackful side of the scenarios that need no I/O.

import type { Runtime, TaskResult } from "../../ts/index.ts";
import { collectGarbage, residentBytes } from "../memory.ts";
import { type Implementation, type Params, param, type Sample } from "../scenario.ts";
import { benchRuntime } from "./guest.ts";

/** Stack of a parked task: the smallest class. */
const PARKED_STACK_BYTES = 1024;

const runtimes = new Map<string, Promise<Runtime>>();

/** One runtime for all runs in a process, so that the warm-up warms up its memory too. */
function sharedRuntime(guest: string): Promise<Runtime> {
  let runtime = runtimes.get(guest);
  if (runtime === undefined) {
    runtime = benchRuntime(guest, { limits: { tasksMax: 1_000_000, turnMs: 50 } });
    runtimes.set(guest, runtime);
  }
  return runtime;
}

/** Runs one export of a guest and times it. */
async function timed(
  guest: string,
  entry: string,
  args: number[],
): Promise<{
  ns: number;
  /** Processor time, user and system, in microseconds. */
  cpuUs: number;
  result: TaskResult;
  notes: Record<string, unknown>;
  switches: number;
  hostCalls: number;
}> {
  const runtime = await sharedRuntime(guest);
  const before = runtime.stats;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const result = await runtime.spawn(entry, args, { stackBytes: 64 * 1024 });
  const ns = (performance.now() - started) * 1e6;
  const { user, system } = process.cpuUsage(cpu);
  const { switches, runs, hostCalls } = runtime.stats;
  const counts = {
    switches: switches - before.switches,
    hostCalls: hostCalls - before.hostCalls,
  };
  return {
    ns,
    cpuUs: user + system,
    result,
    ...counts,
    notes: { ...counts, runs: runs - before.runs },
  };
}

export async function pingPong(params: Params): Promise<Sample> {
  const rounds = param(params, "rounds");
  const { ns, result, notes } = await timed("core", "ping_pong", [rounds]);
  return { metrics: { "ns/round": ns / rounds }, checksum: String(result), notes };
}

export async function switches(params: Params): Promise<Sample> {
  const rounds = param(params, "rounds");
  const run = await timed("core", "switches", [param(params, "depth"), rounds]);
  return {
    metrics: {
      "ns/switch": run.ns / (2 * rounds),
      "js-calls/switch": run.hostCalls / run.switches,
    },
    checksum: String(run.result),
    notes: run.notes,
  };
}

export async function spawn(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  const { ns, result, notes } = await timed("core", "spawn_join", [tasks, param(params, "batch")]);
  return { metrics: { "ns/task": ns / tasks }, checksum: String(result), notes };
}

export async function parked(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  await using runtime = await benchRuntime("core", { limits: { tasksMax: tasks + 1, turnMs: 50 } });
  collectGarbage();
  const before = residentBytes();
  const waiting = await runtime.spawn("park_many", [tasks, PARKED_STACK_BYTES]);
  collectGarbage();
  const bytes = residentBytes() - before;
  const { tasksLive, regionsBytes } = runtime.stats;
  const result = await runtime.spawn("answer_all");
  return {
    metrics: { "bytes/task": bytes / tasks },
    checksum: String(result),
    notes: { waiting, tasksLive, regionsBytesPerTask: regionsBytes / tasks },
  };
}

/** An implementation that runs one export, whose result is the checksum, with these parameters. */
function inGuest(
  guest: string,
  entry: string,
  names: readonly string[],
  metric: string,
  units: (params: Params) => number,
): Implementation {
  return async (params) => {
    const args = names.map((name) => param(params, name));
    const { ns, result, notes } = await timed(guest, entry, args);
    return { metrics: { [metric]: ns / units(params) }, checksum: String(result), notes };
  };
}

export const mutex = inGuest(
  "sync",
  "mutex",
  ["tasks", "locks", "yieldEvery"],
  "ns/lock",
  (params) => param(params, "tasks") * param(params, "locks"),
);

export const rwlock = inGuest(
  "sync",
  "rwlock",
  ["readers", "reads", "writes", "yieldEvery"],
  "ns/op",
  (params) => param(params, "readers") * param(params, "reads") + param(params, "writes"),
);

export const condition = inGuest("sync", "condition", ["rounds"], "ns/round", (params) =>
  param(params, "rounds"),
);

export const fanIn = inGuest(
  "channels",
  "fan_in",
  ["producers", "items", "buffer"],
  "ns/item",
  (params) => param(params, "items"),
);

export const fanOut = inGuest(
  "channels",
  "fan_out",
  ["consumers", "items", "buffer"],
  "ns/item",
  (params) => param(params, "items"),
);

export const pingPongs = inGuest(
  "channels",
  "ping_pongs",
  ["pairs", "rounds"],
  "ns/round",
  (params) => param(params, "pairs") * param(params, "rounds"),
);

export const selects = inGuest("channels", "selects", ["items", "buffer"], "ns/item", (params) =>
  param(params, "items"),
);

export const spawnTree = inGuest(
  "tasks",
  "spawn_tree",
  ["depth"],
  "ns/task",
  (params) => 2 ** (param(params, "depth") + 1) - 1,
);

export const taskChain = inGuest("tasks", "task_chain", ["tasks"], "ns/task", (params) =>
  param(params, "tasks"),
);

export async function sleepers(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  const { ns, cpuUs, result, notes } = await timed("tasks", "sleepers", [
    tasks,
    param(params, "ms"),
  ]);
  return {
    metrics: {
      ms: ns / 1e6,
      "us/task": ns / 1e3 / tasks,
      "us-cpu/task": cpuUs / tasks,
    },
    checksum: String(result),
    notes,
  };
}

export async function timers(params: Params): Promise<Sample> {
  const count = param(params, "timers");
  const args = [count, param(params, "leadMs"), param(params, "spreadMs")];
  const { cpuUs, result, notes } = await timed("tasks", "timers", args);
  return {
    metrics: { "ns-cpu/timer": (cpuUs * 1e3) / count },
    checksum: String(result),
    notes,
  };
}

export async function million(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  await using runtime = await benchRuntime("tasks", {
    limits: { tasksMax: tasks + 1, turnMs: 50 },
  });
  collectGarbage();
  const before = residentBytes();
  const spawning = performance.now();
  await runtime.spawn("gather", [tasks, PARKED_STACK_BYTES]);
  const spawned = performance.now();
  collectGarbage();
  const bytes = residentBytes() - before;
  const waking = performance.now();
  const result = await runtime.spawn("open_gate");
  const woken = performance.now();
  return {
    metrics: {
      "bytes/task": bytes / tasks,
      "ns/spawn": ((spawned - spawning) * 1e6) / tasks,
      "ns/wake": ((woken - waking) * 1e6) / tasks,
    },
    checksum: String(result),
  };
}

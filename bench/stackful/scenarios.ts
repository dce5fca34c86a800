//! The stackful side of the scenarios that need no I/O.

import type { TaskResult } from "../../ts/index.ts";
import { collectGarbage, residentBytes } from "../memory.ts";
import { type Params, param, type Sample } from "../scenario.ts";
import { benchRuntime } from "./guest.ts";

/** Stack of a parked task: the smallest class. */
const PARKED_STACK_BYTES = 1024;

/** Runs one export and times it. */
async function timed(
  entry: string,
  args: number[],
): Promise<{
  ns: number;
  result: TaskResult;
  notes: Record<string, unknown>;
  switches: number;
  hostCalls: number;
}> {
  await using runtime = await benchRuntime();
  const before = runtime.stats;
  const started = performance.now();
  const result = await runtime.spawn(entry, args, { stackBytes: 64 * 1024 });
  const ns = (performance.now() - started) * 1e6;
  const { switches, runs, hostCalls } = runtime.stats;
  const counts = {
    switches: switches - before.switches,
    hostCalls: hostCalls - before.hostCalls,
  };
  return { ns, result, ...counts, notes: { ...counts, runs: runs - before.runs } };
}

export async function pingPong(params: Params): Promise<Sample> {
  const rounds = param(params, "rounds");
  const { ns, result, notes } = await timed("ping_pong", [rounds]);
  return { metrics: { "ns/round": ns / rounds }, checksum: String(result), notes };
}

export async function switches(params: Params): Promise<Sample> {
  const rounds = param(params, "rounds");
  const run = await timed("switches", [param(params, "depth"), rounds]);
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
  const { ns, result, notes } = await timed("spawn_join", [tasks, param(params, "batch")]);
  return { metrics: { "ns/task": ns / tasks }, checksum: String(result), notes };
}

export async function parked(params: Params): Promise<Sample> {
  const tasks = param(params, "tasks");
  await using runtime = await benchRuntime({ limits: { tasksMax: tasks + 1, turnMs: 50 } });
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

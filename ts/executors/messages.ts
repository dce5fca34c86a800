//! What the pool and its threads say to each other.

import type { MessagePort } from "node:worker_threads";
import type { DumpOptions, TaskDump } from "../runtime/dump.ts";
import type { RuntimeOptions } from "../runtime/options.ts";
import type { RuntimeStats } from "../runtime/stats.ts";
import type { TaskResult } from "../runtime/task.ts";
import type { TaskLine } from "../runtime/task-table.ts";
import type { SignalName } from "../signals.ts";
import type { Module } from "../webassembly.ts";
import type { WireError } from "./wire-error.ts";

/** The first message to a thread. */
export interface Start {
  readonly executor: number;
  readonly executors: number;
  readonly module: Module;
  /** Only what can be posted. */
  readonly options: RuntimeOptions;
  /** Of the module with the host's functions. */
  readonly importsUrl: string | undefined;
  readonly forwardsOutput: boolean;
  /** The arena of the channels. */
  readonly arena: SharedArrayBuffer;
  /** Of the pool: see BackendOptions. */
  readonly pool: Uint8Array;
  /** Of the pool's Quiescence. */
  readonly quiescence: SharedArrayBuffer;
  /** To the other executors. */
  readonly ports: readonly (MessagePort | undefined)[];
}

/** What can be asked of a runtime, and the answers. */
export interface Answers {
  tasks: readonly TaskLine[];
  dump: readonly TaskDump[];
  stats: RuntimeStats;
  raise: boolean;
  /** The exit code of the guest's main. */
  run: number;
  /** Its token. */
  release: Uint8Array;
  /** The handle. */
  adopt: number;
}

export type Question =
  | { readonly what: "tasks" | "stats" | "run" }
  | { readonly what: "dump"; readonly options: DumpOptions }
  | { readonly what: "raise"; readonly signal: SignalName }
  | { readonly what: "release"; readonly handle: number }
  | { readonly what: "adopt"; readonly token: Uint8Array };

export interface SpawnRequest {
  readonly entry: string;
  readonly args: readonly (number | bigint)[];
  readonly name?: string;
  readonly stackBytes?: number;
}

export type ToThread =
  | { readonly type: "start"; readonly start: Start }
  | { readonly type: "spawn"; readonly id: number; readonly request: SpawnRequest }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "cancel all" }
  /** A channel has changed. */
  | { readonly type: "wake" }
  | { readonly type: "ask"; readonly id: number; readonly question: Question }
  | { readonly type: "stop" };

export type Outcome<T> = { readonly value: T } | { readonly error: WireError };

export type FromThread =
  | { readonly type: "started"; readonly outcome: Outcome<undefined> }
  | { readonly type: "task ended"; readonly id: number; readonly outcome: Outcome<TaskResult> }
  | { readonly type: "answer"; readonly id: number; readonly outcome: Outcome<unknown> }
  | { readonly type: "wake" }
  /** All executors rest. */
  | { readonly type: "still" }
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly line: string }
  | { readonly type: "task failed"; readonly error: WireError }
  /** The runtime broke: nothing of it can go on. */
  | { readonly type: "broke"; readonly error: WireError }
  | { readonly type: "stopped"; readonly stats: RuntimeStats };

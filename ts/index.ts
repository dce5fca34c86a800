/**
 * Stackful coroutines for WebAssembly guests.
 *
 * @module
 */

export { StackfulError, type StackfulErrorCode, type StackfulErrorOptions } from "./errors.ts";
export type { HostFunction, HostImports } from "./guest/host-imports.ts";
export type { BackendName, DirectoryGrant } from "./host/backend.ts";
export type { BackendReason } from "./host/open-backend.ts";
export {
  Channel,
  type ChannelItem,
  type ChannelOptions,
  type WaitOptions,
} from "./runtime/channel.ts";
export { DeadlockError } from "./runtime/deadlock.ts";
export type { DumpOptions, TaskDump } from "./runtime/dump.ts";
export { type FormatOptions, formatDump } from "./runtime/dump-format.ts";
export type { GuestSource } from "./runtime/load.ts";
export {
  DEFAULT_LIMITS,
  type Limits,
  type RuntimeGrants,
  type RuntimeOptions,
} from "./runtime/options.ts";
export { Runtime, type RuntimeStats, type SpawnOptions } from "./runtime/runtime.ts";
export type { SignalName } from "./runtime/signals.ts";
export type { Task, TaskResult, TaskStatus } from "./runtime/task.ts";
export type { TaskLine } from "./runtime/task-table.ts";

/**
 * Stackful coroutines for WebAssembly guests.
 *
 * @module
 */

export { StackfulError, type StackfulErrorCode, type StackfulErrorOptions } from "./errors.ts";
export type { ExecutorPlace, ImportsModule } from "./executors/imports-module.ts";
export { ExecutorPool, type OnExecutor } from "./executors/pool.ts";
export type { Placement, PoolOptions, PoolSpawnOptions } from "./executors/pool-options.ts";
export type { PoolTask } from "./executors/pool-task.ts";
export type { SharedChannel, SharedChannelOptions } from "./executors/shared-channel.ts";
export type { HostFunction, HostImports } from "./guest/host-imports.ts";
export type { AdoptOptions, BackendName, DirectoryGrant, ProcessGrant } from "./host/backend.ts";
export type { BackendReason } from "./host/open-backend.ts";
export { type Arm, timeout } from "./runtime/arm.ts";
export type { BlockingOptions } from "./runtime/blocking.ts";
export { Channel, type ChannelOptions } from "./runtime/channel.ts";
export { DeadlockError } from "./runtime/deadlock.ts";
export type { DumpOptions, TaskDump } from "./runtime/dump.ts";
export { type DumpedTask, type FormatOptions, formatDump } from "./runtime/dump-format.ts";
export type { Event, EventOptions } from "./runtime/event.ts";
export type { Item, ItemOf, ItemType } from "./runtime/item.ts";
export type { GuestSource } from "./runtime/module-source.ts";
export {
  DEFAULT_LIMITS,
  type Limits,
  type RuntimeDnsGrant,
  type RuntimeGrants,
  type RuntimeOptions,
  type SpawnOptions,
  type StandardStream,
} from "./runtime/options.ts";
export { Runtime } from "./runtime/runtime.ts";
export type {
  FairTurn,
  Selectable,
  Selectables,
  Selected,
  SelectOptions,
  WaitOptions,
} from "./runtime/select.ts";
export type { AcquireOptions, Permit, Semaphore } from "./runtime/semaphore.ts";
export type { RuntimeStats } from "./runtime/stats.ts";
export type { Task, TaskResult, TaskStatus } from "./runtime/task.ts";
export type { GroupOptions, TaskGroup } from "./runtime/task-group.ts";
export { describeTaskState, TASK_STATE, type TaskState } from "./runtime/task-states.ts";
export type { TaskLine } from "./runtime/task-table.ts";
export type { Trimmed } from "./runtime/trim.ts";
export type { SignalName } from "./signals.ts";

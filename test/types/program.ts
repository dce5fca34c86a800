//! A program that uses everything the package exports. It is compiled, never run: as part of the
//! checkout, and in a project of its own against the packed declarations.

import {
  type AcquireOptions,
  type AdoptOptions,
  type Arm,
  type BackendName,
  type BackendReason,
  type BlockingOptions,
  Channel,
  type ChannelOptions,
  DEFAULT_LIMITS,
  DeadlockError,
  type DirectoryGrant,
  type DumpOptions,
  describeTaskState,
  type Event,
  type EventOptions,
  type FairTurn,
  type FormatOptions,
  formatDump,
  type GroupOptions,
  type GuestSource,
  type HostFunction,
  type HostImports,
  type Item,
  type ItemOf,
  type ItemType,
  type Limits,
  type Permit,
  type ProcessGrant,
  Runtime,
  type RuntimeDnsGrant,
  type RuntimeGrants,
  type RuntimeOptions,
  type RuntimeStats,
  type Selectable,
  type Selectables,
  type Selected,
  type SelectOptions,
  type Semaphore,
  type SignalName,
  type SpawnOptions,
  StackfulError,
  type StackfulErrorCode,
  type StackfulErrorOptions,
  type StandardStream,
  TASK_STATE,
  type Task,
  type TaskDump,
  type TaskGroup,
  type TaskLine,
  type TaskResult,
  type TaskState,
  type TaskStatus,
  type Trimmed,
  timeout,
  type WaitOptions,
} from "stackful";
import {
  type BuildOptions,
  build,
  type EntryStack,
  type Linked,
  type LinkFigures,
  type LinkOptions,
  link,
  type NoStackBound,
  type PathFunction,
  type StackBound,
} from "stackful/link";

/** The type of a value is this one, and no wider. */
function is<T>(_value: T): void {}

const lookup: HostFunction = async (key: number): Promise<number> => key * 2;
const imports: HostImports = {
  env: { lookup, now: (): bigint => 0n, log: (level: number, at: bigint): void => is([level, at]) },
};
const directory: DirectoryGrant = { host: "/srv/data", guest: "/data", readOnly: true };
const dns: RuntimeDnsGrant = { servers: ["[::1]:5353"], configuration: "options rotate\n" };
const streams: readonly StandardStream[] = ["stdin", "stderr"];
const processes: ProcessGrant = { programs: ["/usr/bin/sort"], environment: ["LC_ALL"] };
const grants: RuntimeGrants = {
  directories: [directory],
  connect: ["*"],
  listen: ["127.0.0.1:*"],
  dns,
  stdio: streams,
  processes,
};
const blocking: BlockingOptions = { signal: AbortSignal.timeout(1000) };
const limits: Partial<Limits> = { blockingThreads: 2, tasksMax: 2 * DEFAULT_LIMITS.tasksMax };

export async function embed(source: GuestSource, signal: AbortSignal): Promise<number> {
  const output: string[] = [];
  const options: RuntimeOptions = {
    args: ["--fast"],
    env: { LANG: "C" },
    grants,
    imports,
    asyncImports: ["env.lookup"],
    limits,
    backend: "auto",
    loop: "embedded",
    onOutput: (stream, line) => void output.push(`${stream}: ${line}`),
    onTaskFailed: (error) => is<StackfulError>(error),
  };
  await using runtime = await Runtime.create(source, options);
  is<number>(runtime.limits.tasksMax);
  is<WebAssembly.Memory>(runtime.memory);
  is<Readonly<Record<string, unknown>>>(runtime.exports);
  await tasks(runtime, signal);
  await coordinate(runtime, signal);
  look(runtime);
  return runtime.run();
}

async function tasks(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const spawning: SpawnOptions = { name: "worker", stackBytes: 32 * 1024, signal };
  const task: Task = runtime.spawn("work", [1, 2n], spawning);
  const result: TaskResult = await task;
  is<number | bigint | undefined | readonly (number | bigint)[]>(result);
  is<TaskStatus>(task.status);
  task.cancel();
  const grouping: GroupOptions = { failFast: true, runningMax: 8, signal };
  await using group: TaskGroup = runtime.group(grouping);
  group.spawn("work", [3]);
  await group.room();
  await group.wait({ signal });
}

async function coordinate(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const waiting: WaitOptions = { signal };
  const channelling: ChannelOptions<"i64"> = { capacity: 4, item: "i64" };
  using jobs = runtime.channel(channelling);
  is<Channel<bigint>>(jobs);
  is<boolean>(jobs instanceof Channel);
  await jobs.send(7n, waiting);
  is<bigint | undefined>(await jobs.receive());
  for await (const job of jobs) is<bigint>(job);
  is<Channel<number>>(runtime.channel());
  is<Channel<Uint8Array>>(runtime.channel({ item: 16 }));
  is<[ItemOf<"f64">, ItemOf<8>]>([0.5, new Uint8Array(8)]);
  const items: readonly [ItemType, Item][] = [["u32", 1]];
  is<number>(items.length);

  const events: EventOptions = { automatic: true };
  const stop: Event = runtime.event(events);
  stop.set();
  const slots: Semaphore = runtime.semaphore(4);
  const acquiring: AcquireOptions = { permits: 2, signal };
  using permit: Permit = await slots.acquire(acquiring);
  is<number>(permit.permits);

  const fair: FairTurn = { next: 0 };
  const selecting: SelectOptions = { fair, signal };
  const won = await runtime.select(
    {
      job: jobs.onReceive(),
      stopped: stop.onWait(),
      text: Promise.resolve("text"),
      late: timeout(100),
    },
    selecting,
  );
  if (won.key === "job") is<bigint | undefined>(won.value);
  if (won.key === "text") is<string>(won.value);
  if (won.key === "late") is<undefined>(won.value);
  const arm: Arm<bigint | undefined> = jobs.onReceive();
  const selectable: Selectable = arm;
  const selectables: Selectables = [selectable];
  is<Selected<readonly Selectable[]>>(await runtime.select(selectables as readonly Selectable[]));
}

function look(runtime: Runtime): string {
  const stats: RuntimeStats = runtime.stats;
  is<BackendName>(stats.backend);
  const reasons: readonly BackendReason[] = stats.reasons;
  const trimmed: Trimmed = runtime.trim();
  const adopt: AdoptOptions = { transfers: true, owned: false };
  is<number>(runtime.adoptDescriptor(3, adopt));
  is<Promise<string>>(runtime.blocking<string>("file:///work.js", "hash", ["a"], blocking));
  is<Promise<unknown>>(runtime.blocking(new URL("file:///work.js"), "hash"));
  const name: SignalName = "SIGTERM";
  const lines: readonly TaskLine[] = runtime.tasks();
  const states: Uint32Array = runtime.taskStates();
  const state: TaskState = describeTaskState(states[TASK_STATE.code] ?? 0);
  const dumping: DumpOptions = { stacks: false };
  const dump: readonly TaskDump[] = runtime.dump(dumping);
  const format: FormatOptions = { limit: 10 };
  is<[number, boolean, number]>([trimmed.bytes, runtime.raise(name), lines.length]);
  return `${formatDump(dump, format)}${reasons.length}${state.waitsFor}`;
}

export function explain(error: unknown): string {
  if (error instanceof DeadlockError) return formatDump(error.tasks);
  if (!(error instanceof StackfulError)) throw error;
  const code: StackfulErrorCode = error.code;
  const options: StackfulErrorOptions = { hint: "try again", cause: error };
  return new StackfulError(code, error.message, options).message;
}

export async function compile(guest: Uint8Array): Promise<number> {
  const building: BuildOptions = { sources: ["app.c"], reactor: true };
  const linking: LinkOptions = { asyncImports: ["env.lookup"], optimize: 2 };
  const linked: Linked = await link(guest, linking);
  const figures: LinkFigures = (await build(building)).figures;
  return linked.stacks.reduce((sum, entry) => sum + weigh(entry), figures.linkedBytes);
}

function weigh({ stack }: EntryStack): number {
  if (stack.kind !== "bound") {
    const reason: NoStackBound = stack;
    return reason.functions.length;
  }
  const bound: StackBound = stack;
  const path: readonly PathFunction[] = bound.path;
  return bound.bytes + path.length;
}

//! What the package exports of executors, used as a program does. Compiled, never run.

import {
  type Arm,
  type DumpedTask,
  type ExecutorPlace,
  ExecutorPool,
  formatDump,
  type ImportsModule,
  type OnExecutor,
  type Placement,
  type PoolOptions,
  type PoolSpawnOptions,
  type PoolTask,
  type Runtime,
  type RuntimeStats,
  type SharedChannel,
  type SharedChannelOptions,
  type StackfulError,
  type TaskResult,
  timeout,
} from "stackful";

/** The type of a value is this one, and no wider. */
function is<T>(_value: T): void {}

export const imports: ImportsModule = ({ executor, executors }: ExecutorPlace) => ({
  env: { place: () => executor * executors },
});

const options: PoolOptions = {
  executors: 4,
  imports: "file:///srv/imports.js",
  execArgv: ["--stack-size=4000"],
  limits: { tasksMax: 1_000 },
  onOutput: (stream: "stdout" | "stderr", line: string, executor: number) =>
    is([stream, line, executor]),
  onTaskFailed: (error: StackfulError, executor: number) => is([error.code, executor]),
  onCrash: (error: StackfulError, executor: number) => is([error.code, executor]),
};

export async function pools(guest: Uint8Array, runtime: Runtime): Promise<string> {
  await using pool = await ExecutorPool.create(guest, options);
  const on: Placement = "auto";
  const spawning: PoolSpawnOptions = { on, name: "worker", stackBytes: 4096 };
  const task: PoolTask = pool.spawn("work", [1, 2n], spawning);
  is<number>(task.executor);
  is<TaskResult>(await task);
  const channeling: SharedChannelOptions<"i64"> = { name: "jobs", capacity: 4, item: "i64" };
  using channel: SharedChannel<bigint> = pool.channel(channeling);
  await channel.send(channel.tryReceive() ?? 1n, { signal: AbortSignal.timeout(1) });
  for await (const item of pool.channel({ item: 16 })) is<Uint8Array>(item);
  is<boolean>(channel.trySend((await channel.receive()) ?? BigInt(channel.id)));
  const stats: OnExecutor<RuntimeStats>[] = await pool.stats();
  const dump: readonly DumpedTask[] = await pool.dump({ stacks: false });
  is<number>(await pool.run());
  is<readonly number[]>(pool.running);
  is<boolean>(await pool.raise("SIGINT"));
  is<readonly { readonly executor: number; readonly name: string }[]>(await pool.tasks());
  pool.cancel();
  is<number>(await pool.adoptHandle(await pool.releaseHandle(1, 0), 1));
  const won = await pool.select({
    item: channel.onReceive(),
    sent: channel.onSend(2n),
    late: timeout(5),
  });
  if (won.key === "item") is<bigint | undefined>(won.value);
  else is<unknown>(won.value);
  const arm: Arm<bigint | undefined> = channel.onReceive();
  is<0>((await runtime.select([arm])).key);
  return `${formatDump(dump)}${stats.length} of ${pool.executors}`;
}

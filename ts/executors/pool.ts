//! Several executors: threads that each run the same module, with a memory, a backend and a scheduler
//! of their own. They share the compiled code, and what a `SharedChannel` carries; nothing else.

import {
  connectThreads,
  processors,
  requireThreads,
  tellsOfIdleness,
} from "#platform/executors/start-thread";
import { StackfulError } from "../errors.ts";
import { newPoolKey } from "../host/pool-key.ts";
import { DeadlockError } from "../runtime/deadlock.ts";
import type { DumpOptions, TaskDump } from "../runtime/dump.ts";
import type { ItemOf, ItemType } from "../runtime/item.ts";
import { loadGuest } from "../runtime/load.ts";
import { type GuestSource, programName } from "../runtime/module-source.ts";
import { resolveLimits } from "../runtime/options.ts";
import { type Selectables, type Selected, type SelectOptions, select } from "../runtime/select.ts";
import type { RuntimeStats } from "../runtime/stats.ts";
import type { TaskLine } from "../runtime/task-table.ts";
import type { SignalName } from "../signals.ts";
import type { Answers, Question } from "./messages.ts";
import { PoolChannels } from "./pool-channels.ts";
import {
  checkExecutors,
  importsUrl,
  type Placement,
  type PoolOptions,
  type PoolSpawnOptions,
  threadOptions,
} from "./pool-options.ts";
import type { PoolTask } from "./pool-task.ts";
import { Quiescence } from "./quiescence.ts";
import { type RemoteEvents, RemoteExecutor } from "./remote-executor.ts";
import type { SharedChannel, SharedChannelOptions } from "./shared-channel.ts";
import { Stillness } from "./stillness.ts";

/** Of one executor of a pool. */
export type OnExecutor<T> = T & { readonly executor: number };

/** How long a thread that has ended its runtime gets to end itself, in milliseconds. */
const EXIT_MS = 2_000;

export class ExecutorPool implements AsyncDisposable {
  readonly #executors: readonly RemoteExecutor[];
  readonly #channels: PoolChannels;
  readonly #stillness: Stillness;
  readonly #shutdownMs: number;
  /** The embedder raises them. */
  readonly #signals: boolean;
  #deadlock: DeadlockError | undefined;
  /** Where the search for a place starts. */
  #next = 0;
  #ended: Promise<void> | undefined;

  /**
   * Loads a guest, links it if it is not linked yet, and starts `executors` threads that each hold an
   * instance of it. Nothing runs before `run` or `spawn`, except a reactor module's `_initialize`, on every
   * executor. The pool keeps the process until it is disposed of.
   *
   * @throws as `Runtime.create` does; {TypeError} an option that cannot go to another thread;
   *   {StackfulError} SF_EXECUTOR when a thread ended before it was ready; in browsers, which have none for
   *   executors; in a bundle, which does not have what they run.
   */
  static async create(source: GuestSource, options: PoolOptions = {}): Promise<ExecutorPool> {
    requireThreads();
    const executors = checkExecutors(options.executors ?? processors());
    const { shutdownMs } = resolveLimits(options.limits);
    const theirs = { ...threadOptions(options), program: options.program ?? programName(source) };
    const { module } = await loadGuest(source, options.asyncImports ?? []);
    const remotes: RemoteExecutor[] = [];
    const channels = new PoolChannels(executors, (executor) => remotes[executor]?.wake());
    const quiescence = Quiescence.create(executors);
    const stillness: Stillness = new Stillness(quiescence, {
      keep: (process) => {
        for (const remote of remotes) remote.keep(process);
      },
      report: (isRoused): Promise<void> => pool.#reportDeadlock(isRoused),
    });
    const key = newPoolKey();
    connectThreads(executors).forEach((ports, executor) => {
      const start = {
        executor,
        executors,
        module,
        options: theirs,
        importsUrl: importsUrl(options),
        forwardsOutput: options.onOutput !== undefined,
        arena: channels.buffer,
        pool: key,
        quiescence: quiescence.buffer,
        ports,
      };
      const events = eventsOf(options, executor, channels, stillness);
      const ended = (): void => {
        quiescence.leave(executor);
        events.ended();
      };
      remotes.push(new RemoteExecutor(start, { ...events, ended }, quiescence, options.execArgv));
    });
    const signals = options.raisesSignals === true;
    const pool: ExecutorPool = new ExecutorPool(remotes, channels, stillness, {
      shutdownMs,
      signals,
    });
    const started = await Promise.allSettled(remotes.map((remote) => remote.started));
    for (const outcome of started) {
      if (outcome.status === "fulfilled") continue;
      await pool[Symbol.asyncDispose]();
      throw outcome.reason;
    }
    return pool;
  }

  private constructor(
    executors: readonly RemoteExecutor[],
    channels: PoolChannels,
    stillness: Stillness,
    { shutdownMs, signals }: { readonly shutdownMs: number; readonly signals: boolean },
  ) {
    this.#executors = executors;
    this.#channels = channels;
    this.#stillness = stillness;
    this.#shutdownMs = shutdownMs;
    this.#signals = signals;
  }

  /** How many executors it was created with. */
  get executors(): number {
    return this.#executors.length;
  }

  /** Those that have neither crashed nor ended. */
  get running(): readonly number[] {
    return this.#live().map(({ index }) => index);
  }

  /**
   * Starts an export as a task on one of the executors. What `Runtime.spawn` throws the task is
   * rejected with.
   *
   * @throws {StackfulError} SF_EXECUTOR when that executor, or every one, has crashed; SF_DISPOSED.
   * @throws {RangeError} no such executor.
   */
  spawn(
    entry: string,
    args: readonly (number | bigint)[] = [],
    { on = "auto", signal, ...options }: PoolSpawnOptions = {},
  ): PoolTask {
    this.#refuseWhenOver(`spawn ${entry}`);
    const place = this.#place(entry, on);
    return place.spawn({ entry, args, ...options }, signal === undefined ? {} : { signal });
  }

  /**
   * Runs the guest's `main` on every executor, each in its own memory, to the end of all. When one fails
   * or returns another code than 0, the others are stopped: their tasks are canceled and waited for. The
   * pool has ended then.
   *
   * @returns that code, or 0.
   * @throws as `Runtime.run` does; SF_EXECUTOR when an executor crashed; SF_DEADLOCK, in Node, when nothing can
   *   wake a task of any executor any more: tasks are rejected with it, too, and the pool has ended.
   */
  async run(): Promise<number> {
    this.#refuseWhenOver("run");
    let first: { readonly code: number } | { readonly error: unknown } | undefined;
    const over = (how: typeof first): void => {
      if (first !== undefined) return;
      first = how;
      void this.#end();
    };
    const runs = this.#executors.map(async (executor) => {
      try {
        const code = await executor.ask({ what: "run" });
        if (code !== 0) over({ code });
      } catch (error) {
        over({ error });
      }
    });
    await Promise.all(runs);
    await this.#end();
    if (first === undefined) return 0;
    if ("error" in first) throw first.error;
    return first.code;
  }

  /** Cancels every task on every executor, the guest's own too. Does not wait. */
  cancel(): void {
    for (const executor of this.#live()) executor.cancelAll();
  }

  /**
   * Raises a signal on every executor.
   *
   * @returns whether the guest watches it on one of them.
   * @throws {TypeError} no guest can watch a signal of that name.
   */
  async raise(signal: SignalName): Promise<boolean> {
    return (await this.#askAll({ what: "raise", signal })).some(({ answer }) => answer);
  }

  /** Every task that lives, on all executors. An executor answers between two turns of its guest. */
  async tasks(): Promise<OnExecutor<TaskLine>[]> {
    return this.#flat(await this.#askAll({ what: "tasks" }));
  }

  /** As `Runtime.dump`, of all executors. An id counts on its executor. */
  async dump(options: DumpOptions = {}): Promise<OnExecutor<TaskDump>[]> {
    return this.#flat(await this.#askAll({ what: "dump", options }));
  }

  /** As `Runtime.stats`, of each executor; of one that has ended the last, of one that crashed none. */
  async stats(): Promise<OnExecutor<RuntimeStats>[]> {
    const told = await Promise.all(this.#executors.map((executor) => executor.stats()));
    return told.flatMap((stats, executor) => (stats === undefined ? [] : [{ ...stats, executor }]));
  }

  /**
   * A channel between the executors and this thread: the one of that name, which a guest may have made, or
   * a new one.
   *
   * @throws {RangeError} an option is out of range, or not that of the channel that has the name.
   * @throws {StackfulError} SF_LIMIT when the 16 MiB that a pool has for channels are used up; SF_DISPOSED.
   */
  channel<I extends ItemType = "i32">(
    options: SharedChannelOptions<I> = {},
  ): SharedChannel<ItemOf<I>> {
    this.#refuseWhenOver("channel");
    return this.#channels.open(options);
  }

  /**
   * Takes a handle from the guest on one executor, as its own `sf_handle_release` does.
   *
   * @returns a token: 16 bytes, for `adoptHandle`, or for the guest's `sf_handle_adopt` on any executor. What
   *   nobody has adopted is closed when that executor crashes or the pool ends.
   * @throws {StackfulError} SF_IO with the errno: EBADF; EBUSY while an operation is in flight on it; ENOTSUP,
   *   EMFILE as `sf_handle_release`; ENOSYS where the backend is not a native one of Linux, macOS or a BSD.
   *   SF_EXECUTOR when the executor has crashed; SF_DISPOSED.
   * @throws {RangeError} no such executor.
   */
  async releaseHandle(handle: number, on: number): Promise<Uint8Array> {
    return await this.#placed("release handle", on).ask({ what: "release", handle });
  }

  /**
   * Gives the guest on one executor what a token stands for, once: a guest's token too.
   *
   * @returns the handle, there.
   * @throws {StackfulError} SF_IO with the errno: EBADF when the token was adopted or closed, or is not of this
   *   pool; EMFILE: it can be adopted later, or elsewhere; ENOSYS. SF_EXECUTOR, SF_DISPOSED.
   * @throws {RangeError} no such executor.
   */
  async adoptHandle(token: Uint8Array, on: number): Promise<number> {
    return await this.#placed("adopt handle", on).ask({ what: "adopt", token });
  }

  /**
   * As `Runtime.select`, where there is no runtime: over `onReceive` and `onSend` of the pool's channels, timeouts,
   * tasks of the pool, promises and signals. Where there is one, its own select takes arms of these channels too.
   *
   *     const won = await pool.select({ result: results.onReceive(), late: timeout(100), stop: signal });
   *
   * @throws what the winner's own call throws; {TypeError} an arm of a runtime's channel, event or semaphore.
   */
  async select<const A extends Selectables>(
    arms: A,
    options?: SelectOptions,
  ): Promise<Selected<A>> {
    return await select(undefined, arms, options);
  }

  /** Cancels every task on every executor, waits for them, and ends the threads. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** Nothing can wake a task any more, unless a signal does. */
  async #reportDeadlock(isRoused: () => boolean): Promise<void> {
    const tasks = await this.dump();
    if (this.#ended !== undefined || isRoused() || tasks.length === 0) return;
    if (this.#signals && tasks.some(({ waitsFor }) => /\bsignal /.test(waitsFor))) return;
    this.#deadlock = new DeadlockError(tasks);
    for (const executor of this.#live()) executor.fail(this.#deadlock);
    await this.#end();
  }

  #end(): Promise<void> {
    this.#stillness.end();
    this.#ended ??= Promise.all(
      this.#executors.map((executor) => executor.stop(this.#shutdownMs + EXIT_MS)),
    ).then(() => this.#channels.endAll());
    return this.#ended;
  }

  #live(): RemoteExecutor[] {
    return this.#executors.filter(({ over }) => over === undefined);
  }

  #place(entry: string, on: Placement): RemoteExecutor {
    if (on !== "auto") return this.#numbered(`spawn ${entry}: on must be "auto" or`, on);
    const live = this.#live();
    if (live.length === 0) throw this.#executors[0]!.over!;
    const least = Math.min(...live.map(({ load }) => load));
    // The first at or behind the place of the last.
    const turned = [...live.filter(({ index }) => index >= this.#next), ...live];
    const place = turned.find(({ load }) => load === least)!;
    this.#next = place.index + 1;
    return place;
  }

  #placed(what: string, on: number): RemoteExecutor {
    this.#refuseWhenOver(what);
    return this.#numbered(`${what}: on must be`, on);
  }

  #numbered(must: string, on: number): RemoteExecutor {
    const executor = this.#executors[on];
    if (executor !== undefined) return executor;
    throw new RangeError(`${must} 0 to ${this.executors - 1}, not ${String(on)}`);
  }

  /** Of those that run; one that ends meanwhile is left out. */
  async #askAll<Q extends Question>(
    question: Q,
  ): Promise<{ readonly executor: number; readonly answer: Answers[Q["what"]] }[]> {
    const asked = this.#live().map(async (executor) => {
      try {
        return [{ executor: executor.index, answer: await executor.ask(question) }];
      } catch (error) {
        if (executor.over !== undefined) return [];
        throw error;
      }
    });
    return (await Promise.all(asked)).flat();
  }

  #flat<T>(
    answers: readonly { readonly executor: number; readonly answer: readonly T[] }[],
  ): OnExecutor<T>[] {
    return answers.flatMap(({ executor, answer }) => answer.map((item) => ({ ...item, executor })));
  }

  #refuseWhenOver(what: string): void {
    if (this.#deadlock !== undefined) throw this.#deadlock;
    if (this.#ended === undefined) return;
    throw new StackfulError("SF_DISPOSED", `${what}: the pool has ended`);
  }
}

function eventsOf(
  { onOutput, onTaskFailed, onCrash }: PoolOptions,
  executor: number,
  channels: PoolChannels,
  stillness: Stillness,
): RemoteEvents {
  const warn = (error: StackfulError): void =>
    process.emitWarning(error.message, { code: error.code });
  return {
    output: (stream, line) => onOutput?.(stream, line, executor),
    taskFailed: (error) => (onTaskFailed ?? warn)(error, executor),
    crashed: (error) => {
      channels.leave(executor);
      (onCrash ?? warn)(error, executor);
    },
    ended: () => channels.setGone(executor),
    wake: () => channels.look(),
    still: () => {
      if (tellsOfIdleness()) stillness.told();
    },
    rouse: () => stillness.rouse(),
  };
}

//! The public promise: a guest module, the tasks inside it, and the backend that does their I/O.

import { FAULT, SHARED } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend, BackendName, BackendStats } from "../host/backend.ts";
import { type BackendReason, openBackend } from "../host/open-backend.ts";
import type { LinkInfo } from "../link/section.ts";
import { TurnLoop } from "../sched/turn-loop.ts";
import { AutoTrim } from "./auto-trim.ts";
import { Channel, type ChannelOptions } from "./channel.ts";
import { DeadlockError, IdleWatch } from "./deadlock.ts";
import { type DumpOptions, dumpTasks, type TaskDump } from "./dump.ts";
import { parseEndpoint } from "./endpoint.ts";
import { Event, type EventOptions } from "./event.ts";
import { GuestExit, taskError } from "./failure.ts";
import type { FunctionNames } from "./function-names.ts";
import { HostWaits } from "./host-waits.ts";
import { asyncFunctionNames, type HostAwaits } from "./imports.ts";
import { type OpenedInstance, openInstance } from "./instance.ts";
import type { ItemOf, ItemType } from "./item.ts";
import { type GuestSource, loadGuest } from "./load.ts";
import { nestedExports } from "./nested-exports.ts";
import { type Limits, type RuntimeOptions, resolveLimits, type SpawnOptions } from "./options.ts";
import { type Selectables, type Selected, type SelectOptions, select } from "./select.ts";
import { Semaphore } from "./semaphore.ts";
import { type SignalName, signalKind } from "./signals.ts";
import { installStackBounds } from "./stack-bounds.ts";
import { paintStacks, readStackMarks } from "./stack-marks.ts";
import type { StackTraces } from "./stack-traces.ts";
import type { Task } from "./task.ts";
import { type GroupOptions, TaskGroup } from "./task-group.ts";
import { type TaskLine, TaskTable } from "./task-table.ts";
import { type Trimmed, trim } from "./trim.ts";
import { waitsForSignal } from "./waits-for.ts";

export interface RuntimeStats extends Readonly<BackendStats> {
  readonly backend: BackendName;
  /** Why a better backend is not in use. */
  readonly reasons: readonly BackendReason[];
  /** Turns of the scheduler; `turns` counts calls of the backend. */
  readonly schedulerTurns: number;
  readonly longestTurnMs: number;
  /** Calls from the host into the guest's scheduler. */
  readonly runs: number;
  /** Calls from the guest to host imports, WASI's included. Switches make none. */
  readonly hostCalls: number;
  /** Coroutines entered. */
  readonly switches: number;
  readonly tasksLive: number;
  readonly handlesOpen: number;
  /** Memory taken for stacks and control blocks, pooled ones included. */
  readonly regionsBytes: number;
  /** Those of them that are pooled: free for the next tasks, or to be given back. */
  readonly regionsFreeBytes: number;
  /** The guest's whole memory, what is set aside but untouched included. */
  readonly memoryBytes: number;
}

/** The largest size class of the core. */
const STACK_BYTES_MAX = 8 * 1024 * 1024;

/** A module without WASI has no `_start`; a reactor's `_initialize` ran in `create`. */
const MAIN = "_start";

export class Runtime implements AsyncDisposable {
  readonly limits: Limits;
  /** The guest's exports. A call of one must not park: spawn it instead. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly #guest: Guest;
  readonly #info: LinkInfo;
  readonly #backend: Backend;
  readonly #reasons: readonly BackendReason[];
  readonly #options: RuntimeOptions;
  readonly #loop: TurnLoop;
  readonly #tasks: TaskTable;
  readonly #waits: HostWaits;
  readonly #awaits: HostAwaits;
  readonly #autoTrim: AutoTrim;
  readonly #names: FunctionNames;
  readonly #traces: StackTraces;
  readonly #idle = new IdleWatch(() => this.#onIdle());
  #exit: GuestExit | undefined;
  #fatal: StackfulError | undefined;
  #ended: Promise<void> | undefined;
  #ran = false;

  /**
   * Loads a guest, links it if it is not linked yet, and opens the backend. Nothing runs before
   * `run` or `spawn`, except a reactor module's `_initialize`.
   *
   * @throws {StackfulError} SF_MODULE, SF_LINK, SF_TOOLCHAIN for the module; SF_IMPORT when it needs an
   *   import that nobody gives; SF_IO when the backend that was asked for cannot open; SF_LIMIT.
   * @throws {RangeError} an option is out of range.
   */
  static async create(source: GuestSource, options: RuntimeOptions = {}): Promise<Runtime> {
    const limits = resolveLimits(options.limits);
    const { grants = {}, imports = {} } = options;
    const directories = grants.directories ?? [];
    const backendGrants = {
      directories,
      connect: (grants.connect ?? []).flatMap(parseEndpoint),
      listen: (grants.listen ?? []).flatMap(parseEndpoint),
    };
    const asyncNames = [...asyncFunctionNames(imports), ...(options.asyncImports ?? [])];
    const loaded = await loadGuest(source, asyncNames);

    let runtime: Runtime | undefined;
    const opened = await openInstance(loaded, options, {
      program: options.program ?? programName(source),
      onSettled: () => runtime!.#loop.schedule(),
    });

    const { backend, reasons } = await openBackend(options.backend ?? "auto", {
      grants: backendGrants,
      handlesMax: limits.handlesMax,
    });
    try {
      const { guest } = opened;
      const { info } = loaded;
      guest.start(limits);
      installStackBounds(guest, info);
      if (options.paintStacks) paintStacks(guest);
      runtime = new Runtime({ ...opened, info, backend, reasons, limits, options });
      runtime.#initialize();
      return runtime;
    } catch (error) {
      await backend[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    parts: OpenedInstance & {
      readonly info: LinkInfo;
      readonly backend: Backend;
      readonly reasons: readonly BackendReason[];
      readonly limits: Limits;
      readonly options: RuntimeOptions;
    },
  ) {
    this.#guest = parts.guest;
    this.#info = parts.info;
    this.#backend = parts.backend;
    this.#reasons = parts.reasons;
    this.#awaits = parts.awaits;
    this.#names = parts.names;
    this.#traces = parts.traces;
    this.#options = parts.options;
    parts.guest.onCorrupt = (error) => this.#break(error);
    this.limits = parts.limits;
    this.exports = nestedExports(parts.guest);
    this.#loop = new TurnLoop(parts.guest, parts.backend, {
      turnMs: parts.limits.turnMs,
      drain: () => {
        this.#tasks.drain();
        this.#waits.drain();
        this.#autoTrim.look();
        if (this.#tasks.size === 0) this.#idle.stop();
      },
      hostCalls: () =>
        this.#awaits.embedderCalls + this.#waits.servedCount + this.#tasks.endedCount,
      failed: (task, error) => this.#failed(task, error),
      broken: (error) => this.#break(error),
    });
    this.#tasks = new TaskTable(parts.guest, () => this.#loop.schedule());
    this.#waits = new HostWaits(parts.guest, () => this.#loop.schedule());
    this.#autoTrim = new AutoTrim(parts.guest, {
      idle: () => this.#loop.idle,
      trim: () => this.#trimUnasked(),
    });
  }

  /** The guest's memory. It grows: take `memory.buffer` anew after anything that ran the guest. */
  get memory(): WebAssembly.Memory {
    return this.#guest.memory;
  }

  get stats(): RuntimeStats {
    const guest = this.#guest;
    return {
      ...this.#backend.stats,
      backend: this.#backend.name,
      reasons: this.#reasons,
      schedulerTurns: this.#loop.stats.turns,
      longestTurnMs: this.#loop.stats.longestTurnMs,
      runs: this.#loop.stats.runs,
      hostCalls: this.#awaits.calls,
      switches: guest.sharedU64(SHARED.switches),
      tasksLive: guest.sharedU32(SHARED.tasksLive),
      handlesOpen: this.#backend.handlesOpen,
      regionsBytes: guest.sharedU32(SHARED.regionsBytes),
      regionsFreeBytes: guest.sharedU32(SHARED.regionsFreeBytes),
      memoryBytes: guest.memory.buffer.byteLength,
    };
  }

  /** The host's task that is running: who a host import was called by. */
  get current(): Task | undefined {
    return this.#tasks.get(this.#guest.current);
  }

  /** Every task that lives, the guest's own too, and what it waits for. */
  tasks(): readonly TaskLine[] {
    return this.#tasks.list();
  }

  /**
   * Every task that lives, the oldest first, with what it waits for and its stack. At any time, from
   * host imports too; the guest notices nothing. `formatDump` makes a text of it.
   */
  dump(options: DumpOptions = {}): TaskDump[] {
    if (this.#ended !== undefined && this.#guest.sharedU32(SHARED.tasksLive) === 0) return [];
    // A guest that has damaged itself is not run again, not even to look at it.
    const stacks = options.stacks !== false && this.#fatal === undefined;
    const sources = {
      guest: this.#guest,
      names: this.#names,
      traces: this.#traces,
      importOf: (task: number) => this.#awaits.importOf(task),
    };
    return dumpTasks(sources, this.#tasks.addresses(), { stacks });
  }

  /** With `paintStacks`: most bytes of stack that tasks have used, by the function they started with. */
  stackMarks(): Record<string, number> {
    return readStackMarks(this.#guest, this.#names, this.#tasks.addresses());
  }

  /** What the linker has found that tasks need at most, by the function they start with. */
  stackBounds(): Record<string, number> {
    const bounds = this.#info.stackBounds ?? [];
    return Object.fromEntries(
      bounds.map(([place, bytes]) => [this.#names.inTable(this.#guest, place), bytes]),
    );
  }

  /**
   * Raises a signal in the guest: wakes the tasks that wait for it.
   *
   * @returns whether the guest watches it; if not, nothing has happened.
   * @throws {TypeError} no guest can watch a signal of that name.
   */
  raise(name: SignalName): boolean {
    const kind = signalKind(name);
    if (this.#ended !== undefined || this.#fatal !== undefined) return false;
    if ((this.#guest.sharedU32(SHARED.signalsWatched) & (1 << kind)) === 0) return false;
    this.#guest.core.stackful_signal_raise(kind);
    this.#idle.sleep();
    this.#loop.schedule();
    return true;
  }

  /**
   * Starts an export as a task. It runs in a later turn of the host's event loop.
   *
   * @param entry - any function that the guest exports.
   * @param args - numbers, and bigints for i64 parameters.
   * @throws {StackfulError} SF_LIMIT when tasksMax live or memory is used up; SF_DISPOSED.
   * @throws {TypeError} no such export, or arguments that do not fit.
   * @throws {RangeError} stackBytes is not a whole number from 1 to 8 MiB.
   */
  spawn(entry: string, args: readonly (number | bigint)[] = [], options: SpawnOptions = {}): Task {
    const task = this.#create(entry, args, options);
    task.start();
    return task;
  }

  #create(entry: string, args: readonly (number | bigint)[], options: SpawnOptions): Task {
    this.#refuseWhenOver(`spawn ${entry}`);
    const found = Object.hasOwn(this.#info.entries, entry) ? this.#info.entries[entry] : undefined;
    if (found === undefined) {
      const names = Object.keys(this.#info.entries).join(", ");
      throw new TypeError(`spawn ${entry}: the guest exports no such function (it has ${names})`);
    }
    const bytes = found.stackBytes ?? this.limits.stackBytes;
    const { stackBytes = bytes, signal, name = entry } = options;
    if (!Number.isInteger(stackBytes) || stackBytes < 1 || stackBytes > STACK_BYTES_MAX) {
      throw new RangeError(`spawn ${entry}: stackBytes must be 1 to 8388608, not ${stackBytes}`);
    }
    const task = this.#tasks.create(name, found, args, stackBytes);
    this.#idle.start();
    if (signal?.aborted) task.cancel();
    else if (signal !== undefined) cancelOnAbort(task, signal);
    return task;
  }

  /**
   * Runs the guest's `main` to its end, then cancels the tasks that are left and waits for them.
   *
   * @returns the exit code.
   * @throws {StackfulError} as awaiting a task does; SF_MODULE when there is no main; SF_DEADLOCK when
   *   nothing can wake a task any more.
   */
  async run(): Promise<number> {
    this.#refuseWhenOver("run");
    if (this.#info.entries[MAIN] === undefined || this.#ran) {
      const why = this.#ran ? "main has run already" : "the guest has no main";
      throw new StackfulError("SF_MODULE", `run: ${why}`, { hint: "spawn an export instead" });
    }
    this.#ran = true;
    const { stackBytes = this.limits.mainStackBytes } = this.#info.entries[MAIN];
    const main = this.spawn(MAIN, [], { name: "main", stackBytes });
    try {
      await this.#drive(main);
    } catch (error) {
      if (this.#exit === undefined) throw error;
    } finally {
      await this.#end();
    }
    return this.#exit?.exitCode ?? 0;
  }

  /** Cancels every task, the guest's own too. Does not wait. */
  cancel(): void {
    if (this.#ended === undefined) this.#tasks.cancelAll();
  }

  /** A channel that guest and host share. Its memory lives as long as the runtime. */
  channel<I extends ItemType = "i32">(options: ChannelOptions<I> = {}): Channel<ItemOf<I>> {
    this.#refuseWhenOver("channel");
    return new Channel(this.#waits, options);
  }

  /**
   * Gives the memory of ended tasks back to the operating system. Happens by itself a second after a
   * burst; call it where memory counts at once. Takes up to half a microsecond for each such task.
   *
   * @returns how many bytes the system got, and why none where the backend cannot do it.
   * @throws {StackfulError} SF_TRAP when the guest has damaged its core; SF_DISPOSED.
   */
  trim(): Trimmed {
    this.#refuseWhenOver("trim");
    this.#loop.bind();
    return trim(this.#guest, this.#backend);
  }

  /** An event that guest and host share. Its memory lives as long as the runtime. */
  event(options: EventOptions = {}): Event {
    this.#refuseWhenOver("event");
    return new Event(this.#waits, options);
  }

  /**
   * A semaphore that guest and host share. Its memory lives as long as the runtime.
   *
   * @throws {RangeError} permits is not a whole number from 0 to 2 ** 32 - 1.
   */
  semaphore(permits: number): Semaphore {
    this.#refuseWhenOver("semaphore");
    return new Semaphore(this.#waits, permits);
  }

  /** @throws {RangeError} runningMax is not 1 or more. */
  group(options: GroupOptions = {}): TaskGroup {
    const create = this.#create.bind(this);
    const { entries } = this.#info;
    const returnsStatus = (entry: string): boolean => entries[entry]?.results.join() === "i32";
    return new TaskGroup({ waits: this.#waits, create, returnsStatus }, options);
  }

  /**
   * Waits until one of several things is there:
   *
   *     const won = await runtime.select({ job: jobs.onReceive(), late: timeout(100), stop: signal });
   *     if (won.key === "job") handle(won.value);
   *
   * Exactly the arm that is returned has its effect, also against tasks that want the same. Of those
   * that are ready at the call the first counts; a promise is never among them, it counts a microtask
   * later at the earliest. Else the one counts that is ready first. What became ready in one run of
   * the guest is looked at in this order: the arms of channels, events and semaphores by their time,
   * then tasks and groups.
   *
   * @throws what the winner's own call throws: SF_CLOSED for a send on a closed channel, a task's
   *   error, the reason of a promise; the signal's reason; SF_DISPOSED, or what else the runtime
   *   ended with.
   */
  async select<const A extends Selectables>(
    arms: A,
    options?: SelectOptions,
  ): Promise<Selected<A>> {
    return await select(this.#waits, arms, options);
  }

  /** Cancels every task, waits until each has ended, and frees what the host holds. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  #trimUnasked(): void {
    if (this.#fatal !== undefined || this.#ended !== undefined) return;
    try {
      this.trim();
    } catch (error) {
      this.#break(error);
    }
  }

  #initialize(): void {
    const { _initialize } = this.exports;
    if (typeof _initialize === "function") _initialize();
  }

  async #drive(main: Task): Promise<void> {
    if (this.#options.loop === "owned") {
      await this.#loop.runOwned(() => main.ended || this.#exit !== undefined);
    }
    if (this.#fatal !== undefined) throw this.#fatal;
    if (this.#exit === undefined) await main;
  }

  /** Nothing will wake a task any more, or a signal will. */
  #onIdle(): void {
    const signalCanWake =
      this.#options.raisesSignals === true &&
      this.#tasks.addresses().some((task) => waitsForSignal(this.#guest, task));
    if (signalCanWake) {
      this.#idle.stayAwake();
      return;
    }
    const error = new DeadlockError(this.dump());
    this.#fatal = error;
    this.#idle.stop();
    this.#loop.stop();
    this.#endAll(error);
  }

  #failed(address: number, cause: unknown): boolean {
    if (address === 0) {
      this.#break(
        new StackfulError("SF_TRAP", "the guest's coroutine core trapped: its memory is corrupt", {
          cause,
        }),
      );
      return false;
    }
    const name = this.#guest.taskName(address);
    const error = this.#coreFailed(address, name, cause);
    if (!this.#guest.isDoomed(address)) this.#awaits.forget(address);
    if (cause instanceof GuestExit) {
      this.#exit ??= cause;
      this.#tasks.failAll(new StackfulError("SF_EXIT", cause.message));
      return true;
    }
    const hosts = this.#tasks.noteFailure(address, error);
    if (!hosts) this.#report(error);
    if (this.#options.strict) this.#fatal ??= error;
    if (this.#fatal === undefined) return true;
    this.#endAll(this.#fatal);
    return false;
  }

  /** Nothing can run any more. */
  #break(error: unknown): void {
    this.#fatal ??=
      error instanceof StackfulError
        ? error
        : new StackfulError("SF_IO", `the runtime broke: ${String(error)}`, { cause: error });
    this.#endAll(this.#fatal);
  }

  /** Of everything that somebody may be waiting for. */
  #endAll(error: StackfulError): void {
    this.#tasks.failAll(error);
    this.#waits.endAll(error);
  }

  /** Lets the core end the task, and says why it failed. */
  #coreFailed(address: number, name: string, cause: unknown): StackfulError {
    const fault = this.#awaits.threw(cause) ? FAULT.HOST : FAULT.TRAP;
    const result = this.#guest.core.stackful_fail_current(fault);
    if (result >= 0) return taskError(this.#guest, address, name, cause);
    this.#fatal = new StackfulError(
      "SF_STACK_OVERFLOW",
      `task "${name}" unwound more frames than the runtime has room for; the guest cannot go on`,
      { hint: "it recurses without end, and node --stack-size lets it go too deep", cause },
    );
    return this.#fatal;
  }

  #report(error: StackfulError): void {
    if (this.#options.onTaskFailed !== undefined) this.#options.onTaskFailed(error);
    else globalThis.process?.emitWarning?.(error.message, { code: error.code });
  }

  #refuseWhenOver(what: string): void {
    if (this.#ended !== undefined) {
      throw new StackfulError("SF_DISPOSED", `${what}: the runtime has ended`);
    }
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  #end(): Promise<void> {
    this.#ended ??= this.#shutDown();
    return this.#ended;
  }

  async #shutDown(): Promise<void> {
    this.#idle.stop();
    if (this.#fatal === undefined) await this.#cancelAndDrain();
    this.#loop.stop();
    this.#autoTrim.stop();
    const reason =
      this.#exit === undefined
        ? new StackfulError("SF_DISPOSED", "the runtime ended before the task did")
        : new StackfulError("SF_EXIT", this.#exit.message);
    this.#endAll(this.#fatal ?? reason);
    await this.#backend[Symbol.asyncDispose]();
  }

  /** Tasks that do not end in time are abandoned with their stacks. */
  async #cancelAndDrain(): Promise<void> {
    const live = (): number => this.#guest.sharedU32(SHARED.tasksLive);
    const endMs = performance.now() + this.limits.shutdownMs;
    let pauseMs = 1;
    while (live() > 0 && performance.now() < endMs && this.#fatal === undefined) {
      // Again and again: a task may take one request for something else and go on.
      this.#tasks.cancelAll();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(2 * pauseMs, 100);
    }
  }
}

/** A signal may outlive many tasks: it must not hold on to those that have ended. */
function cancelOnAbort(task: Task, signal: AbortSignal): void {
  const onAbort = (): void => task.cancel();
  const release = (): void => signal.removeEventListener("abort", onAbort);
  signal.addEventListener("abort", onAbort, { once: true });
  task.then(release, release);
}

function programName(source: GuestSource): string {
  const path = typeof source === "string" || source instanceof URL ? String(source) : "guest";
  return path.split(/[\\/]/).at(-1)!;
}

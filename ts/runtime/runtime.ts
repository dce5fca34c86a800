//! The public promise: a guest module, the tasks inside it, and the backend that does their I/O.

import { ERRNO, FAULT, SHARED } from "../abi.gen.ts";
import type { GuestExecutor } from "../channels/guest-executor.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { AdoptOptions, Backend } from "../host/backend.ts";
import { type BackendReason, openBackend } from "../host/open-backend.ts";
import type { LinkInfo } from "../link/section.ts";
import type { Loop } from "../sched/loop.ts";
import { openLoop } from "../sched/open-loop.ts";
import { type SignalName, signalKind } from "../signals.ts";
import { adoptDescriptor } from "./adopt.ts";
import { AutoTrim } from "./auto-trim.ts";
import { backendGrants } from "./backend-grants.ts";
import { Coordination } from "./coordination.ts";
import { DeadlockError, IdleWatch } from "./deadlock.ts";
import { type DumpOptions, dumpTasks, type TaskDump } from "./dump.ts";
import { asStackfulError, GuestExit, taskError, warn } from "./failure.ts";
import type { FunctionNames } from "./function-names.ts";
import { HostWaits } from "./host-waits.ts";
import { asyncFunctionNames, type HostAwaits } from "./imports.ts";
import { type OpenedInstance, openInstance } from "./instance.ts";
import { loadGuest } from "./load.ts";
import { type GuestSource, programName } from "./module-source.ts";
import { nestedExports } from "./nested-exports.ts";
import { type Limits, type RuntimeOptions, resolveLimits, type SpawnOptions } from "./options.ts";
import { installStackBounds, readStackBounds } from "./stack-bounds.ts";
import { paintStacks, readStackMarks } from "./stack-marks.ts";
import type { StackTraces } from "./stack-traces.ts";
import { type RuntimeStats, readStats } from "./stats.ts";
import { cancelOnAbort, type Task } from "./task.ts";
import type { GroupHost } from "./task-group.ts";
import { readTaskStates } from "./task-states.ts";
import { checkStackBytes, type TaskLine, TaskTable } from "./task-table.ts";
import { type Trimmed, trim } from "./trim.ts";
import { waitsForSignal } from "./waits-for.ts";

/** A module without WASI has no `_start`; a reactor's `_initialize` ran in `create`. */
const MAIN = "_start";

export class Runtime extends Coordination implements AsyncDisposable {
  readonly limits: Limits;
  /** The guest's exports. A call of one must not park: spawn it instead. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly #guest: Guest;
  readonly #info: LinkInfo;
  readonly #backend: Backend;
  readonly #reasons: readonly BackendReason[];
  readonly #options: RuntimeOptions;
  readonly #loop: Loop;
  readonly #tasks: TaskTable;
  readonly #waits: HostWaits;
  readonly #awaits: HostAwaits;
  readonly #autoTrim: AutoTrim;
  readonly #names: FunctionNames;
  readonly #traces: StackTraces;
  readonly #flushOutput: () => void;
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
    return await Runtime.createOn(undefined, source, options);
  }

  /** @internal As an executor of a pool. */
  static async createOn(
    executor: GuestExecutor | undefined,
    source: GuestSource,
    options: RuntimeOptions,
  ): Promise<Runtime> {
    const limits = resolveLimits(options.limits);
    const { handlesMax } = limits;
    const needs = { grants: backendGrants(options.grants), handlesMax, pool: executor?.pool };
    const { imports = {}, asyncImports = [] } = options;
    const loaded = await loadGuest(source, [...asyncFunctionNames(imports), ...asyncImports]);

    const { backend, reasons } = await openBackend(options.backend ?? "auto", needs);
    let runtime: Runtime | undefined;
    try {
      const opened = await openInstance(loaded, options, {
        program: options.program ?? programName(source),
        backend,
        limits,
        executor,
        onSettled: () => runtime!.#loop.schedule(),
      });
      const { guest } = opened;
      installStackBounds(guest, loaded.info);
      if (options.paintStacks) paintStacks(guest);
      runtime = new Runtime({ ...opened, info: loaded.info, backend, reasons, limits, options });
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
    super();
    this.#guest = parts.guest;
    this.#info = parts.info;
    this.#backend = parts.backend;
    this.#reasons = parts.reasons;
    this.#awaits = parts.awaits;
    this.#names = parts.names;
    this.#traces = parts.traces;
    this.#flushOutput = parts.flushOutput;
    this.#options = parts.options;
    parts.guest.onCorrupt = (error) => this.#break(error);
    this.limits = parts.limits;
    this.exports = nestedExports(parts.guest);
    this.#loop = openLoop(parts.guest, parts.backend, {
      turnMs: parts.limits.turnMs,
      drain: () => {
        this.#tasks.drain();
        this.#waits.drain();
        parts.executor?.look();
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
    if (parts.executor !== undefined) parts.executor.spawns.here = this.#spawnFor.bind(this);
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
    const turns = this.#loop.stats;
    return readStats(this.#guest, this.#backend, this.#reasons, turns, this.#awaits.calls);
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
    return dumpTasks(sources, this.#tasks.addresses(), { ...options, stacks });
  }

  /**
   * What every task that lives does, for whoever looks often: some nanoseconds a task, where `dump` takes
   * microseconds. `TASK_STATE.words` numbers for each, the newest first: its id as in `dump`, a code
   * for `describeTaskState`, and how often it has been entered. At any time, as `dump`.
   *
   * @param into - where to; used if it has room for every task.
   * @returns the part of `into` that was written, else a new array.
   */
  taskStates(into?: Uint32Array): Uint32Array {
    return readTaskStates(this.#guest, into);
  }

  /** With `paintStacks`: most bytes of stack that tasks have used, by the function they started with. */
  stackMarks(): Record<string, number> {
    return readStackMarks(this.#guest, this.#names, this.#tasks.addresses());
  }

  /** What the linker has found that tasks need at most, by the function they start with. */
  stackBounds(): Record<string, number> {
    return readStackBounds(this.#guest, this.#names, this.#info);
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
    checkStackBytes(entry, stackBytes);
    const task = this.#tasks.create(name, found, args, stackBytes);
    this.#idle.start();
    if (signal !== undefined) cancelOnAbort(task, signal);
    return task;
  }

  /** For a guest, which names the function by its place in the table. Nobody joins the task. */
  #spawnFor(entry: number, argument: Uint8Array): number {
    if (this.#ended !== undefined || this.#fatal !== undefined) return -ERRNO.ESRCH;
    try {
      const task = this.#tasks.createFor(this.#names.inTable(this.#guest, entry), entry, argument);
      this.#idle.start();
      task.then(undefined, (error) => this.#report(error as StackfulError));
      task.start();
      return 0;
    } catch (error) {
      const errno = error instanceof StackfulError ? error.errno : undefined;
      return -ERRNO[(errno ?? "EINVAL") as keyof typeof ERRNO];
    }
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

  /**
   * @internal For a thread that does nothing else: has turns run until `done`, waiting in the kernel
   * where the backend can. `done` is looked at after whatever asks for a turn, such as `cancel`; see `runOwned`.
   *
   * @throws {StackfulError} what the runtime broke with.
   */
  async ownThread(done: () => boolean, onRest: () => void): Promise<void> {
    await this.#loop.runOwned(done, onRest);
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  /** Cancels every task, the guest's own too. Does not wait. */
  cancel(): void {
    if (this.#ended === undefined) this.#tasks.cancelAll();
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

  /**
   * Gives the guest a handle for a descriptor that the program has from elsewhere, as a USB library's: pass it
   * to a function of the guest's. Native backends only.
   *
   * @throws {StackfulError} SF_IO: ENOSYS with a backend that cannot, EBADF, EMFILE, EPERM for a file that
   *   is not to be transferred from or to: there is nothing to wait for; SF_DISPOSED.
   */
  adoptDescriptor(fd: number, options: AdoptOptions = {}): number {
    this.#refuseWhenOver("adopt a descriptor");
    return adoptDescriptor(this.#backend, fd, options);
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
    this.#fatal ??= asStackfulError(error);
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
    const { onTaskFailed } = this.#options;
    if (onTaskFailed === undefined) warn(error);
    else this.#awaits.counted(onTaskFailed)(error);
  }

  protected override host(what?: string): GroupHost {
    if (what !== undefined) this.#refuseWhenOver(what);
    const { entries } = this.#info;
    return {
      waits: this.#waits,
      create: this.#create.bind(this),
      returnsStatus: (entry) => entries[entry]?.results.join() === "i32",
    };
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
    await Promise.all([this.endBlocking(), this.#fatal === undefined && this.#cancelAndDrain()]);
    this.#loop.stop();
    this.#autoTrim.stop();
    const reason =
      this.#exit === undefined
        ? new StackfulError("SF_DISPOSED", "the runtime ended before the task did")
        : new StackfulError("SF_EXIT", this.#exit.message);
    this.#endAll(this.#fatal ?? reason);
    this.#flushOutput();
    await this.#backend[Symbol.asyncDispose]();
  }

  /** Tasks that do not end in time are abandoned with their stacks. */
  async #cancelAndDrain(): Promise<void> {
    const live = (): number => this.#guest.sharedU32(SHARED.tasksLive);
    const { environment } = this.#backend;
    const endNs = environment.monotonicNs() + this.limits.shutdownMs * 1e6;
    let pauseMs = 1;
    while (live() > 0 && environment.monotonicNs() < endNs && this.#fatal === undefined) {
      // Again and again: a task may take one request for something else and go on.
      this.#tasks.cancelAll();
      await this.#loop.sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, 100);
    }
  }
}

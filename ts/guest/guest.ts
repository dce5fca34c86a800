//! An instance of a linked module: its core's functions and the control blocks in its memory.
//!
//! Everything read here lies in guest memory, so a hostile guest can have written it: values are used
//! as numbers, never as proof. What the host must rely on it keeps on its own side.

import { ERRNO, SHARED, STATE, TASK } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import { type Environment, SYSTEM } from "./environment.ts";

/** The core's functions that the host calls. Addresses come back signed: `>>> 0` them. */
interface CoreExports {
  readonly memory: WebAssembly.Memory;
  stackful_init(guestPagesMax: number, submissions: number, completions: number): number;
  stackful_run(budget: number): number;
  stackful_fail_current(fault: number): number;
  stackful_task_create(entry: number, stackBytes: number, topBytes: number): number;
  stackful_task_current(): number;
  stackful_task_start(task: number): void;
  stackful_task_cancel(task: number): void;
  stackful_task_free(task: number): void;
  stackful_await_begin(): void;
  stackful_await_end(): number;
  stackful_await_settled(task: number): void;
  stackful_nested_begin(): number;
  stackful_nested_end(phase: number): void;
  stackful_allocate(bytes: number): number;
  stackful_release(address: number): void;
  stackful_select(arms: number, armsCount: number, owner: number): number;
  stackful_select_forget(owner: number): void;
  stackful_signal_raise(kind: number): number;
  stackful_probe(task: number): number;
  stackful_probe_failed(): void;
  stackful_stack_used(task: number): number;
  stackful_pool_take(sizeClass: number): number;
  stackful_span_give(address: number, bytes: number): void;
  stackful_span_take(): number;
  sf_channel_init(channel: number, buffer: number, capacity: number, itemBytes: number): number;
  sf_channel_init_unbounded(channel: number, limit: number, itemBytes: number): number;
  sf_channel_close(channel: number, immediate: number): void;
  sf_channel_count(channel: number): number;
  sf_event_init(event: number, automatic: number): void;
  sf_event_set(event: number): void;
  sf_event_reset(event: number): void;
  sf_event_is_set(event: number): number;
  sf_semaphore_init(semaphore: number, permits: number): void;
  sf_semaphore_release(semaphore: number, permits: number): number;
  sf_semaphore_permits(semaphore: number): number;
  sf_source_notify(source: number): number;
}

export interface GuestLimits {
  readonly tasksMax: number;
  readonly stackBytes: number;
  readonly guestMemoryBytes: number;
  /** See sf_shared. */
  readonly attemptsMax?: number;
}

const PAGE_BYTES = 65_536;
const SUBMISSIONS = 4096;
const COMPLETIONS = 4096;

/** Addresses are below this; the core's negated errnos, as unsigned numbers, are not. */
const ADDRESS_END = 0x1_0000_0000 - PAGE_BYTES;

/** Core functions that may unwind or trap on purpose: their exceptions belong to the turn. */
const UNGUARDED: readonly string[] = [
  "stackful_run",
  "stackful_await_begin",
  "stackful_await_end",
  "stackful_nested_begin",
  "stackful_nested_end",
  "stackful_probe",
  "stackful_probe_failed",
];

export class Guest {
  readonly core: CoreExports;
  readonly environment: Environment;
  /** Called when a core function trapped: the guest has damaged its own memory. */
  onCorrupt: (error: StackfulError) => void = () => {};
  readonly exports: Readonly<Record<string, unknown>>;
  readonly memory: WebAssembly.Memory;
  readonly stackPointer: { value: number };
  /** The guest's functions that have addresses: entries of tasks among them. */
  readonly table: WebAssembly.Table;
  #shared = 0;
  // Views of the memory. Growing it detaches them, which empties them: that is looked for, because
  // asking the memory for its buffer every time costs more than the whole read.
  #view!: DataView;
  #bytes!: Uint8Array;
  #sharedWords!: Uint32Array;
  #generation = 0;

  constructor(instance: WebAssembly.Instance, environment: Environment = SYSTEM) {
    this.environment = environment;
    this.exports = instance.exports;
    this.core = this.#guarded(instance.exports);
    this.memory = this.core.memory;
    this.stackPointer = instance.exports.__stack_pointer as { value: number };
    this.table = instance.exports.__indirect_function_table as WebAssembly.Table;
    this.#refresh();
  }

  #refresh(): void {
    const { buffer } = this.memory;
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#sharedWords = new Uint32Array(buffer, this.#shared, SHARED.size / 4);
    this.#generation++;
  }

  /** The core's functions, with a trap in one reported as what it is. */
  #guarded(exports: WebAssembly.Exports): CoreExports {
    const core: Record<string, unknown> = { memory: exports.memory };
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== "function" || !/^(stackful|sf)_/.test(name)) continue;
      const fn = value as (...args: number[]) => unknown;
      core[name] = UNGUARDED.includes(name)
        ? fn
        : (...args: number[]) => {
            try {
              return fn(...args);
            } catch (cause) {
              const error = new StackfulError(
                "SF_TRAP",
                `the guest's coroutine core trapped in ${name}: its memory is corrupt`,
                { cause },
              );
              this.onCorrupt(error);
              throw error;
            }
          };
    }
    return core as unknown as CoreExports;
  }

  /** @throws {StackfulError} SF_LIMIT when the host does not give so much memory. */
  start(limits: GuestLimits): void {
    const pages = Math.ceil(limits.guestMemoryBytes / PAGE_BYTES);
    this.#shared = this.core.stackful_init(pages, SUBMISSIONS, COMPLETIONS) >>> 0;
    if (this.#shared === 0) {
      throw new StackfulError(
        "SF_LIMIT",
        `starting the guest: the host does not give it ${limits.guestMemoryBytes} bytes of memory`,
        { hint: "lower limits.guestMemoryBytes" },
      );
    }
    this.#refresh();
    this.setShared(SHARED.tasksMax, limits.tasksMax);
    this.setShared(SHARED.stackBytesDefault, limits.stackBytes);
    this.setShared(SHARED.attemptsMax, limits.attemptsMax ?? 0);
  }

  /** Address of sf_shared. */
  get shared(): number {
    return this.#shared;
  }

  /** Changes whenever the memory has grown. */
  get generation(): number {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#generation;
  }

  get view(): DataView {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#view;
  }

  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes;
  }

  /** sf_shared, by 32-bit words. */
  get #words(): Uint32Array {
    if (this.#sharedWords.length === 0) this.#refresh();
    return this.#sharedWords;
  }

  u32(address: number): number {
    return address <= this.bytes.length - 4 ? this.#view.getUint32(address, true) : 0;
  }

  i32(address: number): number {
    return this.u32(address) | 0;
  }

  setU32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  sharedU32(field: number): number {
    return this.#words[field >> 2]!;
  }

  setShared(field: number, value: number): void {
    this.#words[field >> 2] = value;
  }

  /** 64-bit counters and instants; exact below 2 ** 53. */
  sharedU64(field: number): number {
    return this.sharedU32(field) + this.sharedU32(field + 4) * 0x1_0000_0000;
  }

  setNow(nowNs: number): void {
    const words = this.#words;
    words[SHARED.nowNs >> 2] = nowNs % 0x1_0000_0000;
    words[(SHARED.nowNs >> 2) + 1] = nowNs / 0x1_0000_0000;
  }

  /** The task that is running; 0: none. */
  get current(): number {
    return this.core.stackful_task_current() >>> 0;
  }

  /** Every task records how much stack it uses. */
  get paintsStacks(): boolean {
    return this.sharedU32(SHARED.stackMarks) !== 0;
  }

  /** Failed, but not yet ended: the host still holds what it waits for. */
  isDoomed(task: number): boolean {
    return this.bytes[task + TASK.state] === STATE.DOOMED;
  }

  taskName(task: number): string {
    const address = this.u32(task + TASK.name);
    const length = Math.min(this.bytes[task + TASK.nameBytes]!, 64);
    if (address === 0 || length === 0) return "";
    return new TextDecoder().decode(this.bytes.slice(address, address + length));
  }

  /** For reports: every task is called something. */
  nameOrSerial(task: number): string {
    return this.taskName(task) || `task ${this.u32(task + TASK.serial)}`;
  }

  /**
   * Makes a task of the host.
   *
   * @throws {StackfulError} SF_LIMIT when tasksMax live, or memory is used up.
   * @throws {RangeError} `stackBytes` is over 8 MiB.
   */
  createTask(entry: number, stackBytes: number, topBytes: number): number {
    this.setNow(this.environment.monotonicNs()); // When it was made: the last run may be long ago.
    const task = this.core.stackful_task_create(entry, stackBytes, topBytes) >>> 0;
    if (task < ADDRESS_END) return task;
    switch (0x1_0000_0000 - task) {
      case ERRNO.EAGAIN:
        throw new StackfulError(
          "SF_LIMIT",
          `spawning a task: ${this.sharedU32(SHARED.tasksMax)} tasks are alive already`,
          { hint: "raise limits.tasksMax", errno: "EAGAIN" },
        );
      case ERRNO.ENOMEM:
        throw new StackfulError("SF_LIMIT", "spawning a task: the guest's 4 GiB are used up", {
          hint: "use smaller stacks, or fewer tasks",
          errno: "ENOMEM",
        });
      default:
        throw new RangeError(`spawning a task: stackBytes ${stackBytes} is over 8 MiB`);
    }
  }

  /** @throws {StackfulError} SF_LIMIT when memory is used up; SF_TRAP when the core's pools are wild. */
  allocate(bytes: number): number {
    const address = this.core.stackful_allocate(bytes) >>> 0;
    if (address + bytes > this.bytes.length) {
      const error = new StackfulError("SF_TRAP", "allocating: the guest's memory is corrupt");
      this.onCorrupt(error);
      throw error;
    }
    if (address === 0) {
      throw new StackfulError(
        "SF_LIMIT",
        `allocating ${bytes} bytes of guest memory: none is left`,
      );
    }
    return address;
  }
}

//! The tasks of the host, by address: starting them, and what becomes of them.

import { SHARED, STACK_BYTES_MIN, STATE, TASK, WAIT, WAIT_TEXT } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { Entry, ValueType } from "../link/section.ts";
import { SLOT_BYTES } from "../link/slots.ts";
import { Task, type TaskOwner, type TaskResult, type TaskStatus } from "./task.ts";

interface HostTask {
  readonly task: Task;
  readonly entry: Entry;
  /** Where arguments went and results are. */
  readonly slots: number;
  error?: unknown;
}

/** One line of a task list. */
export interface TaskLine {
  readonly name: string;
  readonly waitsFor: string;
}

/** The largest size class of the core. */
const STACK_BYTES_MAX = 8 * 1024 * 1024;

/** @throws {RangeError} of the spawn of `entry`. */
export function checkStackBytes(entry: string, stackBytes: number): void {
  if (Number.isInteger(stackBytes) && stackBytes >= 1 && stackBytes <= STACK_BYTES_MAX) return;
  throw new RangeError(
    `spawn ${entry}: stackBytes must be 1 to ${STACK_BYTES_MAX}, not ${stackBytes}`,
  );
}

export class TaskTable implements TaskOwner {
  readonly #guest: Guest;
  readonly #onReady: () => void;
  readonly #tasks = new Map<number, HostTask>();
  #endedCount = 0;

  /** @param onReady - asks for a turn. */
  constructor(guest: Guest, onReady: () => void) {
    this.#guest = guest;
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** How many tasks have ended so far. */
  get endedCount(): number {
    return this.#endedCount;
  }

  /** The host's task at `address`, if it is one. */
  get(address: number): Task | undefined {
    return this.#tasks.get(address)?.task;
  }

  /**
   * Makes a task, which `start` lets run.
   *
   * @throws {TypeError} when the arguments do not fit the export.
   */
  create(name: string, entry: Entry, args: readonly unknown[], stackBytes: number): Task {
    if (args.length !== entry.parameters.length) {
      throw new TypeError(
        `spawning ${name}: it takes ${entry.parameters.length} arguments, not ${args.length}`,
      );
    }
    const values = args.map((value, index) => toWasm(name, index, entry.parameters[index]!, value));
    const slotsBytes = SLOT_BYTES * Math.max(entry.parameters.length, entry.results.length);
    return this.#create(name, entry, stackBytes, slotsBytes, (slots) => {
      values.forEach((value, index) => {
        writeSlot(this.#guest, slots + SLOT_BYTES * index, entry.parameters[index]!, value);
      });
    });
  }

  /** Makes a task of a function `int32_t (void *)` at a place of the table; `argument` is what it points to. */
  createFor(name: string, tableIndex: number, argument: Uint8Array): Task {
    const entry = { tableIndex, parameters: [], results: [] };
    const bytes = SLOT_BYTES * Math.ceil(argument.length / SLOT_BYTES);
    return this.#create(name, entry, 0, bytes, (at) => this.#guest.bytes.set(argument, at));
  }

  #create(
    name: string,
    entry: Entry,
    stackBytes: number,
    slotsBytes: number,
    write: (slots: number) => void,
  ): Task {
    const nameBytes = new TextEncoder().encode(name).subarray(0, 64);
    const guest = this.#guest;
    const address = guest.createTask(entry.tableIndex, stackBytes, slotsBytes + nameBytes.length);
    const slots = guest.u32(address + TASK.entryArgument);
    write(slots);
    guest.bytes.set(nameBytes, slots + slotsBytes);
    guest.setU32(address + TASK.name, slots + slotsBytes);
    guest.bytes[address + TASK.nameBytes] = nameBytes.length;
    const task = new Task(this, address, name);
    this.#tasks.set(address, { task, entry, slots });
    return task;
  }

  /** Lets a task run that was created. */
  start(address: number): void {
    if (!this.#tasks.has(address)) return;
    try {
      this.#guest.core.stackful_task_start(address);
    } catch {
      return; // The guest has damaged itself; the runtime has been told.
    }
    this.#onReady();
  }

  /** Takes the tasks that have ended. `fail` names the error of one that failed. */
  drain(): void {
    const guest = this.#guest;
    let address = guest.sharedU32(SHARED.ended);
    if (address === 0) return;
    guest.setShared(SHARED.ended, 0);
    const ended: HostTask[] = [];
    while (address !== 0) {
      const hostTask = this.#tasks.get(address);
      if (hostTask === undefined) break; // Written by the guest: nothing of ours.
      this.#tasks.delete(address);
      const next = guest.u32(address + TASK.next);
      if (!("error" in hostTask)) Object.assign(hostTask, { result: this.#result(hostTask) });
      ended.push(hostTask);
      try {
        guest.core.stackful_task_free(address);
      } catch {
        break; // The guest has damaged itself; the runtime has been told.
      }
      address = next;
    }
    this.#endedCount += ended.length;
    // The core lists the newest first.
    for (const hostTask of ended.reverse()) settle(hostTask);
  }

  /** Notes why the task at `address` failed; false: it is not one of the host's. */
  noteFailure(address: number, error: unknown): boolean {
    const hostTask = this.#tasks.get(address);
    if (hostTask === undefined) return false;
    hostTask.error = error;
    return true;
  }

  /** Rejects every task that is left. */
  failAll(error: unknown): void {
    const left = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const { task } of left) task.settle({ error });
  }

  cancel(address: number): void {
    if (this.#tasks.has(address)) this.#cancelEach([address]);
  }

  /** Cancels every task there is, the guest's own too. */
  cancelAll(): void {
    this.#cancelEach(this.addresses());
  }

  #cancelEach(addresses: readonly number[]): void {
    try {
      for (const address of addresses) this.#guest.core.stackful_task_cancel(address);
    } catch {
      return; // The guest has damaged itself; the runtime has been told.
    }
    this.#onReady();
  }

  status(address: number): TaskStatus {
    const state = this.#guest.bytes[address + TASK.state]!;
    if (state === STATE.RUNNING) return "running";
    if (state === STATE.ENDED) return "ended";
    const wait = this.#guest.bytes[address + TASK.wait]!;
    return state === STATE.NEW || wait === WAIT.READY ? "ready" : "parked";
  }

  /** Every task that lives, and what it waits for. */
  list(): TaskLine[] {
    const guest = this.#guest;
    return this.addresses().map((address) => ({
      name: guest.nameOrSerial(address),
      waitsFor: WAIT_TEXT[guest.bytes[address + TASK.wait]!] ?? "unknown",
    }));
  }

  /** Of every task that lives, the newest first. */
  addresses(): number[] {
    const guest = this.#guest;
    const addresses: number[] = [];
    // Bounded by what fits the memory: the guest may have made the list a circle.
    let steps = Math.ceil(guest.view.byteLength / (TASK.size + STACK_BYTES_MIN));
    for (
      let address = guest.sharedU32(SHARED.all);
      address !== 0 && steps-- > 0;
      address = guest.u32(address + TASK.allNext)
    ) {
      if (guest.bytes[address + TASK.state] !== STATE.ENDED) addresses.push(address);
    }
    return addresses;
  }

  #result({ entry, slots }: HostTask): TaskResult {
    const values = entry.results.map((type, index) =>
      readSlot(this.#guest, slots + SLOT_BYTES * index, type),
    );
    return values.length > 1 ? values : values[0];
  }
}

function settle(hostTask: HostTask & { result?: TaskResult }): void {
  if ("error" in hostTask) hostTask.task.settle({ error: hostTask.error });
  else hostTask.task.settle({ result: hostTask.result });
}

function toWasm(name: string, index: number, type: ValueType, value: unknown): number | bigint {
  const fits = type === "i64" ? typeof value === "bigint" : typeof value === "number";
  if (fits) return value as number | bigint;
  throw new TypeError(
    `spawning ${name}: argument ${index + 1} is ${type}: pass a ${type === "i64" ? "bigint" : "number"}, not ${typeof value}`,
  );
}

function writeSlot(guest: Guest, address: number, type: ValueType, value: number | bigint): void {
  const { view } = guest;
  if (type === "i32") view.setInt32(address, value as number, true);
  else if (type === "i64") view.setBigInt64(address, value as bigint, true);
  else if (type === "f32") view.setFloat32(address, value as number, true);
  else view.setFloat64(address, value as number, true);
}

function readSlot(guest: Guest, address: number, type: ValueType): number | bigint {
  const { view } = guest;
  if (type === "i32") return view.getInt32(address, true);
  if (type === "i64") return view.getBigInt64(address, true);
  if (type === "f32") return view.getFloat32(address, true);
  return view.getFloat64(address, true);
}

//! Every task that lives: what it is, what it waits for, and where its functions are.

import { AGE_SHIFT, STATE, TASK, WAIT } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import { sizeClassBytes } from "../size-classes.ts";
import type { FunctionNames } from "./function-names.ts";
import type { StackTrace, StackTraces } from "./stack-traces.ts";
import { type TaskNames, waitsFor } from "./waits-for.ts";

export interface TaskDump {
  /** Counts up from 1; no other task ever gets it. */
  readonly id: number;
  readonly name: string;
  /** The function it was spawned with. */
  readonly entry: string;
  readonly state: "ready" | "running" | "parked" | "ending";
  /** In words, with what is known: `mutex at 0x5e20, held by task "b"`. */
  readonly waitsFor: string;
  /** How long it has waited, in milliseconds; 0 when it runs. */
  readonly waitsMs: number;
  /** Since it was spawned. */
  readonly ageMs: number;
  /** How often it has been entered. */
  readonly switches: number;
  /** Its stack: C stack and saved frames together. */
  readonly stackBytes: number;
  /** What it has in use of that now. */
  readonly stackUsedBytes: number;
  /** What it has had in use at most; undefined unless stacks are painted. */
  readonly stackHighBytes: number | undefined;
  /**
   * Names of the guest's functions that it is in, innermost first; of one that has not run yet, its
   * entry. Cut after 100, then the last is "...". Functions that were inlined have no frames.
   */
  readonly stack: StackTrace;
  /** Why its stack could not be read. */
  readonly stackError: string | undefined;
}

export interface DumpOptions {
  /** Read stacks too, at some microseconds each. @defaultValue true */
  readonly stacks?: boolean;
  /** Only tasks of these ids; ids of none that lives are left out. @defaultValue every task */
  readonly tasks?: readonly number[];
}

/** What a dump looks at. */
export interface DumpSources {
  readonly guest: Guest;
  readonly names: FunctionNames;
  readonly traces: StackTraces;
  /** "module.name" of the import whose promise a task waits for. */
  importOf(task: number): string | undefined;
}

const NO_STACK = { stack: [] as StackTrace, stackError: undefined };

/** struct slot of the core: where frames are that did not have to move to their region. */
const SLOT = { position: 0, base: 8 } as const;

/** One line for each of the tasks at `addresses` that is asked for, the oldest first. */
export function dumpTasks(
  sources: DumpSources,
  addresses: readonly number[],
  { stacks = true, tasks }: DumpOptions = {},
): TaskDump[] {
  const { guest, traces } = sources;
  const asked = tasks === undefined ? undefined : new Set(tasks);
  const told = addresses.filter((task) => asked?.has(guest.u32(task + TASK.serial)) ?? true);
  const names = new LiveNames(sources, addresses);
  const entries = new Map<number, string>();
  const entryOf = (place: number): string => {
    const known = entries.get(place) ?? sources.names.inTable(guest, place);
    entries.set(place, known);
    return known;
  };
  const nowNs = guest.environment.monotonicNs();
  const line = (task: number): TaskDump => {
    const stackBytes = sizeClassBytes(guest.bytes[task + TASK.sizeClass]!);
    const stackUsedBytes = stackInUse(guest, task, stackBytes);
    const state = stateOf(guest, task);
    const entry = entryOf(guest.u32(task + TASK.entry));
    return {
      id: guest.u32(task + TASK.serial),
      name: guest.nameOrSerial(task),
      entry,
      state,
      waitsFor: waitsFor(guest, task, names),
      waitsMs: state === "running" ? 0 : sinceMs(nowNs, guest.u32(task + TASK.parkedAt)),
      ageMs: sinceMs(nowNs, guest.u32(task + TASK.createdAt)),
      switches: guest.u32(task + TASK.switches),
      stackBytes,
      stackUsedBytes,
      stackHighBytes: guest.paintsStacks
        ? Math.max(guest.core.stackful_stack_used(task), stackUsedBytes)
        : undefined,
      ...(stacks ? stackOf(guest, traces, task, entry) : NO_STACK),
    };
  };
  const dump = traces.collect(() => told.map(line));
  return dump.sort((a, b) => a.id - b.id);
}

/** Saved frames and C stack; of the running task, whose frames are the engine's, the C stack. */
function stackInUse(guest: Guest, task: number, stackBytes: number): number {
  const base = task + TASK.size;
  const state = guest.bytes[task + TASK.state];
  const running = state === STATE.RUNNING;
  const top = running ? guest.stackPointer.value >>> 0 : guest.u32(task + TASK.stackPointer);
  const used = base + stackBytes - top + (state === STATE.PARKED ? framesBytes(guest, task) : 0);
  return Math.min(Math.max(used, 0), stackBytes);
}

/** A task without a slot, or that is its own, has its frames in its region. */
function framesBytes(guest: Guest, task: number): number {
  const slot = guest.u32(task + TASK.slot);
  return slot === 0 || slot === task
    ? guest.u32(task + TASK.framesPosition) - (task + TASK.size)
    : guest.u32(slot + SLOT.position) - guest.u32(slot + SLOT.base);
}

function stackOf(guest: Guest, traces: StackTraces, task: number, entry: string) {
  try {
    switch (guest.bytes[task + TASK.state]) {
      case STATE.NEW:
        return { stack: [entry], stackError: undefined };
      case STATE.RUNNING:
        return { stack: traces.running(), stackError: undefined };
      case STATE.PARKED:
        return { stack: traces.parked(task), stackError: undefined };
      default:
        return NO_STACK;
    }
  } catch (error) {
    return { ...NO_STACK, stackError: whyUnread(error) };
  }
}

function whyUnread(error: unknown): string {
  return error instanceof RangeError
    ? "reading its stack: the engine's own is too small to hold it here (node --stack-size makes it larger)"
    : `reading its stack: ${String(error)}`;
}

function stateOf(guest: Guest, task: number): TaskDump["state"] {
  switch (guest.bytes[task + TASK.state]) {
    case STATE.NEW:
      return "ready";
    case STATE.RUNNING:
      return "running";
    case STATE.DOOMED:
      return "ending";
    default:
      return guest.bytes[task + TASK.wait] === WAIT.READY ? "ready" : "parked";
  }
}

/** `instant` is the low half of a count of 2 ** AGE_SHIFT ns. */
function sinceMs(nowNs: number, instant: number): number {
  const unitNs = 2 ** AGE_SHIFT;
  const units = (Math.floor(nowNs / unitNs) - instant) | 0;
  return (Math.max(0, units) * unitNs) / 1e6;
}

/** Looked up only where a wait names another task: most do not. */
class LiveNames implements TaskNames {
  readonly #sources: DumpSources;
  readonly #addresses: readonly number[];
  #known: ReadonlySet<number> | undefined;
  #bySerial: ReadonlyMap<number, number> | undefined;

  constructor(sources: DumpSources, addresses: readonly number[]) {
    this.#sources = sources;
    this.#addresses = addresses;
  }

  byAddress(address: number): string | undefined {
    this.#known ??= new Set(this.#addresses);
    return this.#known.has(address) ? this.#sources.guest.nameOrSerial(address) : undefined;
  }

  bySerial(serial: number): string | undefined {
    const { guest } = this.#sources;
    this.#bySerial ??= new Map(
      this.#addresses.map((task) => [guest.u32(task + TASK.serial), task]),
    );
    const address = this.#bySerial.get(serial);
    return address === undefined ? undefined : guest.nameOrSerial(address);
  }

  import(address: number): string | undefined {
    return this.#sources.importOf(address);
  }
}

//! What a task waits for, in words.

import {
  ARM,
  ARM_SOURCE,
  OP,
  SIGNAL_TEXT,
  STATE,
  TASK,
  WAIT,
  WAIT_TEXT,
  WAITER,
} from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";

/** Finds names of tasks. */
export interface TaskNames {
  byAddress(address: number): string | undefined;
  bySerial(serial: number): string | undefined;
  /** "module.name" of the import whose promise the task waits for. */
  import(address: number): string | undefined;
}

/** Arms of a select that are told, and those that are looked at: a number the guest could have forged. */
const ARMS_TOLD = 8;
const ARMS_MAX = 1024;

const ARM_TEXT: Readonly<Record<number, string>> = {
  [ARM_SOURCE.NONE]: "nothing",
  [ARM_SOURCE.RECEIVE]: "channel receive",
  [ARM_SOURCE.SEND]: "channel send",
  [ARM_SOURCE.GROUP]: "group",
  [ARM_SOURCE.BROADCAST]: "broadcast",
  [ARM_SOURCE.WATCH]: "watch",
  [ARM_SOURCE.EVENT]: "event",
  [ARM_SOURCE.NOTIFY]: "notification",
  [ARM_SOURCE.FUTURE]: "future",
  [ARM_SOURCE.SEMAPHORE]: "semaphore",
  [ARM_SOURCE.LATCH]: "latch",
  [ARM_SOURCE.OPERATION]: "started operation",
  [ARM_SOURCE.SOURCE]: "source",
};

const OP_TEXT = new Map(
  Object.entries(OP).map(([name, code]) => [
    code as number,
    name.toLowerCase().replaceAll("_", " "),
  ]),
);

export function opText(op: number): string {
  return `operation ${OP_TEXT.get(op) ?? op}`;
}

export function waitsFor(guest: Guest, task: number, names: TaskNames): string {
  switch (guest.bytes[task + TASK.state]) {
    case STATE.NEW:
      return "its first turn";
    case STATE.RUNNING:
      return "nothing";
    case STATE.DOOMED:
      return "the host, which still holds its memory";
  }
  const wait = guest.bytes[task + TASK.wait]!;
  const detail = guest.u32(task + TASK.waitDetail);
  const text = WAIT_TEXT[wait] ?? "unknown";
  switch (wait) {
    case WAIT.READY:
      return "its turn";
    case WAIT.SLEEP:
    case WAIT.UNPARK:
      return text;
    case WAIT.OP:
      return opText(detail);
    case WAIT.HOST: {
      const name = names.import(task);
      return name === undefined ? text : `${text} of ${name}`;
    }
    case WAIT.JOIN:
    case WAIT.TASK:
      return endOfTask(detail, names);
    case WAIT.SPAWN_ROOM:
      return detail === 0 ? "fewer tasks, to spawn one" : `memory for a stack of ${detail} bytes`;
    case WAIT.SELECT:
      return select(guest, task, detail, names);
    case WAIT.MUTEX:
    case WAIT.RELOCK:
    case WAIT.READ_LOCK:
    case WAIT.WRITE_LOCK:
      return `${text} ${at(detail)}${heldBy(guest.u32(detail), names)}`;
    case WAIT.SIGNAL:
      return `signal ${SIGNAL_TEXT[detail] ?? detail}`;
    default:
      return `${text} ${at(detail)}`;
  }
}

/** Whether a signal that the host raises can wake it. */
export function waitsForSignal(guest: Guest, task: number): boolean {
  if (guest.bytes[task + TASK.state] !== STATE.PARKED) return false;
  const wait = guest.bytes[task + TASK.wait];
  if (wait === WAIT.SIGNAL) return true;
  return (
    wait === WAIT.SELECT &&
    armsOf(guest, task).some((arm) => guest.u32(arm + ARM.source) === ARM_SOURCE.SIGNAL)
  );
}

function select(guest: Guest, task: number, count: number, names: TaskNames): string {
  const arms = armsOf(guest, task).slice(0, ARMS_TOLD);
  const told = arms.map((arm) => armText(guest, arm, names));
  if (count > arms.length) told.push("...");
  return `select of ${count} ${count === 1 ? "arm" : "arms"}: ${told.join(", ")}`;
}

/** Addresses of the arms of a task that waits in a select. */
function armsOf(guest: Guest, task: number): number[] {
  const first = guest.u32(task + TASK.waiter + WAITER.item);
  const count = Math.min(guest.u32(task + TASK.waiter + WAITER.count), ARMS_MAX);
  return Array.from({ length: count }, (_, index) => first + index * ARM.size);
}

function armText(guest: Guest, arm: number, names: TaskNames): string {
  const source = guest.u32(arm + ARM.source);
  const object = guest.u32(arm + ARM.object);
  switch (source) {
    case ARM_SOURCE.TASK:
      return endOfTask(guest.u32(arm + ARM.value), names);
    case ARM_SOURCE.TIMEOUT:
      return "timeout";
    case ARM_SOURCE.SIGNAL: {
      const kind = guest.u32(object);
      return `signal ${SIGNAL_TEXT[kind] ?? kind}`;
    }
    default:
      return `${ARM_TEXT[source] ?? "unknown"} ${at(object)}`;
  }
}

function endOfTask(address: number, names: TaskNames): string {
  const name = names.byAddress(address);
  return name === undefined ? `join of a task ${at(address)}` : `join of task "${name}"`;
}

function heldBy(serial: number, names: TaskNames): string {
  if (serial === 0) return "";
  const name = names.bySerial(serial);
  return name === undefined
    ? `, held by task ${serial}, which has ended`
    : `, held by task "${name}"`;
}

function at(address: number): string {
  return `at 0x${address.toString(16)}`;
}

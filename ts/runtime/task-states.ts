//! What every task does, as numbers: cheap enough to be read for every picture of a hundred thousand
//! tasks. `dump` tells more, of fewer.

import { SHARED, STACK_BYTES_MIN, STATE, TASK, WAIT, WAIT_TEXT } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import { opText } from "./waits-for.ts";

/** How many words `taskStates` has for each task, and which is what. */
export const TASK_STATE = { words: 3, id: 0, code: 1, switches: 2 } as const;

/** The code of a task, taken apart. */
export interface TaskState {
  readonly state: "ready" | "running" | "parked" | "ending";
  /** What a parked task waits for, without the object: "operation read", "channel receive". "" otherwise. */
  readonly waitsFor: string;
}

/** Of a code, from its lowest byte: state, kind of wait, and of an operation which. */
const STATES = ["ready", "running", "parked", "ending"] as const;
const [READY, RUNNING, PARKED, ENDING] = [0, 1, 2, 3];

/** Words of a control block. The first one holds state, flags, wait and size class. */
const STATE_WORD = TASK.state / 4;
const WAIT_DETAIL = TASK.waitDetail / 4;
const SWITCHES = TASK.switches / 4;
const SERIAL = TASK.serial / 4;
const ALL_NEXT = TASK.allNext / 4;

/** @returns `into`, or a longer array, cut to the tasks that live: the newest first. */
export function readTaskStates(guest: Guest, into: Uint32Array | undefined): Uint32Array {
  const words = new Uint32Array(guest.bytes.buffer);
  // The guest can have written both: no more tasks than fit its memory.
  const tasksMax = Math.ceil(guest.bytes.length / (TASK.size + STACK_BYTES_MIN));
  const tasks = Math.min(guest.sharedU32(SHARED.tasksLive), tasksMax);
  const states = fits(into, tasks) ? into : new Uint32Array(tasks * TASK_STATE.words);
  const end = tasks * TASK_STATE.words;
  let at = 0;
  let steps = tasksMax;
  for (let task = guest.sharedU32(SHARED.all) >>> 2; task !== 0 && at < end && steps-- > 0; ) {
    // What has to be fetched from memory takes nearly all of the time: the next one first.
    const next = words[task + ALL_NEXT]! >>> 2;
    const code = codeOf(words[task + STATE_WORD]!, words[task + WAIT_DETAIL]!);
    if (code >= 0) {
      states[at] = words[task + SERIAL]!;
      states[at + 1] = code;
      states[at + 2] = words[task + SWITCHES]!;
      at += 3;
    }
    task = next;
  }
  return states.subarray(0, at);
}

function fits(into: Uint32Array | undefined, tasks: number): into is Uint32Array {
  return into !== undefined && into.length >= tasks * TASK_STATE.words;
}

/** `word`: state, flags, wait and size class. Negative: the task has ended. */
function codeOf(word: number, detail: number): number {
  const wait = (word >>> 16) & 0xff;
  switch (word & 0xff) {
    case STATE.PARKED:
      if (wait === WAIT.READY) return READY!;
      return PARKED! | (wait << 8) | (wait === WAIT.OP ? (detail & 0xff) << 16 : 0);
    case STATE.NEW:
      return READY!;
    case STATE.RUNNING:
      return RUNNING!;
    case STATE.DOOMED:
      return ENDING!;
    default:
      return -1;
  }
}

/**
 * What a code that `taskStates` wrote means. There are a few dozen codes: keep what this returns.
 *
 * @param code - the word at `TASK_STATE.code` of a task.
 */
export function describeTaskState(code: number): TaskState {
  const wait = (code >>> 8) & 0xff;
  return {
    state: STATES[code & 0xff] ?? "ending",
    waitsFor:
      (code & 0xff) !== PARKED
        ? ""
        : wait === WAIT.OP
          ? opText((code >>> 16) & 0xff)
          : (WAIT_TEXT[wait] ?? "unknown"),
  };
}

//! One instance of the core with the guest of the model, driven step by step.
//!
//! A step enters exactly one ready task, of the harness's choice: it is moved to the front of the ready
//! queue, which is what another schedule would have had there. Everything else the host does to a guest
//! is a step too: a cancel, the next timer, the end of an operation, a signal.

import {
  ERRNO,
  OP,
  SHARED,
  SIGNAL,
  STATE,
  SUBMISSION,
  TASK,
  TIMER_NODE,
  WAIT,
} from "../../ts/abi.gen.ts";
import { Guest } from "../../ts/guest/guest.ts";
import type { Case } from "./case.ts";
import type { Op } from "./operations.ts";

/** As in guest/model.h. */
const TASKS = 8;
const OP_WORDS = 6;
const OPS_MAX = 12;
const SETUP_MAX = 16;
const MODEL = {
  tasksStarted: 0,
  setupCount: 4,
  eventsCount: 12,
  step: 16,
  setup: 24 + 8 * TASKS,
  scripts: 24 + 8 * TASKS + 4 * OP_WORDS * SETUP_MAX,
  scriptBytes: 8 + 4 * OP_WORDS * OPS_MAX,
  get events() {
    return this.scripts + this.scriptBytes * TASKS;
  },
};
export const EVENT_WORDS = 6;

/** As in guest/model.h, and what the harness adds to the log. */
export const EVENT = {
  begin: 0,
  end: 1,
  item: 2,
  return: 3,
  /** A parked task waits for something else now: result is its enum sf_wait. */
  wait: 4,
  cancel: 5,
  tick: 6,
  complete: 7,
  raise: 8,
  outside: 9,
} as const;

/** As in wasm/core/state.h: what follows sf_shared in struct core. */
const READY_FIRST = SHARED.size;
const READY_LAST = SHARED.size + 4;
const TIMERS = SHARED.size + 8;
const SLEEPERS = SHARED.size + 12;

/** An operation that the host has and has not answered. */
interface InFlight {
  readonly token: number;
  readonly handle: number;
  cancelRequested: boolean;
}

interface ModelExports {
  model_address(): number;
  model_perform(op: number): number;
  model_start(): void;
  model_stop(): void;
  model_finish(): number;
}

export class Machine {
  readonly #guest: Guest;
  readonly #model: ModelExports;
  readonly #base: number;
  readonly #shared: number;
  #words!: Int32Array;
  /** Of each script's task: its address, once it has been seen; 0 before, and after its end. */
  readonly #address = new Int32Array(TASKS);
  readonly #wait = new Int32Array(TASKS);
  readonly inFlight: InFlight[] = [];
  #submissionsHead = 0;
  #step = 0;

  constructor(module: WebAssembly.Module) {
    const imports = { stackful_host: { probe: () => {}, attempt: () => -ERRNO.EAGAIN } };
    const instance = new WebAssembly.Instance(module, imports);
    this.#guest = new Guest(instance);
    (instance.exports._initialize as () => void)();
    this.#guest.start({ tasksMax: TASKS, stackBytes: 4096, guestMemoryBytes: 1 << 20 });
    this.#model = instance.exports as unknown as ModelExports;
    this.#base = this.#model.model_address();
    this.#shared = this.#guest.shared;
    this.#refresh();
  }

  #refresh(): void {
    this.#words = new Int32Array(this.#guest.memory.buffer);
  }

  /** Guest memory, by words. */
  get words(): Int32Array {
    return this.#words;
  }

  word(address: number): number {
    return this.#words[address >> 2]!;
  }

  #put(address: number, value: number): void {
    this.#words[address >> 2] = value;
  }

  #putOp(address: number, op: Op): void {
    this.#words.set([op.code, op.a, op.b, op.c, op.until, op.flags], address >> 2);
  }

  /** Writes the scripts of a case. */
  load(given: Case): void {
    this.#put(this.#base + MODEL.tasksStarted, given.started);
    this.#put(this.#base + MODEL.setupCount, given.setup.length);
    given.setup.forEach((op, index) => {
      this.#putOp(this.#base + MODEL.setup + 4 * OP_WORDS * index, op);
    });
    given.tasks.forEach((script, task) => {
      const at = this.#base + MODEL.scripts + task * MODEL.scriptBytes;
      this.#put(at, script.length);
      this.#put(at + 4, given.results[task]!);
      script.forEach((op, index) => {
        this.#putOp(at + 8 + 4 * OP_WORDS * index, op);
      });
    });
    this.#put(this.#shared + SHARED.tasksMax, given.tasksMax);
  }

  /** New objects and tasks; the clock is at 1. */
  start(): void {
    this.#put(this.#shared + SHARED.nowNs, 1);
    this.#address.fill(0);
    this.#wait.fill(0);
    this.#step = 0;
    this.inFlight.length = 0;
    this.#model.model_start();
    this.#settle();
  }

  get eventsCount(): number {
    return this.word(this.#base + MODEL.eventsCount);
  }

  /** Index of the log in `words`. */
  get eventsAt(): number {
    return (this.#base + MODEL.events) >> 2;
  }

  #log(kind: number, task: number, result: number): void {
    const count = this.eventsCount;
    const at = this.eventsAt + count * EVENT_WORDS;
    const words = this.#words;
    words[at] = kind;
    words[at + 1] = task;
    words[at + 2] = 0;
    words[at + 3] = result;
    words[at + 4] = 0;
    words[at + 5] = this.#step;
    this.#put(this.#base + MODEL.eventsCount, count + 1);
  }

  get tasksLive(): number {
    return this.word(this.#shared + SHARED.tasksLive);
  }

  get readyFirst(): number {
    return this.word(this.#shared + READY_FIRST);
  }

  readyNext(task: number): number {
    return this.word(task + TASK.next);
  }

  /** The script that a task runs. */
  scriptOf(task: number): number {
    return this.word(task + TASK.entryArgument);
  }

  isNew(task: number): boolean {
    return (this.word(task + TASK.state) & 255) === STATE.NEW;
  }

  /** Whether the script's task is there and has not ended. */
  isLive(script: number): boolean {
    return this.#address[script] !== 0;
  }

  waitOf(script: number): number {
    return this.#wait[script]!;
  }

  get timerArmed(): boolean {
    return this.word(this.#shared + TIMERS) !== 0;
  }

  get undelivered(): boolean {
    const at = this.#shared;
    return this.word(at + SHARED.completionsHead) !== this.word(at + SHARED.completionsTail);
  }

  /** Whatever happens from here on is one step's. */
  #stepBegins(): void {
    this.#put(this.#base + MODEL.step, ++this.#step);
  }

  #run(budget: number): void {
    this.#guest.core.stackful_run(budget);
    if (this.#words.length === 0) this.#refresh();
    // Durations count from the next run on.
    if (this.word(this.#shared + SLEEPERS) !== 0) this.#guest.core.stackful_run(0);
  }

  /** Enters the script's task, which is ready. */
  enter(script: number): void {
    this.#stepBegins();
    const first = this.readyFirst;
    let before = 0;
    let task = first;
    while (this.scriptOf(task) !== script) {
      before = task;
      task = this.readyNext(task);
    }
    if (before !== 0) {
      this.#put(before + TASK.next, this.readyNext(task));
      if (this.word(this.#shared + READY_LAST) === task) {
        this.#put(this.#shared + READY_LAST, before);
      }
      this.#put(task + TASK.next, first);
      this.#put(this.#shared + READY_FIRST, task);
    }
    this.#run(1);
    this.#settle();
  }

  cancel(script: number): void {
    this.#stepBegins();
    this.#log(EVENT.cancel, script, this.#wait[script]!);
    this.#guest.core.stackful_task_cancel(this.#address[script]!);
    this.#settle();
  }

  /** The clock goes to the next timer. */
  tick(): void {
    this.#stepBegins();
    const deadline = this.word(this.word(this.#shared + TIMERS) + TIMER_NODE.deadlineNs);
    // Who sleeps until an instant that is past waits for the next run.
    const now = Math.max(deadline, this.word(this.#shared + SHARED.nowNs));
    this.#put(this.#shared + SHARED.nowNs, now);
    this.#log(EVENT.tick, 0, now);
    this.#run(0);
    this.#settle();
  }

  /** The host's answer to an operation; the core sees it in its next run. */
  complete(index: number, result: number): void {
    const [operation] = this.inFlight.splice(index, 1);
    const at = this.#shared;
    const tail = this.word(at + SHARED.completionsTail);
    const mask = this.word(at + SHARED.completionsCapacity) - 1;
    const record = (this.word(at + SHARED.completions) >> 2) + 4 * (tail & mask);
    this.#words.set([operation!.token, result, 0, 0], record);
    this.#put(at + SHARED.completionsTail, tail + 1);
    this.#log(EVENT.complete, operation!.handle, result);
  }

  deliver(): void {
    this.#stepBegins();
    this.#run(0);
    this.#settle();
  }

  raise(): void {
    this.#stepBegins();
    this.#log(EVENT.raise, 0, 0);
    this.#guest.core.stackful_signal_raise(SIGNAL.USER1);
    this.#settle();
  }

  /** An operation from outside of any task. */
  outside(index: number, op: Op): void {
    this.#stepBegins();
    this.#log(EVENT.outside, index, 0);
    this.ask(op);
    this.#settle();
  }

  /** What an operation that does not wait gives. */
  ask(op: Op): number {
    const scratch = this.#base + MODEL.setup + 4 * OP_WORDS * (SETUP_MAX - 1);
    this.#putOp(scratch, op);
    return this.#model.model_perform(scratch);
  }

  /** Looks at what a step has changed. */
  #settle(): void {
    if (this.#words.length === 0) this.#refresh();
    this.#takeSubmissions();
    const words = this.#words;
    for (let task = this.readyFirst; task !== 0; task = this.readyNext(task)) {
      const script = this.scriptOf(task);
      if (this.#address[script] === 0) this.#address[script] = task;
    }
    for (let script = 0; script < TASKS; script++) {
      const task = this.#address[script]!;
      if (task === 0) continue;
      const packed = words[(task + TASK.state) >> 2]!;
      const state = packed & 255;
      if (state >= STATE.ENDED) {
        this.#address[script] = 0;
        continue;
      }
      const wait = (packed >> 16) & 255;
      if (wait === this.#wait[script]) continue;
      this.#wait[script] = wait;
      this.#log(EVENT.wait, script, wait);
    }
  }

  #takeSubmissions(): void {
    const at = this.#shared;
    const tail = this.word(at + SHARED.submissionsTail);
    const mask = this.word(at + SHARED.submissionsCapacity) - 1;
    for (; this.#submissionsHead !== tail; this.#submissionsHead++) {
      const record =
        this.word(at + SHARED.submissions) + SUBMISSION.size * (this.#submissionsHead & mask);
      const token = this.word(record + SUBMISSION.token);
      if ((this.word(record + SUBMISSION.op) & 0xffff) === OP.CANCEL) {
        const found = this.inFlight.find((each) => each.token === token);
        if (found !== undefined) found.cancelRequested = true;
      } else {
        const handle = this.word(record + SUBMISSION.handle);
        this.inFlight.push({ token, handle, cancelRequested: false });
      }
    }
    this.#put(at + SHARED.submissionsHead, tail);
  }

  /** Ends what still waits. Returns whether every wait could be ended. */
  stop(): boolean {
    for (let round = 0; round < 100 && this.tasksLive !== 0; round++) {
      this.#model.model_stop();
      for (let script = 0; script < TASKS; script++) {
        if (this.#address[script] === 0) continue;
        if (this.#wait[script] !== WAIT.READY) {
          this.#guest.core.stackful_task_cancel(this.#address[script]!);
          this.#settle();
        }
      }
      while (this.inFlight.length > 0) this.complete(0, -11);
      this.#run(8);
      this.#settle();
    }
    return this.tasksLive === 0;
  }

  /** What must not be left: a name for it, or nothing. Then gives back what the tasks left. */
  finish(): string | undefined {
    if (this.readyFirst !== 0) return "a task in the ready queue";
    if (this.timerArmed) return "a timer";
    if (this.word(this.#shared + SHARED.opsPending) !== 0) return "an operation";
    if (this.#model.model_finish() !== 0) return "somebody in a wait queue";
    if (this.word(this.#shared + SHARED.all) !== 0) return "a task that nobody freed";
    return undefined;
  }
}

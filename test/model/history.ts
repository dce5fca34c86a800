//! What happened in one order of a case: the log, as calls and events that laws can ask.

import { WAIT, WAIT_TEXT } from "../../ts/abi.gen.ts";
import type { Case } from "./case.ts";
import { EVENT, EVENT_WORDS, type Machine } from "./machine.ts";
import { describe, type Op } from "./operations.ts";

const NEVER = Number.MAX_SAFE_INTEGER;
const EVENTS_MAX = 512;

/** One operation of a task. Moments are positions in the log; NEVER for what has not happened. */
export class Call {
  readonly task: number;
  readonly index: number;
  readonly op: Op;
  begin = NEVER;
  end = NEVER;
  result = 0;
  value = 0;
  /** When it began to wait. */
  parked = NEVER;
  /** enum sf_wait of what it waited for first. */
  wait = 0;
  /** When what it waited for was there, or it was ended; when it began, if it did not wait. */
  woken = NEVER;
  /** The step in which that was: several are woken in one. */
  wokenIn = NEVER;
  readonly items: number[] = [];

  constructor(task: number, index: number, op: Op) {
    this.task = task;
    this.index = index;
    this.op = op;
  }

  get name(): string {
    return this.op.name;
  }
  get ended(): boolean {
    return this.end !== NEVER;
  }
  get waited(): boolean {
    return this.parked !== NEVER;
  }
  /** Still waits. */
  get waiting(): boolean {
    return this.waited && this.woken === NEVER;
  }
  /** It has ended, and with success. */
  get ok(): boolean {
    return this.end !== NEVER && this.result >= 0;
  }
  /** Whether it waited at that moment. */
  waitsAt(moment: number): boolean {
    return this.parked < moment && moment < this.woken;
  }

  clear(): void {
    this.begin = this.end = this.parked = this.woken = this.wokenIn = NEVER;
    this.result = this.value = this.wait = 0;
    this.items.length = 0;
  }

  toString(): string {
    const outcome = this.ended ? `= ${this.result}` : this.waiting ? "waits" : "was woken";
    return `task ${this.task}: ${describe(this.op)} ${outcome}`;
  }
}

export interface Event {
  kind: number;
  task: number;
  call: Call | undefined;
  result: number;
  value: number;
  step: number;
}

export class History {
  readonly case: Case;
  readonly machine: Machine;
  /** In the order in which they began. */
  readonly calls: Call[] = [];
  readonly events: Event[] = [];
  /** How many of `events` are this order's. */
  count = 0;
  readonly #calls: Call[][];
  readonly #open: (Call | undefined)[];

  constructor(given: Case, machine: Machine) {
    this.case = given;
    this.machine = machine;
    this.#calls = given.tasks.map((script, task) =>
      script.map((op, index) => new Call(task, index, op)),
    );
    this.#open = given.tasks.map(() => undefined);
    for (let i = 0; i < EVENTS_MAX; i++) {
      this.events.push({ kind: 0, task: 0, call: undefined, result: 0, value: 0, step: 0 });
    }
  }

  /** Of that name, in the order in which they began. */
  named(...names: readonly string[]): Call[] {
    return this.calls.filter((call) => names.includes(call.op.name));
  }

  /** The call that waits, or runs, in a task. */
  open(task: number): Call | undefined {
    return this.#open[task];
  }

  read(): void {
    for (const calls of this.#calls) for (const call of calls) call.clear();
    this.#open.fill(undefined);
    this.calls.length = 0;
    const { words, eventsAt, eventsCount } = this.machine;
    this.count = eventsCount;
    for (let i = 0; i < eventsCount; i++) {
      const at = eventsAt + i * EVENT_WORDS;
      const event = this.events[i]!;
      event.kind = words[at]!;
      event.task = words[at + 1]!;
      event.result = words[at + 3]!;
      event.value = words[at + 4]!;
      event.step = words[at + 5]!;
      this.#place(event, i, words[at + 2]!);
    }
  }

  #place(event: Event, moment: number, index: number): void {
    let call = this.#open[event.task];
    switch (event.kind) {
      case EVENT.begin:
        call = this.#calls[event.task]![index]!;
        call.begin = moment;
        this.#open[event.task] = call;
        this.calls.push(call);
        break;
      case EVENT.end:
        call!.end = moment;
        call!.result = event.result;
        call!.value = event.value;
        if (!call!.waited) {
          call!.woken = call!.begin;
          call!.wokenIn = event.step;
        }
        this.#open[event.task] = undefined;
        break;
      case EVENT.item:
        call!.items.push(event.value);
        break;
      case EVENT.wait:
        if (call === undefined) break;
        if (event.result === WAIT.READY) {
          call.woken = moment;
          call.wokenIn = event.step;
        } else if (!call.waited) {
          call.parked = moment;
          call.wait = event.result;
        }
        break;
    }
    event.call = call;
  }

  /** The log, a line for each event. */
  toString(): string {
    return this.events
      .slice(0, this.count)
      .map((event) => `${String(event.step).padStart(4)}  ${this.#line(event)}`)
      .join("\n");
  }

  #line({ kind, task, call, result, value }: Event): string {
    const what = call === undefined ? "" : describe(call.op);
    switch (kind) {
      case EVENT.begin:
        return `task ${task}: ${what} ...`;
      case EVENT.end:
        return `task ${task}: ${what} = ${result}, value ${value}`;
      case EVENT.item:
        return `task ${task}: item ${value}`;
      case EVENT.return:
        return `task ${task} returns ${result}`;
      case EVENT.wait:
        return `task ${task}: ${result === WAIT.READY ? "is ready" : `waits: ${WAIT_TEXT[result]}`}`;
      case EVENT.cancel:
        return `cancel task ${task}`;
      case EVENT.tick:
        return `the clock is at ${result}`;
      case EVENT.complete:
        return `the host completes an operation on ${task}: ${result}`;
      case EVENT.raise:
        return "the host raises the signal";
      default:
        return `from outside: ${describe(this.case.outside[task]!)}`;
    }
  }
}

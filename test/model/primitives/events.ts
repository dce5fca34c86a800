//! Events, notifications and latches.

import { type Case, type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { type Op, op, until } from "../operations.ts";

const NEVER = Number.MAX_SAFE_INTEGER;

const wait = op("event_wait");
const set = op("event_set");
const reset = op("event_reset");

/** The calls of these names that began while `call` could have been woken by them. */
function during(h: History, call: Call, ...names: string[]): Call[] {
  const last = Math.min(call.woken, NEVER);
  return h.named(...names).filter((each) => each.begin > call.begin && each.begin < last);
}

/** Whether the event is set at a moment. */
function setAt(h: History, moment: number): boolean {
  const last = h.named("event_set", "event_reset").findLast((call) => call.begin < moment);
  return last?.name === "event_set";
}

function manual(h: History): string | undefined {
  for (const call of h.named("event_wait")) {
    const wasSet = setAt(h, call.begin);
    if (wasSet && call.waited) return `${call} although it is set`;
    if (call.ok && !wasSet && during(h, call, "event_set").length === 0) return `${call}, not set`;
    if (call.ok && during(h, call, "event_set").length > 1) return `${call} slept through a set`;
  }
  return undefined;
}

const manualRules: Rules = {
  laws: { "a set lets everybody through": manual },
  mayWait: (call, h) => during(h, call, "event_set").length === 0 && !setAt(h, call.begin),
};

/** Each set lets one through; one that comes when the one before it is still there is that one. */
function automatic(h: History): string | undefined {
  let isSet = false;
  const waiting: Call[] = [];
  const passed = new Set<Call>();
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, call } = h.events[moment]!;
    if (kind === EVENT.begin && call!.name === "event_set") {
      const first = waiting.shift();
      if (first === undefined) isSet = true;
      else passed.add(first);
    } else if (kind === EVENT.begin && call!.name === "event_reset") {
      isSet = false;
    } else if (kind === EVENT.wait && call?.parked === moment) {
      if (isSet) return `${call} although it is set`;
      waiting.push(call);
    } else if (kind === EVENT.wait && call !== undefined && !passed.has(call)) {
      waiting.splice(waiting.indexOf(call), 1);
    } else if (kind === EVENT.end && call!.name === "event_wait" && call!.result === 0) {
      if (call!.waited ? !passed.has(call!) : !isSet) return `${call} without a set in its turn`;
      if (!call!.waited) isSet = false;
    } else if (kind === EVENT.end && passed.has(call!)) {
      return `${call}, but a set was its`;
    }
  }
  const left = h.machine.ask(op("event_is_set")) === 1;
  return left === isSet ? undefined : `it is ${left ? "" : "not "}set in the end`;
}

const automaticRules: Rules = {
  laws: {
    "each set lets one through": automatic,
    "first come, first served": (h) => inTurn(h.named("event_wait")),
  },
  mayWait: (_, h) => h.machine.ask(op("event_is_set")) === 0,
};

function* eventCases(rules: Rules, setup: Op[]): Generator<Case> {
  yield* sweep(rules, [wait, set], 3, 3, { setup });
  yield* sweep(rules, [wait, set, reset], 3, 2, { setup, cancels: 1 });
  yield* sweep(rules, [wait, until(10, wait), set], 3, 2, { setup });
}

export const event: Primitive = {
  name: "event",
  *cases() {
    yield* eventCases(manualRules, []);
  },
};

export const autoEvent: Primitive = {
  name: "event, automatic",
  *cases() {
    yield* eventCases(automaticRules, [op("event_init", 0, 1)]);
  },
};

const notifyWait = op("notify_wait");
const notifyOne = op("notify_one");
const notifyAll = op("notify_all");

/** A notification says how many it woke, and they were those that waited. */
function told(h: History): string | undefined {
  const waits = h.named("notify_wait");
  for (const call of h.named("notify_one", "notify_all")) {
    const there = waits.filter((each) => each.waitsAt(call.begin)).length;
    const expected = call.name === "notify_one" ? Math.min(there, 1) : there;
    if (call.result !== expected) return `${call}, ${there} waited`;
  }
  const woken = h.named("notify_one", "notify_all").reduce((sum, call) => sum + call.result, 0);
  const passed = waits.filter((call) => call.ok).length;
  return woken === passed ? undefined : `${woken} were woken, ${passed} passed`;
}

const notifyRules: Rules = {
  laws: {
    "wakes who waits, and no one else": told,
    "first come, first served": (h) => inTurn(h.named("notify_wait")),
  },
  mayWait: (call, h) => during(h, call, "notify_all").length === 0,
};

export const notify: Primitive = {
  name: "notify",
  *cases() {
    yield* sweep(notifyRules, [notifyWait, notifyOne], 3, 3);
    yield* sweep(notifyRules, [notifyWait, notifyOne, notifyAll], 3, 2, { cancels: 1 });
    yield* sweep(notifyRules, [until(10, notifyWait), notifyWait, notifyOne], 3, 2);
  },
};

const latchWait = op("latch_wait");
const done = op("latch_add", -1);
const add = op("latch_add", 1);

function countAt(h: History, moment: number): number {
  return h
    .named("latch_add")
    .filter((call) => call.begin < moment && call.result === 0)
    .reduce((sum, call) => sum + call.op.a, h.case.setup[0]!.a);
}

function opens(h: History): string | undefined {
  for (const call of h.named("latch_wait")) {
    const open = countAt(h, call.begin) === 0;
    if (open && call.waited) return `${call} although the count is 0`;
    const opened = during(h, call, "latch_add").filter((each) => countAt(h, each.end) === 0);
    if (call.ok && !open && opened.length === 0) return `${call}, the count was never 0`;
    if (call.ok && opened.length > 1) return `${call} slept through a 0`;
  }
  const wrong = h
    .named("latch_add")
    .find((call) => call.ok !== countAt(h, call.begin) + call.op.a >= 0);
  return wrong && String(wrong);
}

const latchRules: Rules = {
  laws: { "opens at 0": opens },
  mayWait: (_, h) => countAt(h, NEVER) !== 0,
};

export const latch: Primitive = {
  name: "latch",
  *cases() {
    const setup = [op("latch_init", 2)];
    yield* sweep(latchRules, [latchWait, done], 3, 3, { setup });
    yield* sweep(latchRules, [latchWait, done, add], 3, 2, { setup, cancels: 1 });
    yield single(latchRules, [[until(10, latchWait)], [done], [done], [latchWait]], { setup });
  },
};

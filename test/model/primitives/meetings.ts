//! Barriers, futures, work done once, and futexes.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { after1, FRESH, type Op, op, until } from "../operations.ts";

const meet = op("barrier_wait");

/** Follows arrivals: who opens it, who passes, and whether it is broken. */
function meeting(h: History): { message?: string; broken: boolean; arrived: number } {
  const parties = h.case.setup[0]!.a;
  let arrived: Call[] = [];
  let broken = false;
  const expected = new Map<Call, number>();
  const state = (message?: string) => ({
    ...(message === undefined ? {} : { message }),
    broken,
    arrived: arrived.length,
  });
  const breakNow = (): void => {
    broken = true;
    for (const each of arrived) expected.set(each, -ERRNO.EPIPE);
    arrived = [];
  };
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, call, step } = h.events[moment]!;
    if (call?.name !== "barrier_wait") continue;
    if (kind === EVENT.wait && call.parked === moment) {
      if (broken || arrived.length === parties - 1) return state(`${call} for nobody`);
      arrived.push(call);
    } else if (kind === EVENT.wait && call.woken === moment && arrived.includes(call)) {
      // Nobody has opened it: the wait of one of them was ended.
      const ended = arrived.findIndex(
        (each) =>
          each.wokenIn === step &&
          (each.result === -ERRNO.ECANCELED || each.result === -ERRNO.ETIMEDOUT),
      );
      if (ended < 0) return state(`${call}, ${arrived.length} of ${parties} came`);
      arrived.splice(ended, 1);
      breakNow();
    } else if (kind === EVENT.end && !call.waited) {
      if (call.result === 1) {
        if (broken || arrived.length !== parties - 1)
          return state(`${call}, ${arrived.length} wait`);
        for (const each of arrived) expected.set(each, 0);
        arrived = [];
      } else if (call.result === -ERRNO.EPIPE) {
        if (!broken) return state(`${call}, nobody broke it`);
      } else if (call.result === 0) {
        return state(`${call} at once`);
      } else {
        breakNow();
      }
    } else if (kind === EVENT.end && expected.has(call) && expected.get(call) !== call.result) {
      return state(`${call}, not ${expected.get(call)}`);
    }
  }
  return state();
}

const barrierRules: Rules = {
  laws: { "all or nobody passes": (h) => meeting(h).message },
  mayWait: (_, h) => {
    const { broken, arrived } = meeting(h);
    return !broken && arrived < h.case.setup[0]!.a;
  },
};

export const barrier: Primitive = {
  name: "barrier",
  *cases() {
    for (const parties of [2, 3]) {
      const setup = [op("barrier_init", parties)];
      if (parties === 3) yield* sweep(barrierRules, [meet, op("checkpoint")], 3, 3, { setup });
      yield* sweep(barrierRules, [meet, until(10, meet)], 3, 2, { setup });
      yield single(
        barrierRules,
        [
          [meet, meet],
          [until(10, meet), meet],
          [meet, meet],
        ],
        {
          setup,
          cancels: 1,
        },
      );
      yield single(barrierRules, [[meet, meet], [meet, meet], [meet], [until(10, meet)]], {
        setup,
      });
    }
  },
};

const set = op("future_set", 0, FRESH);
const closeFuture = op("future_close");
const await_ = op("future_wait");
const try_ = op("future_try");

/** The first of set and close decides. */
function decided(h: History): Call | undefined {
  return h.named("future_set", "future_close")[0];
}

function oneValue(h: History): string | undefined {
  const first = decided(h);
  for (const call of h.named("future_wait", "future_try")) {
    if (!call.ended) continue;
    const late = first !== undefined && first.begin < call.begin;
    if (late && call.waited) return `${call} after ${first}`;
    if (call.ok && (first?.name !== "future_set" || call.value !== first.op.b)) {
      return `${call}, value ${call.value}`;
    }
    if (call.result === -ERRNO.EPIPE && first?.name !== "future_close") return String(call);
    if (call.result === -ERRNO.EAGAIN && late) return `${call} after ${first}`;
  }
  const wrong = h.named("future_set").find((call) => call.ok !== (call === first));
  return wrong && String(wrong);
}

const futureRules: Rules = {
  laws: { "the first value is everybody's": oneValue },
  mayWait: (_, h) => decided(h) === undefined,
};

export const future: Primitive = {
  name: "future",
  *cases() {
    const setup = [op("future_init")];
    yield* sweep(futureRules, [await_, set], 3, 3, { setup });
    yield* sweep(futureRules, [await_, set, closeFuture], 3, 2, { setup, cancels: 1 });
    yield* sweep(futureRules, [until(10, await_), try_, set], 3, 2, { setup });
  },
};

const begin = op("once_begin");
const done = after1(op("once_end", 1));
const failed = after1(op("once_end", 0));

/** One does it at a time, and after a success nobody does. */
function onceAtATime(h: History): { message?: string; runner: number; done: boolean } {
  let runner = -1;
  let isDone = false;
  const state = (message?: string) => ({
    ...(message === undefined ? {} : { message }),
    runner,
    done: isDone,
  });
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind !== EVENT.end) continue;
    if (call!.name === "once_end") {
      if ((result === 0) !== (runner === task)) return state(`${call}, ${runner} does it`);
      if (result !== 0) continue;
      runner = -1;
      isDone ||= call!.op.a === 1;
    } else if (result === 1) {
      if (isDone || runner >= 0) return state(`${call}, ${isDone ? "done" : `${runner} does it`}`);
      runner = task;
    } else if (result === 0 && !isDone) {
      return state(`${call}, not done`);
    }
  }
  return state();
}

const onceRules: Rules = {
  laws: {
    "done once, by one at a time": (h) => onceAtATime(h).message,
    "first come, first served": (h) =>
      inTurn(h.named("once_begin").filter((call) => call.result === 1)),
  },
  // Whoever has begun and does not end it holds up the others.
  mayWait: (call, h) => {
    const { runner, done: isDone } = onceAtATime(h);
    return !isDone && runner >= 0 && runner !== call.task;
  },
};

export const once: Primitive = {
  name: "once",
  *cases() {
    yield* sweep(onceRules, [begin, done, failed], 3, 2, { cancels: 1 });
    const good = [begin, done, begin];
    const bad = [begin, failed, begin];
    yield* [good, bad].map((third) => single(onceRules, [good, bad, third]));
    yield single(onceRules, [bad, bad, bad]);
    yield single(onceRules, [[until(10, begin), failed], bad, good], { cancels: 1 });
    yield single(onceRules, [[begin, failed], [begin, done], [until(10, begin)], [begin, done]], {
      cancels: 1,
    });
  },
};

/** Two words that share a queue: see guest/model.c. */
const WORD = 0;
const OTHER = 1;

const sleepOn = (word: number, expected = 0): Op => op("futex_wait", word, expected);
const wake = (word: number, count: number): Op => op("futex_wake", word, count);
const store = op("futex_store", WORD, 1);

function woken(h: History): string | undefined {
  for (const call of h.named("futex_wake")) {
    const there = h
      .named("futex_wait")
      .filter((each) => each.op.a === call.op.a && each.waitsAt(call.begin));
    if (call.result !== Math.min(there.length, call.op.b)) return `${call}, ${there.length} waited`;
    const asleep = there.slice(0, call.result).find((each) => each.result !== 0);
    if (asleep !== undefined) return `${asleep}, although ${call} was its`;
  }
  for (const call of h.named("futex_wait")) {
    const stored = h.named("futex_store").filter((each) => each.begin < call.begin);
    const value = call.op.a === WORD && stored.length > 0 ? 1 : 0;
    if ((call.result === -ERRNO.EAGAIN) !== (value !== call.op.b) && call.ended)
      return String(call);
  }
  const wakes = h.named("futex_wake").reduce((sum, call) => sum + call.result, 0);
  const passed = h.named("futex_wait").filter((call) => call.ok).length;
  return wakes === passed ? undefined : `${wakes} were woken, ${passed} passed`;
}

const futexRules: Rules = {
  laws: {
    "wakes as many as wait at the word, and no others": woken,
    "first come, first served": (h) =>
      inTurn(h.named("futex_wait").filter((call) => call.op.a === WORD)),
  },
  mayWait: (call, h) =>
    !h
      .named("futex_wake")
      .some((each) => each.op.a === call.op.a && each.op.b > 1 && each.begin > call.parked),
};

export const futex: Primitive = {
  name: "futex",
  *cases() {
    const setup = [op("futex_store", WORD, 0), op("futex_store", OTHER, 0)];
    yield* sweep(futexRules, [sleepOn(WORD), wake(WORD, 1)], 3, 3, { setup });
    yield* sweep(futexRules, [sleepOn(WORD), sleepOn(OTHER), wake(WORD, 2)], 3, 2, {
      setup,
      cancels: 1,
    });
    yield* sweep(futexRules, [until(10, sleepOn(WORD)), store, wake(WORD, 1)], 3, 2, { setup });
  },
};

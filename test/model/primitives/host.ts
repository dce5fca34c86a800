//! What the host ends: operations, started ones, signals; and every pair of ways to end a wait.

import { ARM_SOURCE, ERRNO } from "../../../ts/abi.gen.ts";
import { type Case, type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { EVENT } from "../machine.ts";
import { arm, op, until } from "../operations.ts";

const checkpoint = op("checkpoint");

/** What the host answered an operation on `handle`, in order. */
function answers(h: History, handle: number): number[] {
  const given: number[] = [];
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, result } = h.events[moment]!;
    if (kind === EVENT.complete && task === handle) given.push(result);
  }
  return given;
}

/** Every task reads from a handle of its own. */
function readsAnswered(h: History): string | undefined {
  for (let task = 0; task < h.case.tasks.length; task++) {
    const given = answers(h, task + 10);
    const reads = h.named("read").filter((call) => call.task === task && call.waited);
    if (reads.length !== given.length) return `${reads.length} reads, ${given.length} answers`;
    const wrong = reads.findIndex((call, index) =>
      call.result === -ERRNO.ETIMEDOUT
        ? given[index] !== -ERRNO.ECANCELED
        : call.result !== given[index],
    );
    if (wrong >= 0) return `${reads[wrong]}, answered ${given[wrong]}`;
  }
  return undefined;
}

const readRules: Rules = { laws: { "a read gets its own answer": readsAnswered } };

export const operation: Primitive = {
  name: "operation",
  *cases() {
    const read = op("read");
    const twice = [read, checkpoint, checkpoint];
    yield single(readRules, [twice, twice, twice], { deliversAtOnce: true });
    yield single(
      readRules,
      [
        [read, read, read],
        [read, read, read],
      ],
      { deliversAtOnce: true },
    );
    yield single(
      readRules,
      [
        [read, checkpoint],
        [until(10, read), checkpoint],
      ],
      { cancels: 1 },
    );
    yield single(readRules, [[read, read, checkpoint], [op("cancel", 0)]], { cancels: 1 });
    yield single(readRules, [[until(10, read), read], [op("cancel", 0)]], { cancels: 1 });
    yield single(readRules, [[until(10, read), until(20, read)], [until(10, read)]], {
      deliversAtOnce: true,
      cancels: 1,
      cancelable: [0],
    });
  },
};

function startedAnswered(h: History): string | undefined {
  for (const which of [0, 1]) {
    const given = answers(h, which);
    const started = h.named("operation_start").filter((call) => call.op.a === which && call.ok);
    if (given.length !== started.length)
      return `${started.length} were started, ${given.length} answered`;
  }
  for (const call of h.named("operation_wait", "operation_try", "operation_end")) {
    if (!call.ok) continue;
    if (!answers(h, call.op.a).includes(call.result)) return `${call}, never answered so`;
  }
  return undefined;
}

const startedRules: Rules = {
  ownCancelLaw: true,
  laws: { "a started operation is answered once, and everybody hears it": startedAnswered },
};

export const startedOperation: Primitive = {
  name: "started operation",
  *cases() {
    const start = op("operation_start");
    const wait = op("operation_wait");
    const end = op("operation_end");
    const cancel = op("operation_cancel");
    const try_ = op("operation_try");
    const chooses = op("select", arm("OPERATION"), arm("EVENT"));
    yield single(startedRules, [
      [start, wait, try_],
      [wait, try_, wait],
      [cancel, checkpoint, try_],
    ]);
    yield single(startedRules, [[start, wait, end], [wait]], { cancels: 2 });
    yield single(startedRules, [[start, until(10, wait), end], [cancel], [wait]], { cancels: 0 });
    yield single(
      startedRules,
      [
        [start, chooses, end],
        [op("event_set"), checkpoint],
      ],
      { cancels: 1 },
    );
    yield single(startedRules, [
      [start, op("operation_start", 1), chooses, end, op("operation_end", 1)],
      [op("event_set")],
    ]);
  },
};

const wait = op("signal_wait");
const unseenAt = (h: History, task: number, moment: number): number => {
  let raised = 0;
  for (let at = 0; at < h.count && at < moment; at++)
    if (h.events[at]!.kind === EVENT.raise) raised++;
  return h
    .named("signal_wait")
    .filter((call) => call.task === task && call.ok && call.end < moment)
    .reduce((left, call) => left - call.result, raised);
};

function everyRaise(h: History): string | undefined {
  for (const call of h.named("signal_wait")) {
    const unseen = unseenAt(h, call.task, call.begin);
    if (unseen > 0 && (call.waited || call.result !== unseen)) return `${call}, ${unseen} unseen`;
    if (call.ok && call.waited && call.result !== 1) return `${call} woken by one`;
    if (call.ok && unseenAt(h, call.task, call.end + 1) < 0)
      return `${call}, more than were raised`;
  }
  return undefined;
}

const signalRules: Rules = {
  laws: { "every raise is seen once by each": everyRaise },
  mayWait: (call, h) => unseenAt(h, call.task, h.count) === 0,
};

export const signal: Primitive = {
  name: "signal",
  *cases() {
    const setup = [0, 1, 2].map((task) => op("signal_watch", 0, 0, task));
    yield* sweep(signalRules, [wait, checkpoint], 3, 2, { setup, raises: 2 });
    yield* sweep(signalRules, [wait, checkpoint], 2, 2, { setup, raises: 3 });
    yield* sweep(signalRules, [wait, until(10, wait), checkpoint], 2, 2, {
      setup,
      raises: 2,
      cancels: 1,
    });
    yield single(
      signalRules,
      [
        [wait, wait, wait],
        [wait, wait, wait],
        [wait, wait, wait],
      ],
      { setup, raises: 2 },
    );
  },
};

/** What ended the wait: the step says so. */
function decided(h: History): string | undefined {
  for (const call of h.named("select")) {
    if (!call.waited || !call.ended) continue;
    const causes = new Set<number>();
    let closed = false;
    for (let moment = 0; moment < h.count; moment++) {
      const { kind, step, call: by } = h.events[moment]!;
      if (step !== call.wokenIn) continue;
      causes.add(kind);
      closed ||= by?.name === "close";
    }
    if (!explains(h, call, causes, closed)) return `${call}, value ${call.value}, by other means`;
  }
  return undefined;
}

function explains(h: History, call: Call, causes: ReadonlySet<number>, closed: boolean): boolean {
  switch (call.result) {
    case -ERRNO.ECANCELED:
      // A time that was up first, and then the user's request.
      return causes.has(EVENT.cancel) || causes.has(EVENT.tick);
    case -ERRNO.ETIMEDOUT:
      return causes.has(EVENT.tick);
  }
  const word = [call.op.a, call.op.b, call.op.c][call.result]!;
  if ((word & 255) === ARM_SOURCE.RECEIVE) return closed && call.value === -ERRNO.EPIPE;
  return answers(h, (word >> 8) & 255).includes(call.value);
}

function somethingCame(h: History): boolean {
  const ends: readonly number[] = [EVENT.cancel, EVENT.tick, EVENT.complete];
  return (
    h.named("close").length > 0 ||
    h.events.slice(0, h.count).some(({ kind }) => ends.includes(kind))
  );
}

const pairRules: Rules = {
  laws: { "the first to come decides": decided },
  mayWait: (call, h) => call.name === "select" && !somethingCame(h),
};

type End = "cancel" | "timeout" | "close" | "complete";
const ENDS: readonly End[] = ["cancel", "timeout", "close", "complete"];

/** One task waits for everything; each of `ends` can end the wait, at any moment. */
function race(ends: readonly End[]): Case {
  const count = (end: End): number => ends.filter((each) => each === end).length;
  const operations = [0, 1].slice(0, count("complete"));
  const arms = [arm("RECEIVE"), ...operations.map((each) => arm("OPERATION", each))];
  const selects = op("select", ...arms);
  const waiter = [
    ...operations.map((each) => op("operation_start", each)),
    ...(count("timeout") === 2 ? [op("scope_begin", 0, 10)] : []),
    count("timeout") > 0 ? until(10, selects) : selects,
    ...(count("timeout") === 2 ? [op("scope_end", 0)] : []),
    ...operations.map((each) => op("operation_end", each)),
    checkpoint,
  ];
  const closer = ends.filter((each) => each === "close").map(() => op("close"));
  const rules =
    count("timeout") === 2 || operations.length > 0
      ? { ...pairRules, ownCancelLaw: true }
      : pairRules;
  return single(rules, closer.length > 0 ? [waiter, closer] : [waiter], {
    setup: [op("channel_init", 0, 1)],
    cancels: count("cancel"),
    cancelable: [0],
  });
}

export const pairs: Primitive = {
  name: "cancel, timeout, close, complete",
  *cases() {
    for (const [index, first] of ENDS.entries()) {
      for (const second of ENDS.slice(index)) yield race([first, second]);
    }
    yield race(["cancel", "timeout", "close"]);
    yield race(["cancel", "timeout", "complete"]);
    yield race(["cancel", "close", "complete"]);
    yield race(["timeout", "close", "complete"]);
    yield race(ENDS);
  },
};

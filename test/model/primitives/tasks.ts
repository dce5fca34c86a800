//! Tasks: join, sleep and timers, park and unpark, cancel, room for new ones.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { type Op, op, shielded, until } from "../operations.ts";

const checkpoint = op("checkpoint");
const wait = op("event_wait");
const set = op("event_set");
const stuck = (call: Call, h: History): boolean =>
  call.name === "event_wait" && h.machine.ask(op("event_is_set")) === 0;

const WAITERS = ["join", "task_wait", "task_poll", "cancel_wait"];

/** When a task returned. */
function returnedAt(h: History, task: number): number {
  for (let moment = 0; moment < h.count; moment++) {
    const event = h.events[moment]!;
    if (event.kind === EVENT.return && event.task === task) return moment;
  }
  return Number.MAX_SAFE_INTEGER;
}

function outcomes(h: History): string | undefined {
  for (const call of h.named(...WAITERS)) {
    if (!call.ended) continue;
    const target = call.op.a;
    const returned = returnedAt(h, target);
    if (call.result === 0) {
      if (returned > call.end) return `${call}, and task ${target} lives`;
      if (call.value !== h.case.results[target]) return `${call}, value ${call.value}`;
    } else if (call.result === -ERRNO.EAGAIN && returned < call.begin) {
      return `${call}, and task ${target} has ended`;
    } else if (call.result === -ERRNO.ESRCH) {
      const gone = h
        .named("join", "detach", "cancel_wait")
        .some((each) => each !== call && each.op.a === target && each.begin < call.begin);
      if (!gone) return `${call}, and nobody has freed it`;
    }
  }
  return undefined;
}

const joinRules: Rules = {
  laws: { "who waits gets the result": outcomes },
  mayWait: (call, h) =>
    stuck(call, h) || (WAITERS.includes(call.name) && h.machine.isLive(call.op.a)),
};

export const join: Primitive = {
  name: "join",
  *cases() {
    const child = [wait, checkpoint];
    const onJoin = op("join", 1);
    for (const body of [child, [checkpoint], [wait], [set, wait]]) {
      yield single(joinRules, [[op("spawn", 1), onJoin, checkpoint], body, [set, checkpoint]], {
        started: 1,
        results: [0, 7, 0],
        cancels: 2,
        cancelable: [0],
      });
    }
    yield single(joinRules, [[op("spawn", 1), onJoin, checkpoint], [wait, checkpoint], [set]], {
      results: [0, 7, 0],
      started: 1,
      cancels: 2,
    });
    // A chain: a request goes all the way down.
    yield single(joinRules, [[op("join", 1), checkpoint], [op("join", 2), checkpoint], [wait]], {
      results: [0, 5, 7],
      cancels: 2,
      cancelable: [0, 1],
    });
    yield single(joinRules, [[shielded(op("join", 1)), checkpoint], [wait], [set]], {
      results: [0, 7, 0],
      cancels: 1,
      cancelable: [0],
    });
    const alphabet = [op("join", 2), op("task_wait", 2), op("task_poll", 2), checkpoint];
    for (const first of alphabet) {
      for (const second of alphabet) {
        for (const third of [op("detach", 2), ...alphabet]) {
          yield single(
            joinRules,
            [
              [first, second, third],
              [second, first, third],
              [checkpoint, checkpoint, checkpoint],
            ],
            {
              results: [0, 0, 7],
            },
          );
          yield single(joinRules, [[first, third], [second], [checkpoint]], {
            results: [0, 0, 7],
            cancels: 1,
          });
        }
      }
    }
    yield single(joinRules, [[op("cancel_wait", 1), checkpoint], [wait, checkpoint], [set]], {
      results: [0, 7, 0],
      cancels: 1,
    });
  },
};

/** When a sleep is over. `now`: when it began. */
function deadline(call: Call, now: number): number {
  return call.name === "sleep" ? now + call.op.a : call.op.a;
}

function sleeps(h: History): string | undefined {
  let now = 1;
  const begun = new Map<Call, number>();
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, call, result, step } = h.events[moment]!;
    if (kind === EVENT.tick) {
      now = result;
      for (const [each, at] of begun) {
        if (each.woken < moment || deadline(each, at) > now) continue;
        if (each.wokenIn !== step) return `${each} overslept ${now}`;
      }
    } else if (kind === EVENT.begin && call!.name.startsWith("sleep")) {
      begun.set(call!, now);
    } else if (kind === EVENT.end && begun.has(call!)) {
      if (result === 0 && now < deadline(call!, begun.get(call!)!)) return `${call} at ${now}`;
      begun.delete(call!);
    }
  }
  return undefined;
}

function timer(h: History): string | undefined {
  let now = 1;
  let armed = 0;
  let isSet = false;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, call, result, step } = h.events[moment]!;
    if (kind === EVENT.tick) {
      now = result;
      if (armed === 0 || armed > now) continue;
      armed = 0;
      isSet = true;
      const asleep = h
        .named("timer_wait")
        .find((each) => each.waitsAt(moment) && each.wokenIn > step);
      if (asleep !== undefined) return `${asleep} overslept ${now}`;
    } else if (kind === EVENT.end && call!.name === "timer_start") {
      isSet = call!.op.a <= now;
      armed = isSet ? 0 : call!.op.a;
    } else if (kind === EVENT.end && call!.name === "timer_stop") {
      if (result !== (armed === 0 ? 0 : 1)) return `${call}, armed for ${armed}`;
      armed = 0;
    } else if (kind === EVENT.begin && call!.name === "timer_wait" && call!.ended) {
      if (call!.waited === isSet && call!.ok) return `${call}, ${isSet ? "" : "not "}set`;
    } else if (kind === EVENT.wait && call?.name === "timer_wait" && call.woken === moment) {
      if (call.ok && !isSet && armed !== 0) return `${call}, not set`;
    }
  }
  return undefined;
}

const sleepRules: Rules = {
  laws: { "never early, and awake when it is time": sleeps, "a timer sets its event once": timer },
  mayWait: (call, h) => call.name === "timer_wait" && !h.machine.timerArmed,
};

export const sleep: Primitive = {
  name: "sleep and timer",
  *cases() {
    const at5 = op("sleep_until", 5);
    const at9 = op("sleep_until", 9);
    const for4 = op("sleep", 4);
    yield* sweep(sleepRules, [at5, for4], 2, 3);
    yield single(sleepRules, [
      [at5, checkpoint, at9],
      [for4, checkpoint, checkpoint],
      [checkpoint, checkpoint, checkpoint],
    ]);
    yield* sweep(sleepRules, [at5, at9, for4], 2, 2, { cancels: 1 });
    yield* sweep(sleepRules, [until(3, at9), until(7, at9), at5], 2, 2);
    const start = op("timer_start", 5);
    const later = op("timer_start", 9);
    const stop = op("timer_stop");
    const await_ = op("timer_wait");
    yield* sweep(sleepRules, [start, stop, await_], 2, 3);
    yield* sweep(sleepRules, [start, later, await_], 2, 2, { cancels: 1 });
  },
};

const park = op("park");

/** An unpark ends the park that waits, or the next one; two before it are one. */
function permits(h: History): string | undefined {
  const permit: boolean[] = [];
  const due = new Set<Call>();
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call } = h.events[moment]!;
    if (kind === EVENT.begin && call!.name === "unpark") {
      const parked = h
        .named("park")
        .find((each) => each.task === call!.op.a && each.waitsAt(moment));
      if (parked === undefined) permit[call!.op.a] = true;
      else due.add(parked);
    } else if (kind === EVENT.end && call!.name === "park") {
      if (due.has(call!) && call!.result !== 0) return `${call}, but it was unparked`;
      if (call!.result !== 0) continue;
      if (call!.waited ? !due.has(call!) : permit[task] !== true) return `${call} by nobody`;
      if (!call!.waited) permit[task] = false;
    } else if (kind === EVENT.wait && call?.name === "park" && call.parked === moment) {
      if (permit[task]) return `${call} with a permit`;
    }
  }
  return undefined;
}

const parkRules: Rules = {
  laws: { "an unpark is not lost, and not doubled": permits },
  mayWait: (call) => call.name === "park",
};

export const parking: Primitive = {
  name: "park and unpark",
  *cases() {
    const unpark = (task: number): Op => op("unpark", task);
    for (const timed of [park, until(10, park)]) {
      yield single(parkRules, [
        [park, timed, park],
        [unpark(0), unpark(0), unpark(2)],
        [unpark(0), park, unpark(0)],
      ]);
      yield single(
        parkRules,
        [
          [timed, park],
          [unpark(0), unpark(0)],
          [unpark(0), park],
        ],
        { cancels: 1 },
      );
      yield single(
        parkRules,
        [
          [timed, park, checkpoint],
          [unpark(0), unpark(0)],
        ],
        {
          cancels: 2,
          cancelable: [0],
        },
      );
    }
    yield* sweep(parkRules, [park, unpark(0), unpark(1)], 2, 3, { cancels: 1 });
  },
};

const cancelRules: Rules = { laws: {}, mayWait: stuck };

export const cancel: Primitive = {
  name: "cancel",
  *cases() {
    const cancels = (task: number): Op => op("cancel", task);
    yield single(cancelRules, [
      [wait, wait, checkpoint],
      [cancels(0), cancels(0), set],
      [cancels(0), set, cancels(1)],
    ]);
    yield single(cancelRules, [[op("yield"), wait, checkpoint], [cancels(0), cancels(0)], [set]], {
      cancels: 1,
    });
    yield single(
      cancelRules,
      [
        [shielded(op("yield")), checkpoint],
        [shielded(op("sleep", 5)), wait],
        [cancels(0), cancels(1)],
      ],
      {
        cancels: 1,
      },
    );
    yield* sweep(cancelRules, [wait, checkpoint, set], 3, 2, { cancels: 1 });
    yield* sweep(cancelRules, [wait, checkpoint, set], 2, 2, { cancels: 3 });
    yield* sweep(cancelRules, [wait, cancels(0), cancels(1)], 2, 3, { cancels: 1 });
    yield single(
      cancelRules,
      [
        [wait, wait, checkpoint],
        [wait, checkpoint, wait],
        [set, wait, set],
      ],
      { cancels: 1 },
    );
  },
};

/** No more tasks than may live. */
function bounded(h: History): string | undefined {
  let live = h.case.started;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, call, result } = h.events[moment]!;
    if (kind === EVENT.return) live--;
    if (kind !== EVENT.end || !/^spawn(_wait)?$/.test(call!.name)) continue;
    if (result === 0) live++;
    if (live > h.case.tasksMax) return `${call}: ${live} live`;
    if (result === -ERRNO.EAGAIN && live < h.case.tasksMax) return `${call}: ${live} live`;
  }
  return undefined;
}

const roomRules: Rules = {
  laws: {
    "never more than may live": bounded,
    "first come, first served": (h) => inTurn(h.named("spawn_room").filter((call) => call.waited)),
  },
  mayWait: (call, h) => call.name.startsWith("spawn_") && h.machine.tasksLive >= h.case.tasksMax,
};

export const room: Primitive = {
  name: "room for tasks",
  *cases() {
    const spawns = (...tasks: number[]): Op[] => tasks.map((task) => op("spawn_wait", task));
    const short = [checkpoint];
    const waits = [op("spawn_room"), checkpoint];
    const three = [...waits, checkpoint];
    yield single(roomRules, [waits, waits, three, short], { tasksMax: 4 });
    yield single(roomRules, [three, three, three, short], { tasksMax: 4 });
    yield single(roomRules, [waits, [until(10, op("spawn_room"))], waits, short], {
      tasksMax: 4,
      cancels: 1,
    });
    yield single(
      roomRules,
      [spawns(3), spawns(4), [checkpoint, checkpoint, checkpoint], short, short],
      {
        started: 3,
        tasksMax: 3,
        cancels: 1,
        cancelable: [0, 1, 2],
      },
    );
    yield single(
      roomRules,
      [spawns(2, 3, 4), [...spawns(5), checkpoint, checkpoint], short, short, short, short],
      {
        started: 2,
        tasksMax: 3,
      },
    );
    yield single(roomRules, [spawns(3), spawns(4), spawns(5), short, short, short, []], {
      started: 3,
      tasksMax: 3,
    });
    yield single(
      roomRules,
      [
        [until(10, op("spawn_wait", 3)), checkpoint],
        [...spawns(4), op("spawn", 5)],
        short,
        short,
        short,
        short,
      ],
      {
        started: 3,
        tasksMax: 3,
      },
    );
  },
};

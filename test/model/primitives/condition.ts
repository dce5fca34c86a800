//! Conditions: a signal wakes exactly one that waits, and whoever returns holds the mutex.

import { ERRNO, WAIT } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { EVENT } from "../machine.ts";
import { after0, op, until } from "../operations.ts";

const lock = op("mutex_lock");
const unlock = op("mutex_unlock");
const wait = op("condition_wait");
const signal = op("condition_signal");
const broadcast = op("condition_broadcast");

const NOBODY = -1;

/** Who holds the mutex, and whose turn at the condition it is. */
function follow(h: History): { message?: string; holder: number; waiting: Call[] } {
  let holder = NOBODY;
  const waiting: Call[] = [];
  const signaled = new Set<Call>();
  const fail = (message: string) => ({ message, holder, waiting });
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind === EVENT.wait && result === WAIT.CONDITION) {
      if (holder !== task) return fail(`${call} without the mutex`);
      holder = NOBODY;
      waiting.push(call!);
    } else if (kind === EVENT.wait && call?.name === "condition_wait" && !signaled.has(call)) {
      // It has left the condition, and nobody has signaled it: a request or a time has ended it.
      const at = waiting.indexOf(call);
      if (at >= 0) waiting.splice(at, 1);
    } else if (kind === EVENT.end) {
      switch (call!.name) {
        case "condition_signal":
          for (const first of waiting.splice(0, 1)) signaled.add(first);
          break;
        case "condition_broadcast":
          for (const each of waiting.splice(0)) signaled.add(each);
          break;
        case "mutex_unlock":
          if ((result === 0) !== (holder === task)) return fail(`${call}, held by ${holder}`);
          if (result === 0) holder = NOBODY;
          break;
        case "condition_wait":
          if (result === -ERRNO.EPERM) {
            if (holder === task) return fail(`${call} by the holder`);
            break;
          }
          if (signaled.has(call!) !== (result === 0)) {
            return fail(`${call}, ${signaled.has(call!) ? "" : "not "}signaled in its turn`);
          }
          if (!call!.waited) {
            if (holder !== task) return fail(`${call}, held by ${holder}`);
            break;
          }
          if (holder !== NOBODY) return fail(`${call} while ${holder} holds the mutex`);
          holder = task;
          break;
        case "mutex_lock":
          if (result !== 0) break;
          if (holder !== NOBODY) return fail(`${call} while ${holder} holds it`);
          holder = task;
      }
    }
  }
  return { holder, waiting };
}

const rules: Rules = {
  laws: { "a signal wakes the first, and it holds the mutex": (h) => follow(h).message },
  mayWait: (call, h) => {
    const { holder, waiting } = follow(h);
    return waiting.includes(call) || (holder !== NOBODY && holder !== call.task);
  },
};

export const condition: Primitive = {
  name: "condition",
  *cases() {
    const waiter = [lock, wait, unlock];
    const timed = [lock, until(10, wait), unlock];
    const signaler = [lock, signal, unlock];
    for (const third of [signaler, [lock, broadcast, unlock], [signal, signal, lock], timed]) {
      yield single(rules, [waiter, waiter, third]);
      yield single(rules, [waiter, timed, third], { cancels: 1 });
    }
    yield single(rules, [waiter, waiter, waiter, [signal, broadcast]]);
    yield single(rules, [waiter, timed, [lock, signal, unlock]], { cancels: 2, cancelable: [0] });
    yield* sweep(rules, [lock, after0(wait), signal, unlock], 2, 3, { cancels: 1 });
  },
};

//! Recursive mutexes: one holder, as often as it likes.

import { type Primitive, type Rules, sweep } from "../case.ts";
import type { History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { op, until } from "../operations.ts";

const lock = op("recursive_lock");
const tryLock = op("recursive_try_lock");
const unlock = op("recursive_unlock");

function follow(h: History): { message?: string; depth: number; holder: number } {
  let holder = -1;
  let depth = 0;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind !== EVENT.end || result > 0) continue;
    const mine = depth > 0 && holder === task;
    if (call!.name === "recursive_unlock") {
      if ((result === 0) !== mine) return { message: `${call}, ${depth} deep`, depth, holder };
      if (result === 0) depth--;
    } else if (result === 0) {
      if (depth > 0 && !mine) return { message: `${call}, held by ${holder}`, depth, holder };
      holder = task;
      depth++;
    } else if (mine) {
      return { message: `${call} by its holder`, depth, holder };
    }
  }
  return { depth, holder };
}

const rules: Rules = {
  laws: {
    "one holder, as deep as it locked": (h) => follow(h).message,
    "first come, first served": (h) =>
      inTurn(h.named("recursive_lock").filter((call) => call.waited)),
  },
  mayWait: (call, h) => {
    const { depth, holder } = follow(h);
    return depth > 0 && holder !== call.task;
  },
};

export const recursive: Primitive = {
  name: "recursive mutex",
  *cases() {
    yield* sweep(rules, [lock, unlock], 3, 3);
    yield* sweep(rules, [until(10, lock), tryLock, unlock], 3, 2, { cancels: 1 });
  },
};

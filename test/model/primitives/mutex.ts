//! Mutexes: one holder, handed over in the order in which they came.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { EVENT } from "../machine.ts";
import { op, until } from "../operations.ts";

const lock = op("mutex_lock");
const tryLock = op("mutex_try_lock");
const unlock = op("mutex_unlock");

const NOBODY = -1;

function exclusion(h: History): string | undefined {
  return holderAfter(h).message;
}

/** Follows the holder through the log. */
function holderAfter(h: History): { holder: number; message?: string } {
  let holder = NOBODY;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind !== EVENT.end) continue;
    const { name } = call!.op;
    if (name === "mutex_unlock") {
      if ((result === 0) !== (holder === task))
        return { holder, message: `${call}, held by ${holder}` };
      if (result === 0) holder = NOBODY;
    } else if (result === 0) {
      if (holder !== NOBODY) return { holder, message: `${call} while ${holder} holds it` };
      holder = task;
    } else if (result === -ERRNO.EDEADLK) {
      if (holder !== task) return { holder, message: `${call}, held by ${holder}` };
    } else if (result === -ERRNO.EAGAIN && holder === task) {
      return { holder, message: `${call} by its holder` };
    }
  }
  return { holder };
}

const rules: Rules = {
  laws: {
    "one holder": exclusion,
    "first come, first served": (h) => inTurn(h.named("mutex_lock")),
  },
  mayWait: (call: Call, h: History) => {
    const { holder } = holderAfter(h);
    return holder !== NOBODY && holder !== call.task;
  },
};

export const mutex: Primitive = {
  name: "mutex",
  *cases() {
    yield* sweep(rules, [lock, unlock], 3, 3);
    yield* sweep(rules, [lock, until(10, lock), unlock], 3, 2, { cancels: 1 });
    yield* sweep(rules, [lock, tryLock, unlock], 3, 2);
    yield single(
      rules,
      [
        [lock, unlock],
        [lock, unlock],
        [until(10, lock), unlock],
      ],
      { cancels: 2 },
    );
    yield single(rules, [
      [lock, unlock],
      [lock, unlock],
      [lock, unlock],
      [lock, unlock],
    ]);
  },
};

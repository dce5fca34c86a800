//! Whose every -ECANCELED is: the user's, or that of a timeout scope.
//!
//! Follows the requests of each task through the log, by the rules of time.h and task.h: the user's
//! goes first, of the scopes the outermost; a request that comes while a task waits is noticed there and
//! then; a scope that ends takes back what nobody has noticed.

import { ERRNO, WAIT } from "../../ts/abi.gen.ts";
import type { Call, History } from "./history.ts";
import { EVENT } from "./machine.ts";
import { isShielded } from "./operations.ts";

const USER = -1;
const NOBODY = -2;

interface Scope {
  readonly id: number;
  until: number;
  /** It has ended a call, and ends no other. */
  spent: boolean;
}

class Requests {
  /** The user's, that nobody has noticed. */
  user = false;
  /** Outermost first. */
  readonly scopes: Scope[] = [];
  /** Who ends the call that waits: it has noticed a request, and has not returned yet. */
  noticed = NOBODY;
  /** Whose the last -ECANCELED was that was returned. */
  last = NOBODY;
  waitsFor: number = WAIT.READY;

  /** Takes a request that is there, if one is. */
  take(now: number): number {
    if (this.user) {
      this.user = false;
      return USER;
    }
    const scope = this.scopes.find((each) => !each.spent && each.until <= now);
    if (scope === undefined) return NOBODY;
    scope.spent = true;
    return scope.id;
  }
}

/** What ends at a request: a cancel point that has begun to wait, and a group's wait in its own time. */
const NOTICES: ReadonlySet<number> = new Set([
  WAIT.SLEEP,
  WAIT.EVENT,
  WAIT.NOTIFY,
  WAIT.UNPARK,
  WAIT.SELECT,
  WAIT.GROUP,
  WAIT.GROUP_ROOM,
  WAIT.RECEIVE,
  WAIT.CONDITION,
]);

/** For the tasks that the case may cancel. */
export function attribution(h: History): string | undefined {
  const tasks = h.case.tasks.map(() => new Requests());
  let now = 1;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    const own = tasks[task]!;
    if (kind !== EVENT.tick && !h.case.cancelable.includes(task)) continue;
    switch (kind) {
      case EVENT.tick:
        now = result;
        for (const each of tasks) notice(each, now);
        break;
      case EVENT.cancel:
        // Requests before the task has gone on are one.
        if (own.noticed !== USER) own.user = true;
        notice(own, now);
        break;
      case EVENT.wait:
        if (result !== WAIT.READY && NOTICES.has(result) && call?.parked === moment) {
          const by = isShielded(call.op) ? NOBODY : own.take(now);
          if (by !== NOBODY && result !== WAIT.GROUP)
            return `${call} although a request is pending`;
          own.noticed = by;
        }
        own.waitsFor =
          result !== WAIT.READY && call !== undefined && !isShielded(call.op) ? result : WAIT.READY;
        break;
      case EVENT.end: {
        const broken = ended(own, call!, now);
        if (broken !== undefined) return broken;
        break;
      }
    }
  }
  return undefined;
}

function notice(own: Requests, now: number): void {
  if (own.noticed === NOBODY && NOTICES.has(own.waitsFor)) own.noticed = own.take(now);
}

function ended(own: Requests, call: Call, now: number): string | undefined {
  const { op, result } = call;
  switch (op.name) {
    case "group_spawn":
      // Its -ECANCELED is the group's.
      return undefined;
    case "scope_begin":
      own.scopes.push({ id: op.a, until: op.b, spent: false });
      return undefined;
    case "scope_set": {
      const scope = own.scopes.find((each) => each.id === op.a)!;
      scope.until = op.b;
      scope.spent = false;
      return undefined;
    }
    case "scope_end":
      return scopeEnded(own, call);
    case "recancel": {
      const scope = own.scopes.find((each) => each.id === own.last);
      if (scope === undefined) own.user = true;
      else scope.spent = false;
      return undefined;
    }
  }
  const canceled = result === -ERRNO.ECANCELED;
  if (own.noticed !== NOBODY && !canceled) return `${call}, but it noticed a request`;
  if (canceled) {
    const by = own.noticed !== NOBODY ? own.noticed : call.waited ? NOBODY : own.take(now);
    if (by === NOBODY) return `${call} without a request`;
    own.last = by;
  } else if (!call.waited && op.name === "checkpoint" && own.take(now) !== NOBODY) {
    return `${call} although a request is pending`;
  }
  own.noticed = NOBODY;
  return undefined;
}

/** What the operation before gave goes through the scope's end: no other is between in these scripts. */
function scopeEnded(own: Requests, call: Call): string | undefined {
  const { op, result } = call;
  own.scopes.splice(
    own.scopes.findIndex((each) => each.id === op.a),
    1,
  );
  if (result === -ERRNO.ETIMEDOUT) {
    if (own.last !== op.a) return `${call}, but the time that ended the call was not this scope's`;
    if (own.user) return `${call}, but the user's request wins`;
    own.last = NOBODY;
  } else if (result === -ERRNO.ECANCELED && own.last === op.a) {
    if (!own.user) return `${call}, but it was this scope's time`;
    own.user = false;
    own.last = USER;
  }
  return undefined;
}

//! What holds for every primitive: who waits, who is canceled, who times out.

import { ERRNO, WAIT, WAIT_TEXT } from "../../ts/abi.gen.ts";
import type { Case, Law } from "./case.ts";
import type { Call, History } from "./history.ts";
import { EVENT } from "./machine.ts";
import { isShielded } from "./operations.ts";

/** Waits that a request does not end at once: somebody else ends them, or they have ended. */
const OUTLASTS_REQUEST: ReadonlySet<number> = new Set([
  WAIT.READY,
  WAIT.OP,
  WAIT.HOST,
  WAIT.JOIN,
  WAIT.GROUP,
  WAIT.GROUP_CANCEL,
  WAIT.RELOCK,
]);

export function generalLaws(given: Case): Record<string, Law> {
  return {
    "no lost wake-up": noLostWakeUp,
    ...(given.rules.ownCancelLaw === true ? {} : { "one request, one ECANCELED": oneEach }),
    timeouts,
  };
}

function noLostWakeUp(h: History): string | undefined {
  for (let task = 0; task < h.case.tasks.length; task++) {
    const call = h.open(task);
    if (call === undefined || !h.machine.isLive(task)) continue;
    if (h.case.rules.mayWait?.(call, h) !== true) {
      return `${call} for ${WAIT_TEXT[h.machine.waitOf(task)]}, and nothing more can happen`;
    }
  }
  return undefined;
}

/** The user's requests of each task that nobody has noticed. */
const pending: boolean[] = [];
/** The calls that a request, or a time, has ended: they must say so. */
const doomed: (Call | undefined)[] = [];

function oneEach(h: History): string | undefined {
  pending.length = doomed.length = 0;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind === EVENT.cancel) {
      request(h, task, moment);
    } else if (kind === EVENT.begin && /^cancel(_wait)?$/.test(call!.name)) {
      request(h, call!.op.a, moment);
    } else if (kind === EVENT.wait && result !== WAIT.READY) {
      if (!pending[task] || call?.parked !== moment || isShielded(call.op)) continue;
      if (!OUTLASTS_REQUEST.has(result)) return `${call} although a request is pending`;
      if (call.name === "join") request(h, call.op.a, moment);
    } else if (kind === EVENT.end) {
      const canceled = result === -ERRNO.ECANCELED;
      if (doomed[task] === call && !canceled && !partly(call!)) {
        return `${call}, but a request came while it waited`;
      }
      doomed[task] = undefined;
      if (canceled && !pending[task]) return `${call} without a request`;
      if (canceled) pending[task] = false;
      else if (pending[task] && call!.op.name === "checkpoint") {
        return `${call} although a request is pending`;
      }
      if (result === -ERRNO.ETIMEDOUT && pending[task] && !isShielded(call!.op)) {
        return `${call}, but the user's request wins`;
      }
    }
  }
  return undefined;
}

/** Requests before one is noticed are one; who joins passes it on. */
function request(h: History, task: number, moment: number): void {
  if (pending[task]) return;
  pending[task] = true;
  const call = h.calls.find((each) => each.task === task && each.waitsAt(moment));
  if (call === undefined) return;
  if (call.name === "join" && call.wait === WAIT.JOIN && !isShielded(call.op))
    request(h, call.op.a, moment);
  if (endsAtOnce(h, call, moment)) doomed[task] = call;
}

/** A batch that has sent something says so. */
function partly(call: Call): boolean {
  return call.op.name === "send_many" && call.result > 0;
}

function endsAtOnce(h: History, call: Call, moment: number): boolean {
  if (!call.waitsAt(moment) || isShielded(call.op)) return false;
  return !OUTLASTS_REQUEST.has(waitAt(h, call, moment));
}

/** What a call waits for at a moment; READY: nothing. */
function waitAt(h: History, call: Call, moment: number): number {
  for (let at = moment - 1; at >= call.begin; at--) {
    const event = h.events[at]!;
    if (event.kind === EVENT.wait && event.call === call) return event.result;
  }
  return WAIT.READY;
}

function timeouts(h: History): string | undefined {
  let now = 1;
  doomed.length = 0;
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result, step } = h.events[moment]!;
    if (kind === EVENT.tick) {
      now = result;
      for (const each of h.calls) {
        if (each.op.until !== 0 && each.op.until <= now && endsAtOnce(h, each, moment)) {
          // From a condition it goes on to the mutex.
          if (each.wokenIn !== step && each.wait !== WAIT.CONDITION) {
            return `${each} slept through ${now}`;
          }
          doomed[each.task] = each;
        }
      }
    } else if (kind === EVENT.end) {
      const until = call!.op.until;
      if (result === -ERRNO.ETIMEDOUT && until !== 0 && now < until) {
        return `${call} at ${now}`;
      }
      const over = result === -ERRNO.ETIMEDOUT || result === -ERRNO.ECANCELED;
      if (doomed[task] === call && !over && !otherwise(h, call!, moment)) {
        return `${call}, but its time was up while it waited`;
      }
      doomed[task] = undefined;
    }
  }
  return undefined;
}

/** What else the run of a tick can bring: an operation's end, the end of another's time. */
function otherwise(h: History, call: Call, moment: number): boolean {
  if (partly(call) || call.name === "barrier_wait") return true;
  return h.events.slice(0, moment).some((event) => event.kind === EVENT.complete);
}

//! Groups: nobody gets past a wait while a member lives, and the first error is the group's.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type CaseOptions, type Primitive, type Rules, single } from "../case.ts";
import type { Call, History } from "../history.ts";
import { EVENT } from "../machine.ts";
import { type Op, op } from "../operations.ts";
import { attribution } from "../requests.ts";

const FAIL_FAST = 1;
const FAILURE = -ERRNO.EIO;
const OTHER_FAILURE = -ERRNO.EPERM;

const checkpoint = op("checkpoint");
const wait = op("event_wait");
const set = op("event_set");
const spawn = (task: number): Op => op("group_spawn", task);
const groupWait = op("group_wait");
const groupCancel = op("group_cancel");
const room = op("group_room");

const ENDS = ["group_wait", "group_cancel"];

/** Follows the members: who lives, who runs, and what went wrong first. */
function follow(h: History): { message?: string; live: number } {
  const { a: most, b: flags } = h.case.setup[0]!;
  const live = new Set<number>();
  const running = new Set<number>();
  const line: number[] = [];
  const doomed = new Set<Call>();
  /** The group's error, and what each that waited when the last member ended must get. */
  let error = 0;
  const owed = new Map<Call, number>();
  const fail = (message: string) => ({ message, live: live.size });
  for (let moment = 0; moment < h.count; moment++) {
    const { kind, task, call, result } = h.events[moment]!;
    if (kind === EVENT.end && call!.name === "group_spawn" && result === 0) {
      live.add(call!.op.a);
      line.push(call!.op.a);
    } else if (kind === EVENT.begin && call!.name === "group_cancel") {
      error = 0;
    } else if (kind === EVENT.begin && live.has(task) && !running.has(task)) {
      if (task !== line.shift() && most === 1) return fail(`task ${task} starts out of turn`);
      running.add(task);
      if (most > 0 && running.size > most) return fail(`${[...running]} run`);
    } else if (kind === EVENT.return && live.has(task)) {
      live.delete(task);
      running.delete(task);
      if (result < 0 && error === 0) {
        error = result;
        if (flags & FAIL_FAST) for (const each of waitingIn(h, live, moment)) doomed.add(each);
      }
      if (live.size > 0) continue;
      const waiting = h.named(...ENDS).filter((each) => each.waitsAt(moment));
      for (const each of waiting) owed.set(each, error);
      if (waiting.length > 0) error = 0;
    } else if (
      kind === EVENT.cancel ||
      (kind === EVENT.end && call!.name === "group_cancel_request")
    ) {
      const passesOn = h
        .named("group_wait")
        .some((each) => each.task === task && each.waitsAt(moment));
      if (passesOn || kind !== EVENT.cancel) {
        for (const each of waitingIn(h, live, moment)) doomed.add(each);
      }
    } else if (kind === EVENT.end) {
      if (doomed.has(call!) && result !== -ERRNO.ECANCELED)
        return fail(`${call}, but it was canceled`);
      if (!ENDS.includes(call!.name)) continue;
      if (call!.waited && !owed.has(call!)) return fail(`${call} while ${[...live]} live`);
      if (result === -ERRNO.ECANCELED) continue;
      const expected = call!.waited ? owed.get(call!) : error;
      if (result !== expected) return fail(`${call}, not ${expected}`);
      if (!call!.waited) error = 0;
    }
  }
  return { live: live.size };
}

function waitingIn(h: History, tasks: ReadonlySet<number>, moment: number): Call[] {
  return h.named("event_wait").filter((call) => tasks.has(call.task) && call.waitsAt(moment));
}

const rules: Rules = {
  ownCancelLaw: true,
  laws: {
    "no end before the last member's, and the first error counts": (h) => follow(h).message,
    "every ECANCELED is somebody's": attribution,
  },
  mayWait: (call, h) => {
    if (call.name === "event_wait") return h.machine.ask(op("event_is_set")) === 0 && !canceled(h);
    return call.name !== "group_cancel" && follow(h).live > 0;
  },
};

/** Whether somebody has asked for the end of all members. */
function canceled(h: History): boolean {
  if (h.named("group_cancel", "group_cancel_request").length > 0) return true;
  const { b: flags } = h.case.setup[0]!;
  return (
    (flags & FAIL_FAST) !== 0 &&
    h.case.results.some(
      (each, task) =>
        each < 0 && !h.machine.isLive(task) && h.calls.some((call) => call.task === task),
    )
  );
}

export const group: Primitive = {
  name: "group",
  *cases() {
    const both = [spawn(1), spawn(2)];
    const variations: [number, number][] = [
      [0, 0],
      [1, 0],
      [0, FAIL_FAST],
      [1, FAIL_FAST],
    ];
    for (const [most, flags] of variations) {
      const options = (results: number[], more: Partial<CaseOptions> = {}) => ({
        setup: [op("group_init", most, flags)],
        started: 1,
        results,
        cancelable: [0],
        ...more,
      });
      for (const results of [
        [0, 0, 0],
        [0, FAILURE, OTHER_FAILURE],
        [0, 0, FAILURE],
      ]) {
        yield single(
          rules,
          [
            [...both, groupWait, groupWait],
            [checkpoint, checkpoint, checkpoint],
            [checkpoint, checkpoint, checkpoint],
          ],
          options(results),
        );
        yield single(
          rules,
          [[...both, groupWait, checkpoint], [wait], [checkpoint]],
          options(results, { cancels: 1 }),
        );
        yield single(
          rules,
          [[...both, groupCancel, checkpoint], [wait, checkpoint], [wait]],
          options(results, { cancels: 1 }),
        );
        yield single(
          rules,
          [[...both, room, spawn(3), groupWait], [set, checkpoint], [wait], [checkpoint]],
          options([...results, 0], { cancels: 1 }),
        );
        yield single(
          rules,
          [[...both, spawn(3), groupWait], [wait, checkpoint], [wait], [set, checkpoint]],
          options([...results, FAILURE]),
        );
      }
      // A request and a time that race for the same wait.
      yield single(
        rules,
        [
          [op("scope_begin", 0, 10), spawn(1), groupWait, op("scope_end", 0), checkpoint],
          [wait, op("yield")],
        ],
        options([0, 0], { cancels: 2 }),
      );
      yield single(
        rules,
        [[...both, op("group_cancel_request"), groupWait], [wait], [wait]],
        options([0, 0, 0]),
      );
    }
  },
};

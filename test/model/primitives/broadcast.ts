//! Broadcast and watch: everybody gets every item, or knows how many it missed; the latest value.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { FRESH, op, until } from "../operations.ts";

const NEVER = Number.MAX_SAFE_INTEGER;

const send = op("broadcast_send", 0, FRESH);
const receive = op("broadcast_receive");
const close = op("broadcast_close");

const closedAt = (h: History, name: string): number => h.named(name)[0]?.begin ?? NEVER;

const sentItems = (h: History): number[] =>
  h
    .named("broadcast_send")
    .filter((call) => call.ok)
    .map((call) => call.op.b);

/** How many items a consumer is behind in the end; or what is wrong with what it got. */
function consumed(h: History, task: number): { message?: string; behind: number } {
  const items = sentItems(h);
  const capacity = h.case.setup[0]!.a;
  let position = 0;
  for (const call of h.named("broadcast_receive")) {
    if (call.task !== task || !call.ended) continue;
    if (call.result === -ERRNO.EOVERFLOW) {
      const sentBefore = h
        .named("broadcast_send")
        .filter((each) => each.ok && each.begin < call.begin).length;
      if (sentBefore - position <= capacity)
        return { message: `${call}, none was lost`, behind: 0 };
      position = sentBefore - capacity;
    } else if (call.ok && items[position++] !== call.value) {
      return { message: `${call}: ${call.value}, item ${position} of ${items}`, behind: 0 };
    }
  }
  return { behind: items.length - position };
}

function missed(h: History, task: number): string | undefined {
  const got = h.named("broadcast_receive").filter((call) => call.task === task && call.ok).length;
  const count = h.machine.ask(op("missed", task));
  const { message, behind } = consumed(h, task);
  if (message !== undefined) return message;
  const total = sentItems(h).length;
  return got + count + behind === total ? undefined : `of ${total}: ${got} got, ${count} missed`;
}

function everybody(h: History): string | undefined {
  for (let task = 0; task < h.case.tasks.length; task++) {
    const message = missed(h, task);
    if (message !== undefined) return message;
  }
  return undefined;
}

function closed(h: History, close_: string, receives: string, sends: string): string | undefined {
  const moment = closedAt(h, close_);
  for (const call of h.named(receives, sends)) {
    if (call.name === sends && call.ok === call.begin > moment)
      return `${call}, close at ${moment}`;
    if (call.name === receives && call.begin > moment && call.waited) return `${call} when closed`;
    if (call.result === -ERRNO.EPIPE && call.end < moment) return `${call} before the close`;
  }
  return undefined;
}

const broadcastRules: Rules = {
  laws: {
    "no gap but what was reported": everybody,
    "a closed one takes nothing, and nobody waits": (h) =>
      closed(h, "broadcast_close", "broadcast_receive", "broadcast_send"),
  },
  mayWait: (call, h) =>
    consumed(h, call.task).behind === 0 && closedAt(h, "broadcast_close") === NEVER,
};

export const broadcast: Primitive = {
  name: "broadcast",
  *cases() {
    yield* sweep(broadcastRules, [receive, send], 3, 3, { setup: [op("broadcast_init", 2)] });
    yield* sweep(broadcastRules, [receive, send, close], 3, 2, {
      setup: [op("broadcast_init", 1)],
      cancels: 1,
    });
    for (const capacity of [1, 2]) {
      const setup = [op("broadcast_init", capacity)];
      yield single(broadcastRules, [[until(10, receive), receive], [send, send, send], [receive]], {
        setup,
      });
    }
  },
};

const set = op("watch_set", 0, FRESH);
const wait = op("watch_wait");
const closeWatch = op("watch_close");

/** The versions: the first value, and what was set. */
function values(h: History, moment: number): number[] {
  const given = h.named("watch_set").filter((call) => call.ok && call.begin < moment);
  return [0, ...given.map((call) => call.op.b)];
}

/** Of each task: the version it has seen, or what is wrong. */
function seen(h: History, task: number): { message?: string; version: number } {
  let version = 0;
  for (const call of h.named("watch_wait")) {
    if (call.task !== task || !call.ended) continue;
    if (!call.ok) continue;
    // Who does not wait gets the latest there is, who waits gets the first that comes.
    const before = values(h, call.begin);
    const fresh = before.length > version;
    if (fresh && call.waited) return { message: `${call} although it has not seen it`, version };
    const next = fresh ? before.length : version + 1;
    if (values(h, NEVER)[next - 1] !== call.value) {
      return { message: `${call}: ${call.value}, not version ${next}`, version };
    }
    version = next;
  }
  return { version };
}

const watchRules: Rules = {
  laws: {
    "who looks sees the latest, who waits the next": (h) => {
      for (let task = 0; task < h.case.tasks.length; task++) {
        const { message } = seen(h, task);
        if (message !== undefined) return message;
      }
      return undefined;
    },
    "a closed one takes nothing, and nobody waits": (h) =>
      closed(h, "watch_close", "watch_wait", "watch_set"),
  },
  mayWait: (call: Call, h) =>
    closedAt(h, "watch_close") === NEVER && seen(h, call.task).version === values(h, NEVER).length,
};

export const watch: Primitive = {
  name: "watch",
  *cases() {
    const setup = [op("watch_init")];
    yield* sweep(watchRules, [wait, set], 3, 3, { setup });
    yield* sweep(watchRules, [wait, set, closeWatch], 3, 2, { setup, cancels: 1 });
    yield* sweep(watchRules, [until(10, wait), wait, set], 3, 2, { setup });
  },
};

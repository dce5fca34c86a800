//! Channels: every item arrives once, in order, and a closed channel takes none.

import { ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { inTurn } from "../law-parts.ts";
import { FRESH, op, until } from "../operations.ts";

const send = op("send", 0, FRESH);
const trySend = op("try_send", 0, FRESH);
const sendTwo = op("send_many", 0, FRESH, 2);
const sendThree = op("send_many", 0, FRESH, 3);
const receive = op("receive");
const tryReceive = op("try_receive");
const receiveTwo = op("receive_many", 0, 2);
const close = op("close");
const closeNow = op("close_now");

const SENDS = ["send", "try_send", "send_many"];
const RECEIVES = ["receive", "try_receive", "receive_many"];
const CLOSES = ["close", "close_now"];

/** The items of calls that have ended well, in the order in which the calls began. */
function sent(h: History): number[] {
  return h.named(...SENDS).flatMap((call) => {
    if (!call.ok) return [];
    if (call.name !== "send_many") return [call.op.b];
    return Array.from({ length: call.result }, (_, index) => call.op.b + index);
  });
}

function received(h: History): number[] {
  return h
    .named(...RECEIVES)
    .flatMap((call) => (!call.ok ? [] : call.name === "receive_many" ? call.items : [call.value]));
}

/** When the channel was closed, as a position in the log. */
function closedAt(h: History): number {
  return Math.min(Number.MAX_SAFE_INTEGER, ...h.named(...CLOSES).map((call) => call.begin));
}

const count = (h: History): number => h.machine.ask(op("channel_count"));

/** Holds for single items: one send, one place in the order. */
function inOrder(h: History): string | undefined {
  const items = sent(h);
  const wrong = received(h).findIndex((item, index) => item !== items[index]);
  return wrong < 0 ? undefined : `sent ${items}, received ${received(h)}`;
}

/** Batches: of each sender in order. */
function inOrderOfSender(h: History): string | undefined {
  const last = new Map<number, number>();
  for (const item of received(h)) {
    const sender = Math.floor(item / 10);
    if (item <= (last.get(sender) ?? 0)) return `received ${received(h)}`;
    last.set(sender, item);
  }
  return undefined;
}

function conserved(h: History): string | undefined {
  const items = sent(h);
  const taken = received(h);
  if (new Set(taken).size !== taken.length) return `received ${taken}`;
  const unfinished = h.named("send_many").filter((call) => call.waiting);
  const strange = taken.find(
    (item) =>
      !items.includes(item) &&
      !unfinished.some((call) => item >= call.op.b && item < call.op.b + call.op.c),
  );
  if (strange !== undefined) return `${strange} was received, and never sent`;
  if (h.named("close_now").length > 0) return undefined;
  const missing = items.filter((item) => !taken.includes(item)).length;
  const inside = count(h);
  if (unfinished.length > 0 ? missing > inside : missing !== inside) {
    return `sent ${items}, received ${taken}, ${inside} inside`;
  }
  return undefined;
}

function closed(h: History): string | undefined {
  const moment = closedAt(h);
  for (const call of h.calls) {
    const late = call.begin > moment;
    if (SENDS.includes(call.name)) {
      if (late && call.result !== -ERRNO.EPIPE) return `${call} after the close`;
      const partly = call.name === "send_many" && call.result > 0 && call.result < call.op.c;
      if (call.waitsAt(moment + 1) && call.result !== -ERRNO.EPIPE && !partly) {
        return `${call}, but it waited when the channel was closed`;
      }
    } else if (RECEIVES.includes(call.name)) {
      if (late && call.waited) return `${call} waited at a closed channel`;
    }
    if (call.result === -ERRNO.EPIPE && call.end < moment) return `${call} before the close`;
  }
  return undefined;
}

const waitsAsSender = (call: Call): boolean => call.waiting && SENDS.includes(call.name);

function rulesFor(capacity: number, batches: boolean): Rules {
  return {
    laws: {
      "no item is lost, doubled or made up": conserved,
      ...(batches
        ? { "in order of each sender": inOrderOfSender }
        : { "first in, first out": inOrder }),
      "senders are served in turn": (h) => inTurn(h.named("send", "send_many")),
      "receivers are served in turn": (h) => inTurn(h.named("receive", "receive_many")),
      "a closed channel takes nothing, and nobody waits": closed,
    },
    mayWait: (call, h) => {
      if (closedAt(h) !== Number.MAX_SAFE_INTEGER) return false;
      if (waitsAsSender(call)) return count(h) >= capacity;
      return count(h) === 0 && !h.calls.some(waitsAsSender);
    },
  };
}

function* casesFor(setup: ReturnType<typeof op>[], capacity: number) {
  const rules = rulesFor(capacity, false);
  yield* sweep(rules, [send, receive], 3, 3, { setup });
  if (capacity > 1) return;
  yield* sweep(rules, [send, receive, close], 3, 2, { setup, cancels: 1 });
  yield* sweep(rules, [until(10, send), until(20, receive), receive], 3, 2, { setup });
  yield* sweep(rules, [trySend, tryReceive, send, receive], 2, 2, { setup, cancels: 1 });
  yield single(
    rules,
    [
      [send, send],
      [until(10, receive), closeNow],
      [receive, receive],
    ],
    {
      setup,
      cancels: 1,
    },
  );
}

function primitive(name: string, capacities: readonly number[], unbounded = false): Primitive {
  const init = unbounded ? "channel_init_unbounded" : "channel_init";
  return {
    name,
    *cases() {
      for (const capacity of capacities) yield* casesFor([op(init, 0, capacity)], capacity);
    },
  };
}

export const rendezvous = primitive("channel, rendezvous", [0]);
export const bounded = primitive("channel, bounded", [1, 2]);
export const unbounded = primitive("channel, unbounded", [2], true);

export const batch: Primitive = {
  name: "channel, batches",
  *cases() {
    for (const capacity of [0, 2]) {
      const setup = [op("channel_init", 0, capacity)];
      const rules = rulesFor(capacity, true);
      yield* sweep(rules, [sendTwo, receive, receiveTwo], 3, 2, { setup, cancels: 1 });
      yield single(
        rules,
        [
          [sendThree, sendTwo, send],
          [receive, receiveTwo, receive],
          [receiveTwo, receive, close],
        ],
        { setup },
      );
      yield single(rules, [[until(10, sendThree)], [receive, close], [sendTwo]], {
        setup,
        cancels: 1,
      });
    }
  },
};

//! Select: an arm has its effect if and only if its index is returned.

import { ARM_SOURCE, ERRNO } from "../../../ts/abi.gen.ts";
import { type Primitive, type Rules, single, sweep } from "../case.ts";
import type { Call, History } from "../history.ts";
import { arm, FRESH, type Op, op, until } from "../operations.ts";

const on = (...arms: readonly number[]): Op => op("select", ...arms);
const attempt = (...arms: readonly number[]): Op => op("select_try", ...arms);

/** What a select's winner was, and where; nothing when there is none. */
interface Won {
  readonly source: number;
  readonly which: number;
  readonly number: number;
  readonly result: number;
  readonly item: number;
}

function won(call: Call): Won | undefined {
  if (!call.ok || !call.name.startsWith("select")) return undefined;
  const word = [call.op.a, call.op.b, call.op.c][call.result]!;
  return {
    source: word & 255,
    which: (word >> 8) & 255,
    number: word >> 16,
    result: call.value,
    item: call.items[0]!,
  };
}

/** What calls and arms have put into a channel, and taken out. */
function flow(h: History, channel: number): { in: number[]; out: number[] } {
  const flowed = { in: [] as number[], out: [] as number[] };
  for (const call of h.calls) {
    const { name, a, b } = call.op;
    if (name === "send" && a === channel && call.ok) flowed.in.push(b);
    if (name === "receive" && a === channel && call.ok) flowed.out.push(call.value);
    const winner = won(call);
    if (winner === undefined || winner.which !== channel || winner.result < 0) continue;
    if (winner.source === ARM_SOURCE.SEND) flowed.in.push(winner.number);
    if (winner.source === ARM_SOURCE.RECEIVE) flowed.out.push(winner.item);
  }
  return flowed;
}

function itemsConserved(h: History): string | undefined {
  for (let channel = 0; channel < 2; channel++) {
    if (!h.case.setup.some((each) => each.name === "channel_init" && each.a === channel)) continue;
    const items = flow(h, channel);
    const inside = h.machine.ask(op("channel_count", channel));
    const wrong = items.out.find((item) => !items.in.includes(item));
    if (wrong !== undefined) return `channel ${channel} gave ${wrong}, which it was not given`;
    if (new Set(items.out).size !== items.out.length) return `channel ${channel} gave ${items.out}`;
    if (items.in.length !== items.out.length + inside) {
      return `channel ${channel} was given ${items.in} and gave ${items.out}, ${inside} inside`;
    }
  }
  return undefined;
}

function permitsConserved(h: History): string | undefined {
  for (const { name, a, b } of h.case.setup) {
    if (name !== "semaphore_init") continue;
    let permits = b;
    for (const call of h.calls) {
      if (call.name === "release" && call.op.a === a && call.ended) permits += call.op.b;
      if (call.name === "acquire" && call.op.a === a && call.ok) permits -= call.op.b;
      const winner = won(call);
      if (winner?.source === ARM_SOURCE.SEMAPHORE && winner.which === a) permits -= winner.number;
    }
    const free = h.machine.ask(op("semaphore_permits", a));
    if (permits !== free) return `semaphore ${a}: ${permits} permits are left, ${free} are free`;
  }
  return undefined;
}

/** An automatic event: every set lets one through, or stays. */
function setsConserved(h: History): string | undefined {
  if (!h.case.setup.some((each) => each.name === "event_init" && each.b === 1)) return undefined;
  const passed = h.calls.filter(
    (call) => (call.name === "event_wait" && call.ok) || won(call)?.source === ARM_SOURCE.EVENT,
  ).length;
  const left = h.machine.ask(op("event_is_set"));
  const sets = h.named("event_set").length;
  if (passed + left > sets) return `${passed} passed and ${left} is left of ${sets} sets`;
  // A set is one with the one before it when nobody has passed between them.
  if (sets > 0 && passed + left === 0) return `${sets} sets let nobody through`;
  return undefined;
}

function ready(h: History, word: number): boolean {
  const which = (word >> 8) & 255;
  const ask = (name: string): number => h.machine.ask(op(name, which));
  switch (word & 255) {
    case ARM_SOURCE.RECEIVE:
      return ask("channel_count") > 0 || h.named("close").some((call) => call.op.a === which);
    case ARM_SOURCE.SEND:
      return (
        ask("channel_count") < h.case.setup.find((each) => each.name === "channel_init")!.b ||
        h.named("close").some((call) => call.op.a === which)
      );
    case ARM_SOURCE.SEMAPHORE:
      return h.named("select", "acquire").find((call) => call.waiting && wants(call, which) > 0) ===
        undefined
        ? ask("semaphore_permits") >= word >> 16
        : firstWants(h, which) <= ask("semaphore_permits");
    case ARM_SOURCE.EVENT:
      return ask("event_is_set") === 1;
    case ARM_SOURCE.OPERATION:
      return h.machine.inFlight.length === 0;
    case ARM_SOURCE.FUTURE:
      return h.named("future_set", "future_close").length > 0;
    case ARM_SOURCE.LATCH:
      return h.named("latch_add").length > 0;
    case ARM_SOURCE.TIMEOUT:
      return !h.machine.timerArmed;
    default:
      return false;
  }
}

/** How many permits of a semaphore a call wants first; 0: none. */
function wants(call: Call, which: number): number {
  if (call.name === "acquire") return call.op.a === which ? call.op.b : 0;
  const word = [call.op.a, call.op.b, call.op.c].find(
    (each) => (each & 255) === ARM_SOURCE.SEMAPHORE && ((each >> 8) & 255) === which,
  );
  return word === undefined ? 0 : word >> 16;
}

function firstWants(h: History, which: number): number {
  return wants(h.calls.find((call) => call.waiting && wants(call, which) > 0)!, which);
}

function counterpartWaits(h: History, call: Call): boolean {
  const senders = h.calls.filter((each) => each.waiting && offers(each, "send", ARM_SOURCE.SEND));
  const receivers = h.calls.filter(
    (each) => each.waiting && offers(each, "receive", ARM_SOURCE.RECEIVE),
  );
  const capacity = h.case.setup.find((each) => each.name === "channel_init")?.b ?? 0;
  return (
    capacity === 0 &&
    receivers.some((receiver) =>
      senders.some(
        (sender) =>
          (sender === call || receiver === call) && sender !== receiver && share(sender, receiver),
      ),
    )
  );
}

function offers(call: Call, name: string, source: number): boolean {
  return (
    call.name === name || [call.op.a, call.op.b, call.op.c].some((word) => (word & 255) === source)
  );
}

function channels(call: Call, name: string, source: number): number[] {
  if (call.name === name) return [call.op.a];
  if (!call.name.startsWith("select")) return [];
  return [call.op.a, call.op.b, call.op.c]
    .filter((word) => (word & 255) === source)
    .map((word) => (word >> 8) & 255);
}

function share(sender: Call, receiver: Call): boolean {
  const from = channels(sender, "send", ARM_SOURCE.SEND);
  return channels(receiver, "receive", ARM_SOURCE.RECEIVE).some((channel) =>
    from.includes(channel),
  );
}

/** One winner: the item, permit or set of another arm is still there. */
const rules: Rules = {
  laws: {
    "an item is taken, or sent, by the winner alone": itemsConserved,
    "a permit is taken by the winner alone": permitsConserved,
    "a set is taken by the winner alone": setsConserved,
    "the winner has a result": (h) => {
      const call = h.calls.find((each) => won(each)?.result === -ERRNO.EAGAIN);
      return call && `${call}: its arm gave EAGAIN`;
    },
  },
  mayWait: (call, h) => {
    if (counterpartWaits(h, call)) return false;
    const { name, a, b, c } = call.op;
    if (name === "select") return ![a, b, c].some((word) => word !== 0 && ready(h, word));
    if (name === "receive") return !ready(h, arm("RECEIVE", a));
    if (name === "send") return !ready(h, arm("SEND", a));
    if (name === "acquire") return firstWants(h, a) > h.machine.ask(op("semaphore_permits", a));
    return name === "event_wait" && !ready(h, arm("EVENT", a));
  },
};

const receiveEither = on(arm("RECEIVE", 0), arm("RECEIVE", 1));
const sendEither = on(arm("SEND", 0, 501), arm("SEND", 1, 502));
const sendOther = on(arm("SEND", 1, 503), arm("SEND", 0, 504));
const both = on(arm("SEND", 0, 505), arm("RECEIVE", 1));
const send = op("send", 0, FRESH);
const receive = op("receive", 0);
const close = op("close", 0);

export const select: Primitive = {
  name: "select",
  *cases() {
    for (const capacity of [0, 1]) {
      const setup = [op("channel_init", 0, capacity), op("channel_init", 1, capacity)];
      yield* sweep(rules, [receiveEither, send, op("send", 1, FRESH)], 3, 2, { setup });
      yield single(rules, [[receiveEither, receiveEither], [sendEither], [sendOther]], {
        setup,
        cancels: 1,
      });
      yield single(rules, [[both], [receive], [op("send", 1, FRESH)], [until(10, receiveEither)]], {
        setup,
        cancels: 1,
      });
      yield single(rules, [[receiveEither, receiveEither], [send, close], [until(10, send)]], {
        setup,
        cancels: 1,
      });
      yield single(rules, [[on(arm("RECEIVE"), arm("TIMEOUT", 0, 10))], [send], [receive]], {
        setup,
        cancels: 1,
      });
      yield* sweep(rules, [receiveEither, send], 3, 3, { setup });
      yield single(rules, [[attempt(arm("RECEIVE"), arm("SEND", 1, 506))], [send], [receive]], {
        setup,
      });
    }
    const semaphores = [op("semaphore_init", 0, 1), op("semaphore_init", 1, 1)];
    const manyOrOne = on(arm("SEMAPHORE", 0, 2), arm("SEMAPHORE", 0, 1), arm("SEMAPHORE", 1, 2));
    const crosswise = [
      on(arm("SEMAPHORE", 0, 2), arm("SEMAPHORE", 1, 1)),
      on(arm("SEMAPHORE", 1, 2), arm("SEMAPHORE", 0, 1)),
    ];
    const acquire = op("acquire", 0, 3);
    yield single(rules, [[manyOrOne], [acquire], [op("release", 0, 1)]], {
      setup: semaphores,
      cancels: 2,
    });
    yield single(rules, [[crosswise[0]!], [crosswise[1]!], [acquire], [op("acquire", 1, 3)]], {
      setup: semaphores,
      cancels: 2,
    });
    const event = [op("event_init", 0, 1), op("semaphore_init", 0, 0)];
    yield* sweep(
      rules,
      [on(arm("EVENT"), arm("SEMAPHORE", 0, 1)), op("event_set"), op("release", 0, 1)],
      3,
      2,
      { setup: event, cancels: 1 },
    );
    yield* sweep(rules, [on(arm("EVENT"), arm("TIMEOUT", 0, 10)), op("event_set")], 3, 2, {
      setup: event,
    });
  },
};

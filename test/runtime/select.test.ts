import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Arm, timeout } from "../../ts/runtime/arm.ts";
import type { Channel } from "../../ts/runtime/channel.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import type { FairTurn } from "../../ts/runtime/select.ts";
import type { TaskResult } from "../../ts/runtime/task.ts";
import { sharedGuest, stateOf, turns } from "../support/shared-guest.ts";

const { calls, open, run } = sharedGuest();

const NEVER = new Promise<never>(() => {});

describe("each kind of arm gives its value under its key", () => {
  test("an item, a send, an event, a permit", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ item: "i64", capacity: 1 });
      const event = runtime.event();
      const semaphore = runtime.semaphore(1);
      const arms = {
        item: channel.onReceive(),
        event: event.onWait(),
      };
      expect(await runtime.select({ sent: channel.onSend(5n), ...arms })).toEqual({
        key: "sent",
        value: undefined,
      });
      expect(await runtime.select(arms)).toEqual({ key: "item", value: 5n });
      event.set();
      expect(await runtime.select(arms)).toEqual({ key: "event", value: undefined });
      const won = await runtime.select([channel.onReceive(), semaphore.onAcquire()]);
      expect([won.key, semaphore.permits]).toEqual([1, 0]);
      if (won.key === 1) won.value.release();
      expect(semaphore.permits).toBe(1);
    });
  });

  test("a task, a group, a promise, a signal, a timeout", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel();
      const job = channel.onReceive();
      const task = runtime.spawn("result", [7]);
      expect(await runtime.select({ job, task })).toEqual({ key: "task", value: 7 });
      expect(await runtime.select({ job, task })).toEqual({ key: "task", value: 7 });
      const group = runtime.group();
      const member = group.spawn("result", [8]);
      expect(await runtime.select({ job, group: group.onWait() })).toEqual({
        key: "group",
        value: undefined,
      });
      expect(member.result).toBe(8);
      expect(await runtime.select({ job, text: Promise.resolve("x") })).toEqual({
        key: "text",
        value: "x",
      });
      const controller = new AbortController();
      const selected = runtime.select({ job, stop: controller.signal });
      controller.abort("why");
      expect(await selected).toEqual({ key: "stop", value: "why" });
      expect(await runtime.select([job, timeout(1)])).toEqual({ key: 1, value: undefined });
      // None of them has taken what comes now.
      await channel.send(9);
      expect(await runtime.select({ job })).toEqual({ key: "job", value: 9 });
    });
  });

  test("the types of the values follow the keys", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ item: 3 });
      await channel.send(Uint8Array.of(1, 2, 3));
      await using task = runtime.spawn("result", [1]);
      const won = await runtime.select({
        bytes: channel.onReceive(),
        number: NEVER as Promise<number>,
        task,
      });
      const typed: Uint8Array | undefined | number | TaskResult = won.value;
      if (won.key === "bytes") {
        const bytes: Uint8Array | undefined = won.value;
        expect([...bytes!]).toEqual([1, 2, 3]);
      }
      expect(typed).toBeDefined();
    });
  });
});

describe("of those that are ready at the call the first counts", () => {
  // Every order of two kinds: the core's and the host's are tried in one line.
  const kinds = ["item", "permit", "zero timeout", "task", "group", "aborted"] as const;
  type Kind = (typeof kinds)[number];
  const orders = kinds.flatMap((a) => kinds.filter((b) => b !== a).map((b) => [a, b] as const));

  test.each(orders)("%s before %s", async (first, second) => {
    await run(async (runtime) => {
      const channel = runtime.channel();
      await channel.send(1);
      const semaphore = runtime.semaphore(1);
      const task = runtime.spawn("result", [1]);
      await task;
      const ready: Record<Kind, Arm<unknown> | PromiseLike<unknown> | AbortSignal> = {
        item: channel.onReceive(),
        permit: semaphore.onAcquire(),
        "zero timeout": timeout(0),
        task,
        group: runtime.group().onWait(),
        aborted: AbortSignal.abort(),
      };
      const never = runtime.channel().onReceive();
      expect((await runtime.select([never, ready[first], never, ready[second]])).key).toBe(1);
      const takenBy = (kind: Kind): number => Number(first === kind);
      expect(channel.count).toBe(1 - takenBy("item"));
      expect(semaphore.permits).toBe(1 - takenBy("permit"));
    });
  });

  test("a promise that has settled counts only when nothing else is ready", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel();
      await channel.send(1);
      const settled = Promise.resolve(2);
      expect((await runtime.select({ settled, item: channel.onReceive() })).key).toBe("item");
      expect((await runtime.select({ settled, item: channel.onReceive() })).key).toBe("settled");
    });
  });

  test("fair: the arm after the last winner", async () => {
    await run(async (runtime) => {
      const channels = [0, 1, 2].map(() => runtime.channel({ capacity: 30 }));
      for (const channel of channels) for (let i = 0; i < 30; i++) await channel.send(i);
      const fair: FairTurn = { next: 0 };
      const arms = channels.map((channel) => channel.onReceive());
      const keys: unknown[] = [];
      for (let i = 0; i < 9; i++) keys.push((await runtime.select(arms, { fair })).key);
      expect(keys).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
      const unfair: unknown[] = [];
      for (let i = 0; i < 3; i++) unfair.push((await runtime.select(arms)).key);
      expect(unfair).toEqual([0, 0, 0]);
    });
  });

  test.each([-1, 3, 1e9, Number.NaN])("a turn of %d starts at the first", async (next) => {
    await run(async (runtime) => {
      const arms = { a: timeout(0), b: timeout(0), c: timeout(0) };
      expect((await runtime.select(arms, { fair: { next } })).key).toBe("a");
    });
  });
});

describe("what fails", () => {
  test("the winner's error is thrown: a closed channel, a task, a promise", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ capacity: 0 });
      const sent = runtime.select({ sent: channel.onSend(1) });
      channel.close();
      await expect(sent).rejects.toMatchObject({ code: "SF_CLOSED" });
      expect(await runtime.select({ item: channel.onReceive() })).toEqual({
        key: "item",
        value: undefined,
      });
      const task = runtime.spawn("trap");
      await expect(runtime.select({ task })).rejects.toMatchObject({ code: "SF_TRAP" });
      const error = new Error("no");
      await expect(runtime.select([Promise.reject(error)])).rejects.toBe(error);
    });
  });

  test("an item that does not fit is an error before anything is waited for", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ item: 4 });
      expect(() => channel.onSend(Uint8Array.of(1))).toThrow(RangeError);
      const wide = runtime.channel({ item: "i64" });
      const arms = [wide.onSend("x" as never), timeout(0)];
      await expect(runtime.select(arms)).rejects.toThrow(SyntaxError);
      expect(wide.count).toBe(0);
    });
  });

  test.each([-1, Number.NaN])("a timeout of %d is a RangeError", (ms) => {
    expect(() => timeout(ms)).toThrow(RangeError);
  });

  test("the runtime's end: SF_DISPOSED, for selects of the host's arms too", async () => {
    const runtime = await open();
    const channel = runtime.channel({ capacity: 0 });
    const selects = [
      runtime.select([channel.onReceive(), channel.onSend(1)]),
      runtime.select({ never: NEVER }),
      runtime.select({ forever: timeout(Number.POSITIVE_INFINITY) }),
      runtime.select([]),
    ];
    const ends = Promise.allSettled(selects);
    await runtime[Symbol.asyncDispose]();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "SF_DISPOSED" } });
    }
    await expect(runtime.select([timeout(0)])).rejects.toMatchObject({ code: "SF_DISPOSED" });
  });
});

describe("an abort", () => {
  const reason = new Error("enough");

  test("takes every arm out", async () => {
    await run(async (runtime) => {
      const [a, b] = [runtime.channel({ capacity: 0 }), runtime.channel({ capacity: 0 })];
      const event = runtime.event({ automatic: true });
      const controller = new AbortController();
      const arms = [a.onReceive(), b.onSend(1), event.onWait(), timeout(1e9), NEVER] as const;
      const selected = runtime.select(arms, { signal: controller.signal });
      controller.abort(reason);
      await expect(selected).rejects.toBe(reason);
      event.set();
      expect([event.isSet, a.trySend(1), b.tryReceive()]).toEqual([true, false, undefined]);
    });
  });

  test("counts for nothing when an arm is ready at the call", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel();
      const signal = AbortSignal.abort(reason);
      expect((await runtime.select([channel.onSend(1)], { signal })).key).toBe(0);
      const full = runtime.channel({ capacity: 0 });
      await expect(runtime.select([full.onSend(1)], { signal })).rejects.toBe(reason);
    });
  });

  test("is too late in the run in which an arm was served", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ capacity: 0 });
      const controller = new AbortController();
      const { signal } = controller;
      const selected = runtime.select({ item: channel.onReceive(), stop: signal }, { signal });
      calls.on = () => controller.abort(reason);
      expect(await runtime.spawn("try_send_then_call", [channel.address, 3, 0])).toBe(1);
      expect(await selected).toEqual({ key: "item", value: 3 });
    });
  });

  test("that comes first leaves the item with its sender", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ capacity: 0 });
      const controller = new AbortController();
      const selected = runtime.select([channel.onReceive()], { signal: controller.signal });
      selected.catch(() => {});
      const sender = runtime.spawn("try_send_then_call", [channel.address, 3, 0]);
      controller.abort(reason);
      expect(await sender).toBe(0);
      await expect(selected).rejects.toBe(reason);
    });
  });
});

test("a guest's arm that was served goes before a task that ended in the same run", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 0 });
    const task = runtime.spawn("try_send_then_call", [channel.address, 4, 0]);
    calls.on = () => {};
    const won = await runtime.select({ task, item: channel.onReceive() });
    expect(won).toEqual({ key: "item", value: 4 });
    expect(await task).toBe(1);
  });
});

test("two requests for one semaphore: when another arm wins, neither takes a permit", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(0);
    const event = runtime.event();
    const arms = {
      five: semaphore.onAcquire(5),
      one: semaphore.onAcquire(),
      event: event.onWait(),
    };
    const selected = runtime.select(arms);
    const behind = semaphore.acquire();
    semaphore.release();
    expect(await stateOf(selected)).toBe("pending");
    event.set();
    expect((await selected).key).toBe("event");
    (await behind).release();
    expect(semaphore.permits).toBe(1);

    const controller = new AbortController();
    const taken = await semaphore.acquire();
    const aborted = runtime.select([arms.five, arms.one], { signal: controller.signal });
    aborted.catch(() => {});
    taken.release();
    controller.abort();
    await expect(aborted).rejects.toThrow();
    expect(semaphore.permits).toBe(1);
  });
});

test("two arms of one channel are not served by each other", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 0 });
    const arms = { sent: channel.onSend(1), item: channel.onReceive() };
    const selects = [runtime.select(arms), runtime.select(arms)];
    const keys = (await Promise.all(selects)).map(({ key }) => key).sort();
    expect(keys).toEqual(["item", "sent"]);
  });
});

test("an arm can be used again, and in several selects at once", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 0 });
    const item = channel.onReceive();
    const selects = [runtime.select({ item }), runtime.select({ item })];
    await channel.send(1);
    await channel.send(2);
    expect((await Promise.all(selects)).map(({ value }) => value)).toEqual([1, 2]);
  });
});

test("10,000 selects of every kind leave no memory behind", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 1 });
    const event = runtime.event();
    const task = runtime.spawn("event_wait", [event.address]);
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const controller = new AbortController();
        const { signal } = controller;
        const arms = { item: channel.onReceive(), task, event: event.onWait(), stop: signal };
        const served = runtime.select({ ...arms, late: timeout(1e6) });
        const stopped = runtime.select(arms);
        const aborted = runtime.select({ item: arms.item }, { signal });
        await channel.send(i);
        controller.abort();
        await Promise.allSettled([served, stopped, aborted]);
        await expect(aborted).rejects.toThrow();
        await runtime.select({ sent: channel.onSend(1) });
        await runtime.select({ failed: Promise.reject(new Error("no")), ...arms });
      }
    };
    await round(10);
    const { regionsBytes } = runtime.stats;
    await round(2_000);
    expect(runtime.stats.regionsBytes).toBe(regionsBytes);
    event.set();
    await task;
  });
});

// Goal: whatever host and guest do with the channels they share, each item that was sent is received
// once, and one that was not sent never.
// Method: random operations on two channels: plain calls and selects on both sides, each with an item
// of its own, canceled or not, some from inside a run of the guest. At the end everybody gives up, the
// channels are emptied, and the books must balance.
describe("items are conserved", () => {
  const channel = fc.nat(1);
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("hostSend"), channel }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("hostReceive"), channel }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("hostSelect"), channel }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("guestSend"), channel }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("guestReceive"), channel }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("guestSelect"), channel }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("hostTry"), channel }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("abortIn"), channel, which: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("abort"), channel, which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("turn"), channel }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("microtask"), channel }) },
  );
  type Act = { readonly kind: string; readonly channel: number; readonly which?: number };

  class Books {
    readonly #runtime: Runtime;
    readonly #channels: readonly Channel<number>[];
    readonly #sent = new Set<number>();
    readonly #received: number[] = [];
    readonly #aborts: (() => void)[] = [];
    readonly #ends: Promise<unknown>[] = [];
    #nextItem = 0;

    constructor(runtime: Runtime, channels: readonly Channel<number>[]) {
      this.#runtime = runtime;
      this.#channels = channels;
    }

    async perform({ kind, channel, which }: Act): Promise<void> {
      const own = this.#channels[channel]!;
      const other = this.#channels[1 - channel]!;
      const item = this.#nextItem;
      this.#nextItem += 3;
      const sent = (count: number): void => {
        for (let i = 0; i < count; i++) this.#sent.add(item + i);
      };
      switch (kind) {
        case "hostSend":
          return this.#host((signal) => own.send(item, { signal }).then(() => sent(1)));
        case "hostReceive":
          return this.#host((signal) => own.receive({ signal }).then((got) => this.#take(got)));
        case "hostSelect":
          return this.#host(async (signal) => {
            const arms = {
              sent: own.onSend(item),
              got: other.onReceive(),
              late: new Promise((resolve) => this.#aborts.push(() => resolve(0))),
            };
            const won = await this.#runtime.select(arms, { signal });
            if (won.key === "sent") sent(1);
            if (won.key === "got") this.#take(won.value);
          });
        case "hostTry":
          if (own.trySend(item)) sent(1);
          this.#take(other.tryReceive());
          return;
        case "guestSend":
          return this.#guest("send_range", [own.address, item, 3], sent);
        case "guestReceive":
          return this.#guest("receive_range", [own.address, 3], () => {});
        case "guestSelect":
          return this.#guest("send_or_receive", [own.address, other.address, item], (which) =>
            sent(which === 1 ? 1 : 0),
          );
        case "abortIn": {
          const [entry, args] =
            which! % 2 === 0
              ? ["try_send_then_call", [own.address, item, which!]]
              : ["try_receive_then_call", [own.address, which!]];
          const count = entry === "try_send_then_call" ? sent : (): void => {};
          return this.#guest(entry as string, args as number[], count);
        }
        case "abort":
          return this.abort(which!);
        case "turn":
          return turns(1);
        default:
          await undefined;
      }
    }

    abort(which: number): void {
      this.#aborts[which % this.#aborts.length]?.();
    }

    async balance(received: Uint8Array): Promise<void> {
      await turns(2);
      for (const abort of this.#aborts) abort();
      await Promise.all(this.#ends);
      for (const channel of this.#channels) {
        for (let got = channel.tryReceive(); got !== undefined; got = channel.tryReceive()) {
          this.#take(got);
        }
      }
      const counts = new Array<number>(this.#nextItem).fill(0);
      for (const item of this.#received) counts[item]!++;
      received.subarray(0, this.#nextItem).forEach((count, item) => {
        counts[item]! += count;
      });
      const expected = counts.map((_, item) => (this.#sent.has(item) ? 1 : 0));
      expect(counts).toEqual(expected);
    }

    #take(item: number | undefined): void {
      if (item !== undefined) this.#received.push(item);
    }

    #host(start: (signal: AbortSignal) => Promise<unknown>): void {
      const controller = new AbortController();
      this.#aborts.push(() => controller.abort());
      this.#ends.push(start(controller.signal).catch(() => {}));
    }

    #guest(entry: string, args: number[], ended: (result: number) => void): void {
      const task = this.#runtime.spawn(entry, args, { stackBytes: 2_048 });
      this.#aborts.push(() => task.cancel());
      this.#ends.push(task.then((result) => ended(result as number)));
    }
  }

  test.each([
    ["rendezvous", { capacity: 0 }],
    ["one item", { capacity: 1 }],
    ["three items", { capacity: 3 }],
    ["growing", { limit: 2 }],
  ])("in channels of: %s", async (_, options) => {
    await run(async (runtime) => {
      const address = (await runtime.spawn("received_address")) as number;
      const property = fc.asyncProperty(
        fc.array(act, { minLength: 5, maxLength: 60 }),
        async (acts: readonly Act[]) => {
          const { buffer } = runtime.memory;
          new Uint8Array(buffer, address, 65_536).fill(0);
          const books = new Books(runtime, [runtime.channel(options), runtime.channel(options)]);
          calls.on = (which) => books.abort(which);
          for (const one of acts) await books.perform(one);
          await books.balance(new Uint8Array(runtime.memory.buffer, address, 65_536));
        },
      );
      await fc.assert(property, { numRuns: 150 });
    });
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import type { ItemType } from "../../ts/runtime/item.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime, withRuntime } from "../support/runtime.ts";

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("exports", { asyncImports: ["env.wait"] });
});

let onCall: (value: number) => void = () => {};
const imports = {
  env: {
    wait: (value: number): number => value,
    wait64: (value: bigint): bigint => value,
    wait_f64: (value: number): number => value,
    wait_void: (): void => {},
    call: (value: number): number => {
      onCall(value);
      return value;
    },
  },
};
const run = (body: (runtime: Runtime) => Promise<void>): Promise<void> =>
  withRuntime(guest, { imports }, body);

const VALUES: readonly (readonly [ItemType, readonly unknown[]])[] = [
  ["i32", [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]],
  ["u32", [0, 1, 2 ** 31, 2 ** 32 - 1]],
  ["i64", [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  ["f64", [0, -0.5, 1e300, Number.NaN, Number.NEGATIVE_INFINITY]],
  [1, [Uint8Array.of(0), Uint8Array.of(255)]],
  [7, [Uint8Array.of(1, 2, 3, 4, 5, 6, 7)]],
  [200, [new Uint8Array(200).map((_, index) => index)]],
];

describe.each(VALUES)("items of type %s", (item, values) => {
  test.each([0, 1, 16])("go to the guest and come back, capacity %i", async (capacity) => {
    await run(async (runtime) => {
      const there = runtime.channel({ item, capacity });
      const back = runtime.channel({ item, capacity });
      const echo = runtime.spawn("echo", [there.address, back.address]);
      for (const value of values) {
        await there.send(value as number);
        expect(await back.receive()).toEqual(value);
      }
      there.close();
      expect(await back.receive()).toBe(undefined);
      expect(await echo).toBe(values.length);
    });
  });
});

test("a host's channel joins two ends on the host's side alone", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 2 });
    const sent = [1, 2, 3, 4].map((value) => channel.send(value));
    expect(channel.count).toBe(2);
    for (const value of [1, 2, 3, 4]) expect(await channel.receive()).toBe(value);
    await Promise.all(sent);
    expect(channel.count).toBe(0);
  });
});

test("for await takes what the guest sends until it is closed", async () => {
  await run(async (runtime) => {
    const there = runtime.channel({ capacity: 3 });
    const back = runtime.channel({ capacity: 3 });
    const echo = runtime.spawn("echo", [there.address, back.address]);
    const source = runtime.spawn("send_range", [there.address, 10, 100]);
    void source.then(() => there.close());
    const items: unknown[] = [];
    for await (const value of back) items.push(value);
    expect(items).toEqual(Array.from({ length: 100 }, (_, index) => index + 10));
    expect(await echo).toBe(100);
  });
});

test("many senders on the host and receivers in the guest lose nothing", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 1 });
    const receivers = [1, 2, 3].map(() => runtime.spawn("receive_sum", [channel.address]));
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => channel.send(index)));
    channel.close();
    const sums = (await Promise.all(receivers)) as number[];
    expect(sums.reduce((sum, part) => sum + part, 0)).toBe((999 * 1_000) / 2);
  });
});

test("close lets the buffered items out, then undefined; send is SF_CLOSED", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 4 });
    await channel.send(1);
    await channel.send(2);
    channel.close();
    channel.close();
    await expect(channel.send(3)).rejects.toMatchObject({ code: "SF_CLOSED" });
    expect([await channel.receive(), await channel.receive()]).toEqual([1, 2]);
    expect(await channel.receive()).toBe(undefined);
  });
});

test("an immediate close drops what is buffered", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 4 });
    await channel.send(1);
    channel.close({ immediate: true });
    expect(await channel.receive()).toBe(undefined);
  });
});

test("close wakes the host's waiting senders and receivers", async () => {
  await run(async (runtime) => {
    const empty = runtime.channel({ capacity: 0 });
    const full = runtime.channel({ capacity: 0 });
    const received = empty.receive();
    const sent = full.send(1);
    empty.close();
    full.close();
    expect(await received).toBe(undefined);
    await expect(sent).rejects.toMatchObject({ code: "SF_CLOSED" });
  });
});

test("an abort ends the wait with its reason, and the next waiter is served", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 0 });
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = channel.receive({ signal });
    const next = channel.receive();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(channel.receive({ signal })).rejects.toBe(reason);
    await channel.send(5);
    expect(await next).toBe(5);
    const sending = channel.send(6, { signal: AbortSignal.abort(reason) });
    await expect(sending).rejects.toBe(reason);
    expect(channel.count).toBe(0);
  });
});

test("an item that was handed over before the abort is received, and the channel stays whole", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 0 });
    const controller = new AbortController();
    const received = channel.receive({ signal: controller.signal });
    const next = channel.receive();
    // The import is called in the turn in which the guest has served the receiver.
    onCall = () => controller.abort(new Error("too late"));
    expect(await runtime.spawn("send_then_call", [channel.address, 41])).toBe(0);
    onCall = () => {};
    expect(await received).toBe(41);
    await runtime.spawn("send_range", [channel.address, 42, 1]);
    expect(await next).toBe(42);
    channel.close();
  });
}, 10_000);

test("trySend and tryReceive take what needs no waiting, and nothing else", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ capacity: 1 });
    expect([channel.trySend(1), channel.trySend(2), channel.count]).toEqual([true, false, 1]);
    expect([channel.tryReceive(), channel.tryReceive()]).toEqual([1, undefined]);
    const waiting = channel.receive();
    expect([channel.trySend(3), channel.count]).toEqual([true, 0]);
    expect(await waiting).toBe(3);
    const guest = runtime.spawn("send_range", [channel.address, 4, 2]);
    while (channel.count === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([channel.tryReceive(), channel.tryReceive()]).toEqual([4, 5]);
    expect(await guest).toBe(2);
    channel.close();
    expect(() => channel.trySend(6)).toThrow(expect.objectContaining({ code: "SF_CLOSED" }));
    expect(channel.tryReceive()).toBe(undefined);
  });
});

test("a channel with a limit grows up to it, then senders wait", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ limit: 1_000, item: "i64" });
    const sent = Array.from({ length: 1_001 }, (_, index) => channel.send(BigInt(index)));
    await Promise.all(sent.slice(0, 1_000));
    expect([channel.count, channel.capacity, channel.trySend(0n)]).toEqual([1_000, 1_000, false]);
    for (let i = 0n; i < 1_001n; i++) expect(await channel.receive()).toBe(i);
    await sent.at(-1);
  });
});

test("using and await using close a channel", async () => {
  await run(async (runtime) => {
    const channels = [runtime.channel(), runtime.channel()];
    {
      using first = channels[0]!;
      await using second = channels[1]!;
      expect([first.trySend(1), second.trySend(2)]).toEqual([true, true]);
    }
    for (const channel of channels) {
      expect(() => channel.trySend(3)).toThrow(/closed/);
      expect(await channel.receive()).toBeDefined();
      expect(await channel.receive()).toBe(undefined);
    }
  });
});

test("bytes of another length are a RangeError, and nothing is sent", async () => {
  await run(async (runtime) => {
    const channel = runtime.channel({ item: 4 });
    await expect(channel.send(Uint8Array.of(1, 2, 3))).rejects.toThrow(RangeError);
    await expect(channel.send(5 as never)).rejects.toThrow(RangeError);
    expect(channel.count).toBe(0);
  });
});

test.each([
  { capacity: -1 },
  { capacity: 1.5 },
  { limit: 0 },
  { limit: -1 },
  { limit: 2 ** 31 },
  { limit: 1, capacity: 1 },
  { item: 0 },
  { item: -1 },
  { item: 1.5 },
])("options out of range are a RangeError: %o", async (options) => {
  await run(async (runtime) => {
    expect(() => runtime.channel(options)).toThrow(RangeError);
  });
});

test.each([2 ** 21, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 40])(
  "a channel of %d items, which does not fit, is an error",
  async (capacity) => {
    await run(async (runtime) => {
      expect(() => runtime.channel({ capacity })).toThrow(/./);
      expect(runtime.channel({ capacity: 4 }).count).toBe(0);
    });
  },
);

test("waiters of a runtime that ends are closed, and a wait after the end does not hang", async () => {
  const runtime = await openRuntime(guest, { imports });
  const channel = runtime.channel({ capacity: 0 });
  const received = channel.receive();
  const sent = runtime.channel({ capacity: 0 }).send(1);
  await Promise.all([
    runtime[Symbol.asyncDispose](),
    expect(sent).rejects.toMatchObject({ code: "SF_CLOSED" }),
  ]);
  expect(await received).toBe(undefined);
  const after = channel.receive().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([
    after,
    new Promise((resolve) => setImmediate(resolve, "hangs")),
  ]);
  expect(outcome).not.toBe("hangs");
});

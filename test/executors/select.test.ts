import { beforeAll, describe, expect, test } from "vitest";
import { Arena } from "../../ts/channels/arena.ts";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import { SharedChannel } from "../../ts/executors/shared-channel.ts";
import { type HostArm, LOST, timeout } from "../../ts/runtime/arm.ts";
import { ItemCodec } from "../../ts/runtime/item.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { openPool } from "./pools.ts";

const load = guestOfFile("shared-channels");
const NEVER = new Promise<never>(() => {});
const ITEMS = 300;

let pool: ExecutorPool;
beforeAll(async () => {
  pool = await openPool(await load());
  return () => pool[Symbol.asyncDispose]();
});

async function withRuntime(body: (runtime: Runtime) => Promise<void>): Promise<void> {
  const imports = { env: { act: () => 0 } };
  await using runtime = await Runtime.create((await load()).wasm, { imports });
  await body(runtime);
}

describe.each(["of a pool", "of a runtime"])("the select %s", (whose) => {
  const run = async (body: (selects: Pick<Runtime, "select">) => Promise<void>): Promise<void> => {
    if (whose === "of a pool") await body(pool);
    else await withRuntime(body);
  };

  test("an arm has its effect if and only if it wins, ready at the call or later", async () => {
    await run(async (selects) => {
      const full = pool.channel({ capacity: 1 });
      const empty = pool.channel({ capacity: 1 });
      await full.send(1);
      const arms = { sent: full.onSend(2), item: full.onReceive(), other: empty.onReceive() };
      expect(await selects.select(arms)).toEqual({ key: "item", value: 1 });
      expect(await selects.select(arms)).toEqual({ key: "sent", value: undefined });
      expect([full.count, empty.count]).toEqual([1, 0]);
      const later = selects.select({ sent: full.onSend(3), other: empty.onReceive() });
      expect(await pool.spawn("send", [empty.id, 9], { on: 1 })).toBe(0);
      expect(await later).toEqual({ key: "other", value: 9 });
      expect([await full.receive(), full.count]).toEqual([2, 0]);
      const sending = selects.select([empty.onReceive(), full.onSend(4)]);
      expect(await sending).toEqual({ key: 1, value: undefined });
      expect(await pool.spawn("receive", [full.id], { on: 0 })).toBe(4);
    });
  });

  test("timeouts, promises, signals and tasks of the pool win against channels that wait", async () => {
    await run(async (selects) => {
      const channel = pool.channel({ capacity: 1 });
      const item = channel.onReceive();
      expect((await selects.select({ item, late: timeout(2) })).key).toBe("late");
      expect((await selects.select({ item, now: timeout(0) })).key).toBe("now");
      const value = Promise.resolve("x");
      expect(await selects.select({ item, value })).toEqual({ key: "value", value: "x" });
      const task = pool.spawn("count");
      expect(await selects.select({ item, task })).toEqual({ key: "task", value: 2 });
      const stop = AbortSignal.abort("why");
      expect(await selects.select({ item, stop })).toEqual({ key: "stop", value: "why" });
      const abort = new AbortController();
      const aborted = selects.select({ item, NEVER }, { signal: abort.signal });
      abort.abort(new Error("aborted on purpose"));
      await expect(aborted).rejects.toThrow("aborted on purpose");
      // None of them has left anything behind that would take it.
      await channel.send(5);
      expect(channel.count).toBe(1);
      expect(await pool.spawn("receive", [channel.id])).toBe(5);
    });
  });

  test("waits of this thread are served in the order of their calls", async () => {
    await run(async (selects) => {
      const channel = pool.channel({ capacity: 1 });
      const receives = [
        channel.receive(),
        selects.select([channel.onReceive(), NEVER]).then((won) => won.value),
        channel.receive(),
        selects.select([NEVER, channel.onReceive()]).then((won) => won.value),
      ];
      expect(channel.tryReceive()).toBe(undefined);
      expect(await pool.spawn("send_range", [channel.id, 0, 4], { on: 1 })).toBe(4);
      expect(await Promise.all(receives)).toEqual([0, 1, 2, 3]);
    });
  });

  test("a closed channel is ready: undefined to receive, SF_CLOSED to send", async () => {
    await run(async (selects) => {
      const channel = pool.channel();
      const waiting = selects.select([channel.onReceive(), NEVER]);
      channel.close();
      expect(await waiting).toEqual({ key: 0, value: undefined });
      const sends = selects.select([channel.onSend(1), NEVER]);
      await expect(sends).rejects.toMatchObject({ code: "SF_CLOSED" });
    });
  });

  test("executors that want the same items get each once, and so does the select", async () => {
    await run(async (selects) => {
      const items = pool.channel({ capacity: 2 });
      const passed = pool.channel({ item: 8, capacity: ITEMS });
      const local = pool.channel();
      const others = [0, 1].map((on) => pool.spawn("pass_on", [items.id, passed.id, on], { on }));
      const sender = pool.spawn("send_range", [items.id, 0, ITEMS], { on: 0 });
      const got: number[] = [];
      const stop = new AbortController();
      const own = (async () => {
        for (;;) {
          const won = await selects.select({
            local: local.onReceive(),
            item: items.onReceive(),
            never: timeout(Number.POSITIVE_INFINITY),
            stop: stop.signal,
          });
          if (won.key === "stop") return;
          got.push(won.value as number);
        }
      })();
      expect(await sender).toBe(ITEMS);
      while (items.count > 0) await pool.tasks();
      for (const task of others) await task.cancelAndWait();
      while (got.length + passed.count < ITEMS) await pool.tasks();
      stop.abort();
      await own;
      for (let left = passed.count; left > 0; left--) {
        const pair = (await passed.receive())!;
        got.push(new DataView(pair.buffer, pair.byteOffset).getInt32(4, true));
      }
      expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: ITEMS }, (_, item) => item));
    });
  });
});

test("a channel's arm and a channel of the guest's race for one select", async () => {
  await withRuntime(async (runtime) => {
    const shared = pool.channel({ capacity: 1 });
    const own = runtime.channel({ capacity: 1 });
    await shared.send(1);
    await own.send(2);
    const both = [own.onReceive(), shared.onReceive()] as const;
    expect(await runtime.select(both)).toEqual({ key: 0, value: 2 });
    expect(shared.count).toBe(1);
    expect(await runtime.select(both)).toEqual({ key: 1, value: 1 });
    const waiting = runtime.select(both);
    own.trySend(3);
    await shared.send(4);
    expect(await waiting).toEqual({ key: 0, value: 3 });
    expect(await shared.receive()).toBe(4);
  });
});

test("the select of a pool takes no arm of a runtime", async () => {
  await withRuntime(async (runtime) => {
    const selected = pool.select([runtime.channel().onReceive(), NEVER]);
    await expect(selected).rejects.toThrow(TypeError);
  });
});

test("when the pool ends, selects on its channels end as their own calls do", async () => {
  const other = await openPool(await load());
  const [channel, full] = [other.channel(), other.channel({ capacity: 1 })];
  await full.send(1);
  const waiting = pool.select([channel.onReceive(), NEVER]);
  const sending = pool.select([full.onSend(1), NEVER]);
  sending.catch(() => {});
  await other[Symbol.asyncDispose]();
  expect(await waiting).toEqual({ key: 0, value: undefined });
  await expect(sending).rejects.toMatchObject({ code: "SF_CLOSED" });
  expect(await pool.select([channel.onReceive(), NEVER])).toEqual({ key: 0, value: undefined });
});

describe("where another thread is faster", () => {
  test("the outcome of an arm is lost, and it is told of the next item", () => {
    const buffer = new SharedArrayBuffer(4096);
    const mine = Arena.create(buffer, 2, 0);
    const ring = mine.open(new Uint8Array(), 2, 4);
    if (typeof ring === "number") throw new Error(`opening failed: ${ring}`);
    const theirs = new Arena(buffer, 1).find(ring.id)!;
    const channel = new SharedChannel<number>(ring, new ItemCodec("i32"), "");
    const arm = channel.onReceive() as HostArm<number | undefined>;
    const bytes = new Uint8Array(4);
    theirs.trySend(Uint8Array.of(7, 0, 0, 0), 0, "forget");
    const outcome = arm.poll()!;
    expect(theirs.tryReceive(bytes, 0, "forget")).toBe(0);
    expect(outcome()).toBe(LOST);
    expect(mine.takeWake()).toBe(false);
    theirs.trySend(Uint8Array.of(8, 0, 0, 0), 0, "forget");
    expect(mine.takeWake()).toBe(true);
    expect(arm.poll()!()).toBe(8);
  });

  test("what else the select waits for goes on, a timeout without a new beginning", async () => {
    await withRuntime(async (runtime) => {
      let beaten = 0;
      const unlucky: HostArm<never> = {
        poll: () => undefined,
        watch: (ready) => {
          const timer = setInterval(() => {
            beaten++;
            ready(() => LOST);
          }, 1);
          return () => clearInterval(timer);
        },
      };
      const channel = runtime.channel({ capacity: 1 });
      const first = runtime.select([channel.onReceive(), unlucky]);
      while (beaten < 3) await new Promise((resolve) => setImmediate(resolve));
      channel.trySend(6);
      expect(await first).toEqual({ key: 0, value: 6 });
      expect((await runtime.select({ unlucky, late: timeout(100) })).key).toBe("late");
    });
  });

  test("an arm that is lost at the call lets the arms behind it be looked at", async () => {
    await withRuntime(async (runtime) => {
      let polls = 0;
      const unlucky: HostArm<never> = {
        poll: () => (polls++ === 0 ? () => LOST : undefined),
        watch: () => () => {},
      };
      const event = runtime.event();
      event.set();
      expect((await runtime.select({ unlucky, event: event.onWait() })).key).toBe("event");
      expect(polls).toBe(2);
    });
  });
});

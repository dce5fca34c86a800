import { beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { Arena } from "../../ts/channels/arena.ts";
import { lock } from "../../ts/channels/shared-lock.ts";
import type { SharedRing } from "../../ts/channels/shared-ring.ts";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { lawsOf } from "../support/runtime.ts";
import { openPool, until, withPool } from "./pools.ts";

const load = guestOfFile("shared-channels");
const imports = { env: { act: () => 0 } };

describe("in a runtime alone", () => {
  const { law } = lawsOf("shared-channels");
  law("a channel works between its own tasks", "alone", [], { imports });
  law("what does not fit is refused, and nothing out of range is touched", "refusals", [], {
    imports,
  });
});

describe("between two executors and the pool", () => {
  let pool: ExecutorPool;
  beforeAll(async () => {
    pool = await openPool(await load());
    return () => pool[Symbol.asyncDispose]();
  });
  /** Waits until so many tasks wait in a select: for a channel, here. */
  const parked = (tasks: number) =>
    until(
      () => pool.tasks(),
      (lines) => lines.filter(({ waitsFor }) => waitsFor === "select").length === tasks,
    );

  test("a guest knows which executor it is on, and of how many", async () => {
    expect(await Promise.all([0, 1].map((on) => pool.spawn("current", [], { on })))).toEqual([
      0, 1,
    ]);
    expect(await pool.spawn("count")).toBe(2);
  });

  test("laws of one runtime hold on an executor", async () => {
    expect(await pool.spawn("alone", [], { on: 1 })).toBe(0);
    expect(await pool.spawn("refusals", [], { on: 0 })).toBe(0);
  });

  test("items arrive in the order they were sent, each once", async () => {
    const { id } = pool.channel({ capacity: 3 });
    const back = pool.channel({ capacity: 2 });
    const echo = pool.spawn("echo", [id, back.id], { on: 1 });
    const sender = pool.spawn("send_range", [id, 0, 500], { on: 0 });
    for (let item = 0; item < 500; item++) expect(await back.receive()).toBe(item);
    expect(await sender).toBe(500);
    pool.channel({ name: "", capacity: 1 });
    await echo.cancelAndWait();
    expect(await echo).toBe(500);
  });

  test("a sender parks while the channel is full, and goes on when there is room", async () => {
    const channel = pool.channel({ capacity: 4 });
    const sender = pool.spawn("send_range", [channel.id, 0, 6]);
    await parked(1);
    expect(channel.count).toBe(4);
    expect(channel.trySend(9)).toBe(false);
    for (let item = 0; item < 6; item++) expect(await channel.receive()).toBe(item);
    expect(await sender).toBe(6);
    expect(channel.tryReceive()).toBe(undefined);
  });

  test("closing ends what waits on every side; what is in the channel can be received", async () => {
    const full = pool.channel({ capacity: 1 });
    const empty = pool.channel({ capacity: 1 });
    await full.send(7);
    const senders = [0, 1].map((on) => pool.spawn("send", [full.id, 8], { on }));
    const receivers = [0, 1].map((on) => pool.spawn("receive", [empty.id], { on }));
    const own = [full.send(9), empty.receive()];
    own[0]!.catch(() => {});
    await parked(4);
    full.close();
    empty.close();
    expect(await Promise.all(senders)).toEqual([-ERRNO.EPIPE, -ERRNO.EPIPE]);
    expect(await Promise.all(receivers)).toEqual([-ERRNO.EPIPE, -ERRNO.EPIPE]);
    await expect(own[0]).rejects.toMatchObject({ code: "SF_CLOSED" });
    expect(await own[1]).toBe(undefined);
    expect(await full.receive()).toBe(7);
    expect(await full.receive()).toBe(undefined);
    expect(() => full.trySend(1)).toThrow(expect.objectContaining({ code: "SF_CLOSED" }));
  });

  test("a canceled wait takes nothing, on either side", async () => {
    const channel = pool.channel({ capacity: 1 });
    const canceled = pool.spawn("receive", [channel.id], { on: 0 });
    const abort = new AbortController();
    const aborted = channel.receive({ signal: abort.signal });
    await parked(1);
    abort.abort(new Error("aborted on purpose"));
    await expect(aborted).rejects.toThrow("aborted on purpose");
    canceled.cancel();
    expect(await canceled).toBe(-ERRNO.ECANCELED);
    await channel.send(3);
    expect(await pool.spawn("receive", [channel.id], { on: 1 })).toBe(3);

    await channel.send(4);
    const sending = pool.spawn("send", [channel.id, 5], { on: 0 });
    await parked(1);
    sending.cancel();
    expect(await sending).toBe(-ERRNO.ECANCELED);
    expect(await channel.receive()).toBe(4);
    expect(channel.count).toBe(0);
    expect(await pool.spawn("receive_timeout", [channel.id, 1n])).toBe(-ERRNO.ETIMEDOUT);
  });

  test("an arm of a select has its effect if and only if it wins", async () => {
    const a = pool.channel({ capacity: 1 });
    const b = pool.channel({ capacity: 1 });
    // Ready at the call: the first, and nothing of the others.
    await a.send(1);
    expect(await pool.spawn("select_one", [a.id, b.id, 5, 1])).toBe(1);
    expect([a.count, b.count]).toEqual([0, 0]);
    expect(await pool.spawn("select_one", [a.id, b.id, 5, 1])).toBe(10);
    expect(b.count).toBe(1);
    expect(await pool.spawn("select_one", [a.id, b.id, 5, 1])).toBe(20);
    expect([a.count, b.count]).toEqual([0, 1]);
    // Ready later, from another thread.
    const waiting = pool.spawn("select_one", [a.id, b.id, 6, 0], { on: 1 });
    await parked(1);
    expect(await pool.spawn("receive", [b.id], { on: 0 })).toBe(5);
    expect(await waiting).toBe(10);
    expect([a.count, await b.receive()]).toEqual([0, 6]);
    // Two that want the same item.
    await b.send(0);
    const both = [0, 1].map((on) => pool.spawn("select_one", [a.id, b.id, 7, 0], { on }));
    await parked(2);
    await a.send(4);
    const first = await Promise.race(both);
    expect(first).toBe(4);
    await b.receive();
    expect((await Promise.all(both)).toSorted()).toEqual([10, 4]);
  });

  test("by name, whoever comes first makes the channel", async () => {
    const received = pool.spawn("by_name", [1, 0], { on: 0 });
    expect(await pool.spawn("by_name", [0, 42], { on: 1 })).toBe(42);
    expect(await received).toBe(42);
    const known = pool.channel({ name: "by name", capacity: 1 });
    expect(pool.channel({ name: "by name", capacity: 1 })).toBe(known);
    expect(() => pool.channel({ name: "by name", capacity: 2 })).toThrow(RangeError);
    expect(() => pool.channel({ capacity: 0 })).toThrow(RangeError);
    expect(() => pool.channel({ item: 0 })).toThrow(RangeError);
    expect(() => pool.channel({ item: 2 ** 25 })).toThrow(
      expect.objectContaining({ code: "SF_LIMIT" }),
    );
  });

  test("the pool's own sends and receives go in the order of the calls", async () => {
    const channel = pool.channel({ item: 3, capacity: 1 });
    const items = [1, 2, 3, 4].map((byte) => Uint8Array.of(byte, 0, byte));
    const sends = items.map((item) => channel.send(item));
    expect(channel.trySend(items[0]!)).toBe(false);
    await expect(channel.send(new Uint8Array(2))).rejects.toThrow(RangeError);
    for (const item of items) expect(await channel.receive()).toEqual(item);
    await Promise.all(sends);
  });
});

test("a crash ends the channels that it leaves to one side alone; others go on", async () => {
  const guest = await load();
  const crashes: number[] = [];
  const onCrash = (_: unknown, executor: number): void => void crashes.push(executor);
  await withPool(guest, { executors: 3, onCrash }, async (pool) => {
    const open = () => pool.channel({ capacity: 1 });
    const toDead = open();
    const fromDead = open();
    const shared = open();
    // Executor 1 sends on fromDead, receives on toDead, and receives on shared as 2 does.
    const dying = [
      pool.spawn("send", [fromDead.id, 11], { on: 1 }),
      pool.spawn("receive", [shared.id], { on: 1 }),
      pool.spawn("receive_then_act", [toDead.id, 1], { on: 1 }),
    ];
    const other = pool.spawn("receive", [shared.id], { on: 2 });
    await until(
      () => pool.tasks(),
      (lines) => lines.filter(({ waitsFor }) => waitsFor === "select").length === 3,
    );
    expect(await pool.spawn("send", [toDead.id, 1], { on: 0 })).toBe(0);
    await Promise.allSettled(dying);
    expect(crashes).toEqual([1]);
    expect(await pool.spawn("send", [toDead.id, 2], { on: 0 })).toBe(-ERRNO.EOWNERDEAD);
    await expect(toDead.send(2)).rejects.toMatchObject({
      code: "SF_EXECUTOR",
      errno: "EOWNERDEAD",
    });
    expect(await pool.spawn("receive", [fromDead.id], { on: 0 })).toBe(11);
    expect(await pool.spawn("receive", [fromDead.id], { on: 0 })).toBe(-ERRNO.EOWNERDEAD);
    await expect(fromDead.receive()).rejects.toMatchObject({ errno: "EOWNERDEAD" });
    await shared.send(5);
    expect(await other).toBe(5);
    await shared.send(6);
    expect(await pool.spawn("receive", [shared.id], { on: 0 })).toBe(6);
  });
});

test("what waits for an executor that crashes is told", async () => {
  await withPool(await load(), { executors: 2, onCrash: () => {} }, async (pool) => {
    const full = pool.channel({ capacity: 1 });
    const taken = pool.channel({ capacity: 1 });
    const go = pool.channel({ capacity: 1 });
    await full.send(1);
    // Executor 1 is the last that sends, that receives, and the last but one that has opened "by name".
    const waiting = [
      pool.spawn("receive", [taken.id], { on: 0 }),
      pool.spawn("by_name", [1, 0], { on: 0 }),
      taken.receive(),
    ];
    const dying = [
      pool.spawn("send", [full.id, 2], { on: 1 }),
      pool.spawn("by_name", [1, 0], { on: 1 }),
      pool.spawn("receive_then_act", [go.id, 1], { on: 1 }),
    ];
    expect(await pool.spawn("send", [taken.id, 3], { on: 1 })).toBe(0);
    const [received] = await Promise.race(
      [waiting[0], waiting[2]].map(async (item) => [await item]),
    );
    expect(received).toBe(3);
    await until(
      () => pool.tasks(),
      (lines) => lines.filter(({ waitsFor }) => waitsFor === "select").length >= 4,
    );
    await go.send(0);
    await Promise.allSettled(dying);
    expect(await waiting[1]).toBe(-ERRNO.EOWNERDEAD);
    const ends = await Promise.allSettled([waiting[0], waiting[2]]);
    expect(ends.map((end) => (end.status === "fulfilled" ? end.value : end.reason.errno))).toEqual(
      ends[0].status === "fulfilled" && ends[0].value === 3
        ? [3, "EOWNERDEAD"]
        : [-ERRNO.EOWNERDEAD, 3],
    );
    // Nobody has ever received from `full`: the pool itself may still.
    expect(await full.receive()).toBe(1);
  });
});

test("a lock that an ended thread holds opens, and nothing is half done", () => {
  const buffer = new SharedArrayBuffer(4096);
  const mine = Arena.create(buffer, 2, 0);
  const theirs = new Arena(buffer, 1);
  const ring = mine.open(new Uint8Array(), 2, 4) as SharedRing;
  const item = Uint8Array.of(1, 2, 3, 4);
  theirs.find(ring.id)!.open();
  expect(theirs.find(ring.id)!.trySend(item, 0, "forget")).toBe(0);
  const words = new Int32Array(buffer);
  lock(words, ring.id / 4, 1);
  lock(words, 0, 1);
  mine.leave(1);
  const received = new Uint8Array(4);
  expect(ring.tryReceive(received, 0, "forget")).toBe(0);
  expect(received).toEqual(item);
  expect(ring.tryReceive(received, 0, "forget")).toBe(-ERRNO.EOWNERDEAD);
  expect(mine.open(new Uint8Array(), 1, 1)).toBeTypeOf("object");
});

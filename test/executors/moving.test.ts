import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { ExecutorPool } from "../../ts/executors/pool.ts";
import type { PoolOptions } from "../../ts/executors/pool-options.ts";
import { openDescriptors } from "../support/descriptors.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { openPool, until, withPool } from "./pools.ts";

const load = guestOfFile("moving");
const grants = { listen: ["127.0.0.1:*"] };
const TOKEN_BYTES = 16;
const MOVES = 5_000;

const run = async (
  options: PoolOptions,
  body: (pool: ExecutorPool) => Promise<void>,
): Promise<void> => withPool(await load(), { grants, ...options }, body);

describe.each(["uring", "epoll"] as const)("on %s", (backend) => {
  let pool: ExecutorPool;
  beforeAll(async () => {
    pool = await openPool(await load(), { grants, backend });
    return () => pool[Symbol.asyncDispose]();
  });

  test("what one executor accepts another one answers", async () => {
    const ready = pool.channel();
    const tokens = pool.channel({ item: TOKEN_BYTES });
    const accepting = pool.spawn("accept_for", [ready.id, tokens.id], { on: 0 });
    const answering = pool.spawn("answer", [tokens.id], { on: 1 });
    const port = (await ready.receive())!;
    for (let connection = 0; connection < 8; connection++) expect(await ask(port)).toBe(1);
    accepting.cancel();
    expect(await accepting).toBe(0);
    tokens.close();
    expect(await answering).toBe(8);
  });

  test("ten thousand moves lose no byte, and leave nothing open", async () => {
    const before = openDescriptors();
    const there = pool.channel({ item: TOKEN_BYTES });
    const back = pool.channel({ item: TOKEN_BYTES });
    const other = pool.spawn("send_back", [there.id, back.id], { on: 1 });
    const one = pool.spawn("there_and_back", [there.id, back.id, MOVES], { on: 0 });
    expect(await Promise.all([one, other])).toEqual([0, MOVES]);
    expect(openDescriptors()).toEqual(before);
  });

  test("a token goes in the argument of a task", async () => {
    const done = pool.channel();
    expect(await pool.spawn("errand_to", [1, done.id], { on: 0 })).toBe(1);
    expect(await pool.spawn("errand_to", [0, done.id], { on: 0 })).toBe(0);
  });

  test("the embedder moves a handle, and gives and takes tokens of guests", async () => {
    const handle = Number(await pool.spawn("one_end", [], { on: 0 }));
    const moved = await pool.adoptHandle(await pool.releaseHandle(handle, 0), 1);
    expect(await pool.spawn("wait_for", [handle], { on: 0 })).toBe(-ERRNO.EBADF);
    const token = await pool.releaseHandle(moved, 1);
    const tokens = pool.channel({ item: TOKEN_BYTES });
    await tokens.send(token);
    const adopted = pool.channel();
    expect(await pool.spawn("read_to_end", [tokens.id, adopted.id], { on: 0 })).toBe(5);
    await expect(pool.adoptHandle(token, 1)).rejects.toMatchObject({
      code: "SF_IO",
      errno: "EBADF",
    });
    await expect(pool.adoptHandle(new Uint8Array(15), 1)).rejects.toMatchObject({
      errno: "EINVAL",
    });
    await expect(pool.releaseHandle(handle, 2)).rejects.toThrow(RangeError);
  });

  test("what a task waits for is not released: EBUSY", async () => {
    const handle = Number(await pool.spawn("silent_end", [], { on: 1 }));
    const waiting = pool.spawn("wait_for", [handle], { on: 1 });
    await until(
      () => pool.tasks(),
      (lines) => lines.some(({ waitsFor }) => waitsFor.startsWith("operation")),
    );
    await expect(pool.releaseHandle(handle, 1)).rejects.toMatchObject({ errno: "EBUSY" });
    await waiting.cancelAndWait();
    const moved = await pool.adoptHandle(await pool.releaseHandle(handle, 1), 0);
    expect(moved).toBeGreaterThan(0);
  });

  test("a pool adopts nothing of another", async () => {
    await run({ backend }, async (other) => {
      const handle = Number(await other.spawn("one_end", [], { on: 0 }));
      const token = await other.releaseHandle(handle, 0);
      const tokens = pool.channel({ item: TOKEN_BYTES });
      await tokens.send(token);
      expect(await pool.spawn("adopt", [tokens.id])).toBe(-ERRNO.EBADF);
      await expect(pool.adoptHandle(token, 0)).rejects.toMatchObject({ errno: "EBADF" });
      expect(await other.spawn("read_all", [await other.adoptHandle(token, 1)], { on: 1 })).toBe(5);
    });
  });
});

test("what a crashed executor had released and nobody has adopted is closed", async () => {
  const crashes: number[] = [];
  const onCrash = (_: unknown, executor: number): void => void crashes.push(executor);
  await run({ onCrash }, async (pool) => {
    const tokens = pool.channel({ item: TOKEN_BYTES });
    const adopted = pool.channel();
    const reading = pool.spawn("read_to_end", [tokens.id, adopted.id], { on: 0 });
    const dying = pool.spawn("give_then_act", [tokens.id, 0], { on: 1 });
    await adopted.receive();
    const last = pool.spawn("give_then_act", [tokens.id, 1], { on: 1 });
    // The end that is read from was adopted, and the other one was on its way when its executor crashed.
    expect(await reading).toBe(5);
    expect((await Promise.allSettled([dying, last])).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
    ]);
    expect(crashes).toEqual([1]);
    expect(await pool.spawn("adopt", [tokens.id], { on: 0 })).toBe(-ERRNO.EBADF);
  });
});

test("a pool that ends closes what is on its way", async () => {
  const before = openDescriptors();
  await run({}, async (pool) => {
    for (const on of [0, 1, 0, 1]) {
      await pool.releaseHandle(Number(await pool.spawn("one_end", [], { on })), on);
    }
  });
  expect(openDescriptors()).toEqual(before);
});

test("where handles belong to their thread, release and adopt say so: ENOSYS", async () => {
  await run({ backend: "node" }, async (pool) => {
    expect(await pool.spawn("release_one")).toBe(-ERRNO.ENOSYS);
    for (const refused of [pool.releaseHandle(1, 0), pool.adoptHandle(new Uint8Array(16), 0)]) {
      await expect(refused).rejects.toMatchObject({ code: "SF_IO", errno: "ENOSYS" });
    }
  });
});

/** The number of the executor that answers. */
function ask(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.write("?");
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data[0]!);
    });
    socket.once("error", reject);
    socket.once("end", () => reject(new Error("the connection ended without an answer")));
  });
}

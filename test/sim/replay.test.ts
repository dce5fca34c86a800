//! The same seed gives the same history, byte by byte.

import { expect, test } from "vitest";
import { World, type WorldOptions } from "../../ts/host/sim/world.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { addressOf, PORT, worldGuest } from "./programs.ts";

const { start } = worldGuest();

interface History {
  readonly trace: readonly string[];
  readonly hash: string;
  readonly results: readonly number[];
  /** What the clients' import was called with, in order. */
  readonly notes: readonly string[];
}

/** A server and some clients with async imports, some of which the embedder starts late. */
async function play(options: WorldOptions, frameMs?: number): Promise<History> {
  await using world = new World({ trace: true, preset: "mobile", ...options });
  const notes: string[] = [];
  const note = (client: string) => async (value: number) => {
    for (let hop = 0; hop < value % 5; hop++) await Promise.resolve();
    notes.push(`${client} ${value} at ${world.nowNs}`);
    return value;
  };
  const server = await start(world, world.host("server"));
  const clients: Runtime[] = [];
  for (const name of ["one", "two"]) {
    const imports = { env: { note: note(name) } };
    clients.push(await start(world, world.host(name), { imports }));
  }
  const done = new AbortController();
  const frames = frameMs === undefined ? undefined : drive(world, frameMs, done.signal);
  const serving = server.spawn("serve", [PORT]);
  const args = [addressOf(world.host("server")), PORT, 12];
  const asking = clients.flatMap((client) => [
    client.spawn("ask", args),
    client.spawn("ask", args),
  ]);
  // One more, when the first has ended, at whatever moment that is.
  const late = asking[0]!.then(() => clients[1]!.spawn("ask", args));
  world.after(400, () => world.partition(world.host("one"), world.host("server")));
  world.after(1200, () => world.heal());
  const results = (await Promise.all([...asking, late])) as number[];
  server.cancel();
  await serving;
  for (const runtime of [server, ...clients]) await runtime[Symbol.asyncDispose]();
  await world.whenQuiescent();
  done.abort();
  await frames;
  return { trace: [...world.trace], hash: world.traceHash, results, notes };
}

/** Calls `frame` as a page does. */
async function drive(world: World, budgetMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    world.frame(budgetMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("the same seed gives the same trace, with JavaScript that programs wait for", async () => {
  const first = await play({ seed: 7 });
  expect(first.results).toEqual([0, 0, 0, 0, 0]);
  expect(first.trace.length).toBeGreaterThan(500);
  expect(first.notes).toHaveLength(60);
  for (let again = 0; again < 2; again++) {
    const next = await play({ seed: 7 });
    expect(next.trace).toEqual(first.trace);
    expect(next).toEqual(first);
  }
});

test("other seeds give other histories", async () => {
  const hashes = new Set<string>();
  for (let seed = 0; seed < 5; seed++) hashes.add((await play({ seed, trace: "hash" })).hash);
  expect(hashes.size).toBe(5);
});

test("how the world is paced in real time changes nothing", async () => {
  const first = await play({ seed: 8 });
  // Frames so short that every step is one of its own.
  expect((await play({ seed: 8, manual: true }, 0.001)).trace).toEqual(first.trace);
  expect((await play({ seed: 8, manual: true }, 5)).trace).toEqual(first.trace);
  expect((await play({ seed: 8, speed: 500 })).trace).toEqual(first.trace);
});

test("a hash alone is the hash of the lines", async () => {
  const { hash, trace } = await play({ seed: 9 });
  const { hash: alone, trace: none } = await play({ seed: 9, trace: "hash" });
  expect(alone).toBe(hash);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect({ some: trace.length > 0, none }).toEqual({ some: true, none: [] });
});

test("under chaos the same seed gives the same trace too", async () => {
  const options = { seed: "chaos", preset: "chaos" } as const;
  const first = await play(options);
  expect(first.trace.some((line) => line.includes(" fault "))).toBe(true);
  expect((await play(options)).trace).toEqual(first.trace);
});

//! Laws of virtual time, and of who decides when it passes.

import { expect, test } from "vitest";
import type { DrivenLoop } from "../../ts/host/driver.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import { World } from "../../ts/host/sim/world.ts";
import { guestOn, msOf, withWorld } from "./worlds.ts";

/** A process that takes a number of steps whenever it is woken, and notes the time of each. */
class Stepper implements DrivenLoop {
  readonly timesNs: number[] = [];
  deadlineNs = Number.POSITIVE_INFINITY;
  hostCalls = 0;
  readonly wake: () => void;
  #left: number;
  readonly #world: World;

  static async on(world: World, host: SimHost, steps: number): Promise<Stepper> {
    const { driver } = await host.open({ grants: {}, handlesMax: 1 });
    const stepper = new Stepper(world, steps, () => driver!.wake(stepper));
    driver!.add(stepper);
    return stepper;
  }

  private constructor(world: World, steps: number, wake: () => void) {
    this.#world = world;
    this.#left = steps;
    this.wake = wake;
  }

  step(): boolean {
    this.timesNs.push(this.#world.nowNs);
    if (this.#world.nowNs + 1e9 >= this.deadlineNs) this.deadlineNs = Number.POSITIVE_INFINITY;
    return --this.#left > 0;
  }

  fail(): void {}
}

test("time passes only when everybody waits", () =>
  withWorld({}, async (world) => {
    const [busy, other] = [
      await Stepper.on(world, world.host("a"), 500),
      await Stepper.on(world, world.host("b"), 400),
    ];
    let atMs = 0;
    world.after(0.0001, () => {
      atMs = world.nowNs / 1e6;
    });
    busy.wake();
    other.wake();
    await world.whenQuiescent();
    expect(new Set([...busy.timesNs, ...other.timesNs])).toEqual(new Set([0]));
    expect([busy.timesNs.length, other.timesNs.length]).toEqual([500, 400]);
    expect(atMs).toBe(0.0001);
  }));

test("programs take turns in an order from the seed", async () => {
  const orderOf = (seed: string): Promise<string> =>
    withWorld({ seed, trace: true }, async (world) => {
      for (const name of ["a", "b", "c"]) (await Stepper.on(world, world.host(name), 20)).wake();
      await world.whenQuiescent();
      return world.trace.filter((line) => line.includes(" run ")).join("\n");
    });
  expect(await orderOf("1")).toBe(await orderOf("1"));
  expect(await orderOf("2")).not.toBe(await orderOf("1"));
});

test("a program that never waits lets time pass all the same, slowly", () =>
  withWorld({}, async (world) => {
    const spinner = await Stepper.on(world, world.host("a"), 100_000);
    spinner.wake();
    await world.sleep(50);
    expect(world.nowNs).toBe(50e6);
    expect(spinner.timesNs.length).toBeLessThan(100_000);
  }));

test("a timer is due at its instant, to the nanosecond", () =>
  withWorld({}, async (world) => {
    const sleeper = await Stepper.on(world, world.host("a"), 1);
    sleeper.deadlineNs = 1e9 + 123_456_789;
    sleeper.wake();
    await world.whenQuiescent();
    expect(sleeper.timesNs[1]).toBe(123_456_789);
  }));

test("a program whose timer stays due does not hold the world", () =>
  withWorld({}, async (world) => {
    const { driver } = await world.host("a").open({ grants: {}, handlesMax: 1 });
    let steps = 0;
    const loop: DrivenLoop = {
      step: () => ++steps < 0,
      fail: () => {},
      deadlineNs: 0,
      hostCalls: 0,
    };
    driver!.add(loop);
    driver!.wake(loop);
    await world.sleep(1000);
    expect(steps).toBeLessThan(1010);
    driver!.remove(loop);
  }));

test("after and sleep wait in virtual time, the earliest first", () =>
  withWorld({}, async (world) => {
    const order: string[] = [];
    world.after(20, () => order.push("20"));
    world.after(10, () => order.push("10"));
    const slept = world.sleep(15).then(() => order.push("15"));
    await world.sleep(3_600_000);
    await slept;
    expect(order).toEqual(["10", "15", "20"]);
    expect(world.nowNs).toBe(3.6e12);
  }));

test("JavaScript that was woken runs before anything else happens", () =>
  withWorld({}, async (world) => {
    const timesMs: number[] = [];
    const chain = async (): Promise<void> => {
      for (let index = 0; index < 5; index++) {
        await world.sleep(1);
        // Several promises later it is still the same instant.
        for (let hop = 0; hop < 20; hop++) await Promise.resolve();
        timesMs.push(world.nowNs / 1e6);
      }
    };
    world.after(1.5, () => {});
    await chain();
    expect(timesMs).toEqual([1, 2, 3, 4, 5]);
  }));

test("the guests' clocks are the world's, their random numbers the seed's", async () => {
  const look = (seed: string): Promise<unknown> =>
    withWorld({ seed, wallStartMs: 1_000_000 }, async (world) => {
      const { environment } = (await guestOn(world.host("a"))).backend;
      const startNs = environment.monotonicNs();
      await world.sleep(1234);
      expect(environment.monotonicNs() - startNs).toBe(1234e6);
      expect(startNs).toBeGreaterThan(0);
      expect(environment.wallNs()).toBe(1_001_234n * 1_000_000n);
      const bytes = new Uint8Array(64);
      environment.fillRandom(bytes);
      return bytes;
    });
  expect(await look("1")).toEqual(await look("1"));
  expect(await look("2")).not.toEqual(await look("1"));
});

test("nothing happens while somebody holds the world", () =>
  withWorld({}, async (world) => {
    let fired = false;
    world.after(1, () => {
      fired = true;
    });
    let release = (): void => {};
    const held = world.hold(
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    );
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect({ fired, now: world.nowNs, quiescent: world.quiescent }).toEqual({
      fired: false,
      now: 0,
      quiescent: false,
    });
    release();
    await held;
    await world.sleep(1);
    expect(fired).toBe(true);
  }));

test("nothing happens between the opening of a process and its loop", () =>
  withWorld({}, async (world) => {
    let fired = false;
    world.after(0.001, () => {
      fired = true;
    });
    const backend = await world.host("a").open({ grants: {}, handlesMax: 1 });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(fired).toBe(false);
    await backend[Symbol.asyncDispose]();
    await world.whenQuiescent();
    expect(fired).toBe(true);
  }));

test("a world is quiescent when nothing can happen any more by itself", () =>
  withWorld({}, async (world) => {
    const a = await guestOn(world.host("a"));
    await world.whenQuiescent();
    expect(world.quiescent).toBe(true);
    const listener = await a.listen();
    const accepted = a.accept(listener);
    a.turn();
    await world.whenQuiescent();
    // The ACCEPT waits for a connection that nobody will make.
    expect({ pending: a.backend.pending, quiescent: world.quiescent }).toEqual({
      pending: 1,
      quiescent: true,
    });
    world.after(5, () => {});
    expect(world.quiescent).toBe(false);
    await world.whenQuiescent();
    expect(world.nowNs / 1e6).toBeGreaterThanOrEqual(5);
    await a.close(listener);
    await accepted;
  }));

test("a paused world does nothing; step takes one step", async () => {
  const world = new World({ seed: 1, speed: 0 });
  const fired: number[] = [];
  for (const ms of [1, 2, 3]) world.after(ms, () => fired.push(ms));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(fired).toEqual([]);
  for (const expected of [[1], [1, 2], [1, 2, 3], [1, 2, 3]]) {
    world.step();
    expect(fired).toEqual(expected);
  }
  expect(world.nowNs).toBe(3e6);
  world.after(1, () => fired.push(4));
  world.speed = Number.POSITIVE_INFINITY;
  await world.whenQuiescent();
  expect(fired).toEqual([1, 2, 3, 4]);
  await world[Symbol.asyncDispose]();
});

test("a manual world moves in frames, and says whether more is due", async () => {
  const world = new World({ seed: 1, manual: true });
  const fired: number[] = [];
  world.after(1, () => fired.push(1));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(fired).toEqual([]);
  let frames = 0;
  while (fired.length === 0 || !world.quiescent) {
    world.frame(50);
    expect(++frames).toBeLessThan(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(world.frame(50)).toBe(false);
  expect(world.nowNs).toBe(1e6);
  await world[Symbol.asyncDispose]();
});

test("at a speed, nothing happens before its real time has come", async () => {
  const world = new World({ seed: 1, speed: 1000 });
  const startMs = performance.now();
  let tookMs = 0;
  world.after(20_000, () => {
    tookMs = performance.now() - startMs;
  });
  await world.sleep(20_001);
  // 20 virtual seconds are 20 real milliseconds.
  expect(tookMs).toBeGreaterThanOrEqual(20);
  await world[Symbol.asyncDispose]();
});

test("an embedder's callback that throws does not stop the world", async () => {
  const world = new World({ seed: 1, manual: true });
  let after = false;
  world.after(1, () => {
    throw new Error("the embedder's own");
  });
  world.after(2, () => {
    after = true;
  });
  const frame = (): void => void world.frame(50);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(() => {
    for (let index = 0; index < 10; index++) {
      world.step();
    }
  }).toThrow("the embedder's own");
  for (let index = 0; index < 10 && !after; index++) {
    frame();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(after).toBe(true);
  await world[Symbol.asyncDispose]();
});

test("options out of range are refused by name", () => {
  expect(() => new World({ speed: -1 })).toThrow(RangeError);
  expect(() => new World({ network: { latencyMs: -1 } })).toThrow(
    /network\.latencyMs must be 0 to/,
  );
  expect(() => new World({ network: { shortReads: 1.5 } })).toThrow(/network\.shortReads/);
  expect(() => new World({ files: { diskBytesMax: Number.NaN } })).toThrow(/files\.diskBytesMax/);
  const world = new World();
  expect(() => world.configure({ network: { resets: 2 } })).toThrow(/network\.resets/);
  expect(() => world.host("x", { ipv4: "10.0.0.300" })).toThrow(/no IPv4 address/);
  world.host("a", { ipv4: "10.1.1.1" });
  expect(() => world.host("b", { ipv4: "10.1.1.1" })).toThrow(/is the address of a/);
});

test("time goes by the network's latency", () =>
  withWorld({ network: { latencyMs: 250 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = [10, 0, 0, 2];
    const listener = await b.listen(7, address);
    // There and back.
    expect(await msOf(world, () => a.connect(7, address))).toBe(500);
    expect(await msOf(world, () => b.accept(listener))).toBe(250);
  }));

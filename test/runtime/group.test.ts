import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { timeout } from "../../ts/runtime/arm.ts";
import type { Task } from "../../ts/runtime/task.ts";
import { sharedGuest, stateOf, turns } from "../support/shared-guest.ts";

const { calls, open, run } = sharedGuest();

test("wait resolves once every member has ended, those spawned meanwhile too", async () => {
  await run(async (runtime) => {
    const event = runtime.event();
    const group = runtime.group();
    const members = [1, 2].map((value) => group.spawn("result", [value]));
    members.push(group.spawn("event_wait", [event.address]));
    const waiting = [group.wait(), group.wait()];
    expect(await stateOf(waiting[0]!)).toBe("pending");
    expect(group.count).toBe(1);
    members.push(group.spawn("result", [3]));
    event.set();
    await Promise.all(waiting);
    expect(members.map((task) => task.result)).toEqual([1, 2, 0, 3]);
    expect(group.count).toBe(0);
    await group.wait();
  });
});

describe("an error", () => {
  test("is the first one, thrown once; the members have their own", async () => {
    await run(async (runtime) => {
      const group = runtime.group();
      const failing = group.spawn("result", [-ERRNO.ECONNRESET]);
      const trapping = group.spawn("trap");
      const fine = group.spawn("result", [1]);
      await expect(group.wait()).rejects.toMatchObject({ code: "SF_STATUS", errno: "ECONNRESET" });
      await group.wait();
      expect(await failing).toBe(-ERRNO.ECONNRESET);
      await expect(trapping).rejects.toMatchObject({ code: "SF_TRAP" });
      expect([fine.result, trapping.result, trapping.ended]).toEqual([1, undefined, true]);
    });
  });

  test("goes to all that wait, and to the next wait when nobody does", async () => {
    await run(async (runtime) => {
      const group = runtime.group();
      const trapping = group.spawn("trap");
      const waits = [group.wait(), group.wait()];
      for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: "SF_TRAP" });
      await group.wait();
      await expect(group.spawn("trap")).rejects.toThrow();
      await expect(trapping).rejects.toThrow();
      await group.spawn("result", [0]);
      await expect(group.wait()).rejects.toMatchObject({ code: "SF_TRAP" });
    });
  });

  test("stays with the group when a select that waits for it takes something else", async () => {
    await run(async (runtime) => {
      const channel = runtime.channel({ capacity: 0 });
      const group = runtime.group();
      const task = group.spawn("try_send_then_call", [channel.address, 4, 0]);
      group.spawn("trap");
      const won = await runtime.select({ all: group.onWait(), item: channel.onReceive() });
      expect(won).toEqual({ key: "item", value: 4 });
      await expect(group.wait()).rejects.toMatchObject({ code: "SF_TRAP" });
      expect(task.result).toBe(1);
    });
  });

  test("is any negative i32, but not ECANCELED, and not the negative of another type", async () => {
    await run(async (runtime) => {
      const group = runtime.group();
      group.spawn("result", [-ERRNO.ECANCELED]);
      group.spawn("result_f64", [-1]);
      await group.wait();
      group.spawn("result", [-100_000]);
      await expect(group.wait()).rejects.toMatchObject({ code: "SF_STATUS", errno: undefined });
    });
  });

  test("of a group that fails fast cancels the other members", async () => {
    await run(async (runtime) => {
      const group = runtime.group({ failFast: true });
      const parked = group.spawn("park");
      await turns();
      const { signal } = group;
      group.spawn("trap");
      await expect(group.wait()).rejects.toMatchObject({ code: "SF_TRAP" });
      expect(parked.result).toBe(-ERRNO.ECANCELED);
      expect(parked.signal.aborted).toBe(true);
      expect(signal.aborted).toBe(true);
    });
  });
});

describe("cancel", () => {
  test("ends every member, those that have not started too, and is no error", async () => {
    await run(async (runtime) => {
      const group = runtime.group({ runningMax: 2 });
      const members = Array.from({ length: 5 }, () => group.spawn("park"));
      await turns();
      group.cancel();
      expect(() => group.spawn("park")).toThrow(expect.objectContaining({ code: "SF_CANCELED" }));
      await group.wait();
      expect(members.map((task) => task.result)).toEqual(members.map(() => -ERRNO.ECANCELED));
    });
  });

  test("of a group without members has no effect, and it can be used again after one", async () => {
    await run(async (runtime) => {
      const group = runtime.group();
      group.cancel();
      expect(group.signal.aborted).toBe(false);
      for (let round = 0; round < 3; round++) {
        const parked = group.spawn("park");
        const { signal } = group;
        expect(signal.aborted).toBe(false);
        group.cancel();
        expect(signal.aborted).toBe(true);
        await group.wait();
        expect(parked.result).toBe(-ERRNO.ECANCELED);
      }
    });
  });

  test("by an AbortSignal; then nothing can be spawned any more", async () => {
    await run(async (runtime) => {
      const controller = new AbortController();
      const group = runtime.group({ signal: controller.signal });
      const parked = group.spawn("park");
      const { signal } = group;
      await turns();
      const reason = new Error("enough");
      controller.abort(reason);
      expect(signal.reason).toBe(reason);
      await group.wait();
      expect(parked.result).toBe(-ERRNO.ECANCELED);
      expect(group.signal.reason).toBe(reason);
      expect(() => group.spawn("park")).toThrow(expect.objectContaining({ code: "SF_CANCELED" }));
    });
  });

  test("an abort of a wait ends only the wait", async () => {
    await run(async (runtime) => {
      const event = runtime.event();
      const group = runtime.group();
      group.spawn("event_wait", [event.address]);
      const late = await runtime.select({ all: group.onWait(), late: timeout(1) });
      expect(late.key).toBe("late");
      const controller = new AbortController();
      const waiting = group.wait({ signal: controller.signal });
      const reason = new Error("enough");
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      expect(group.count).toBe(1);
      event.set();
      await group.wait();
    });
  });
});

test("await using cancels what is left, waits for it, and hides no error of the block", async () => {
  await run(async (runtime) => {
    const event = runtime.event();
    const members: Task[] = [];
    const error = new Error("of the block");
    const block = async (): Promise<void> => {
      await using group = runtime.group();
      members.push(group.spawn("park"), group.spawn("ignore_cancel", [event.address]));
      members.push(group.spawn("trap"));
      await turns();
      throw error;
    };
    const ending = block();
    expect(await stateOf(ending)).toBe("pending");
    event.set();
    await expect(ending).rejects.toBe(error);
    expect(members.map((task) => task.result)).toEqual([-ERRNO.ECANCELED, 7, undefined]);
  });
});

describe("a bound on the members that run", () => {
  test("starts the others in their order", async () => {
    await run(async (runtime) => {
      const started: number[] = [];
      calls.on = (number) => started.push(number);
      const group = runtime.group({ runningMax: 3 });
      const numbers = Array.from({ length: 50 }, (_, index) => index);
      for (const number of numbers) group.spawn("member", [number, number % 4]);
      expect(group.count).toBe(50);
      await group.wait();
      expect(started).toEqual(numbers);
      expect(await runtime.spawn("most_running")).toBe(3);
    });
  });

  test("room resolves when fewer run, for one that waits at a time", async () => {
    await run(async (runtime) => {
      const event = runtime.event({ automatic: true });
      const group = runtime.group({ runningMax: 1 });
      await group.room();
      group.spawn("event_wait", [event.address]);
      const rooms = [group.room(), group.room()];
      expect(await stateOf(rooms[0]!)).toBe("pending");
      event.set();
      await rooms[0];
      group.spawn("event_wait", [event.address]);
      expect(await stateOf(rooms[1]!)).toBe("pending");
      event.set();
      await rooms[1];
      await group.wait();
    });
  });

  test.each([0, -1, Number.NaN])("of %d is a RangeError", async (runningMax) => {
    await run(async (runtime) => {
      expect(() => runtime.group({ runningMax })).toThrow(RangeError);
    });
  });
});

test("a spawn that fails leaves the group as it was", async () => {
  await run(async (runtime) => {
    const group = runtime.group();
    expect(() => group.spawn("no such export")).toThrow(TypeError);
    expect(() => group.spawn("result", [])).toThrow(TypeError);
    expect(group.count).toBe(0);
    await group.wait();
  });
});

test("when the runtime ends, members end, started or not, and waits settle", async () => {
  const runtime = await open();
  const event = runtime.event();
  const group = runtime.group({ runningMax: 1 });
  const stubborn = group.spawn("ignore_cancel", [event.address]);
  const queued = group.spawn("park");
  const waiting = group.wait();
  await Promise.all([
    runtime[Symbol.asyncDispose](),
    expect(waiting).rejects.toMatchObject({ code: "SF_DISPOSED" }),
    expect(stubborn).rejects.toMatchObject({ code: "SF_DISPOSED" }),
    expect(queued).rejects.toMatchObject({ code: "SF_DISPOSED" }),
  ]);
  expect(group.count).toBe(0);
  await group.wait();
  expect(() => group.spawn("park")).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
}, 10_000);

// Goal: the group ends exactly when its last member does, never runs more than it may, and starts
// members in their order, whatever is spawned, canceled and awaited when.
test("random groups: bounded, in order, drained, and as new", async () => {
  const act = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("spawn"), yields: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel"), yields: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("member"), yields: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("turn"), yields: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait"), yields: fc.nat(1) }) },
  );
  await run(async (runtime) => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(act, { maxLength: 40 }),
      async (runningMax, acts) => {
        const group = runtime.group({ runningMax });
        const started: number[] = [];
        calls.on = (number) => started.push(number);
        const members: Task[] = [];
        const waits: Promise<void>[] = [];
        for (const { kind, yields } of acts) {
          if (kind === "cancel") group.cancel();
          else if (kind === "member") members[yields % members.length]?.cancel();
          else if (kind === "turn") await turns(yields);
          else if (kind === "wait") waits.push(group.wait());
          else {
            try {
              members.push(group.spawn("member", [members.length, yields]));
            } catch (error) {
              expect(error).toMatchObject({ code: "SF_CANCELED" });
            }
          }
          expect(group.count).toBe(members.filter((task) => !task.ended).length);
        }
        await Promise.all([...waits, group.wait()]);
        expect(group.count).toBe(0);
        expect(started).toEqual(members.map((_, index) => index));
        expect(await runtime.spawn("most_running")).toBeLessThanOrEqual(runningMax);
        expect(group.signal.aborted).toBe(false);
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });
});

test("10,000 members leave no memory behind", async () => {
  await run(async (runtime) => {
    const group = runtime.group({ runningMax: 8 });
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await group.room();
        group.spawn("result", [i]);
      }
      await group.wait();
    };
    await round(100);
    const { regionsBytes } = runtime.stats;
    await round(10_000);
    expect(runtime.stats.regionsBytes).toBe(regionsBytes);
  });
});

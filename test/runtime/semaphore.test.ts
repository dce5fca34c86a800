import fc from "fast-check";
import { expect, test } from "vitest";
import { sharedGuest, stateOf, turns } from "../support/shared-guest.ts";

const { calls, open, run } = sharedGuest();

test("permits are taken and given back on both sides", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(3);
    const permit = await semaphore.acquire({ permits: 2 });
    expect([permit.permits, semaphore.permits]).toEqual([2, 1]);
    const guest = runtime.spawn("acquire", [semaphore.address, 2]);
    expect(await stateOf(guest)).toBe("pending");
    permit.release();
    permit.release();
    expect(await guest).toBe(0);
    expect(semaphore.permits).toBe(1);
    const host = semaphore.acquire({ permits: 3 });
    expect(await runtime.spawn("release", [semaphore.address, 2])).toBe(0);
    (await host).release();
    expect(semaphore.permits).toBe(3);
  });
});

test("using and await using release a permit, once", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(2);
    {
      using one = await semaphore.acquire();
      await using two = await semaphore.acquire();
      expect([one.permits, two.permits, semaphore.permits]).toEqual([1, 1, 0]);
      two.release();
      expect(semaphore.permits).toBe(1);
    }
    expect(semaphore.permits).toBe(2);
  });
});

test("waiters are served in their order, and a request for many holds up smaller ones", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(1);
    const many = semaphore.acquire({ permits: 3 });
    const one = semaphore.acquire();
    expect(semaphore.tryAcquire()).toBe(undefined);
    expect([await stateOf(many), await stateOf(one)]).toEqual(["pending", "pending"]);
    semaphore.release(2);
    (await many).release();
    (await one).release();
    expect(semaphore.permits).toBe(3);
  });
});

test("an abort of the first lets those behind it through", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(1);
    const controller = new AbortController();
    const many = semaphore.acquire({ permits: 3, signal: controller.signal });
    const host = semaphore.acquire();
    const guest = runtime.spawn("acquire", [semaphore.address, 1]);
    await turns();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(many).rejects.toBe(reason);
    (await host).release();
    expect(await guest).toBe(0);
  });
});

test("an abort in the run that gave the permit is too late", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(0);
    const controller = new AbortController();
    const waiting = semaphore.acquire({ signal: controller.signal });
    calls.on = () => controller.abort(new Error("too late"));
    await runtime.spawn("release_then_call", [semaphore.address, 1]);
    (await waiting).release();
    expect(semaphore.permits).toBe(1);
  });
});

test("tryAcquire takes what is free and never waits", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(2);
    const permit = semaphore.tryAcquire(2);
    expect(semaphore.tryAcquire()).toBe(undefined);
    permit?.release();
    expect(semaphore.permits).toBe(2);
  });
});

test.each([-1, 0.5, Number.NaN, 2 ** 32])("%d permits are a RangeError", async (permits) => {
  await run(async (runtime) => {
    expect(() => runtime.semaphore(permits)).toThrow(RangeError);
    const semaphore = runtime.semaphore(1);
    expect(() => semaphore.release(permits)).toThrow(RangeError);
    await expect(semaphore.acquire({ permits })).rejects.toThrow(RangeError);
    expect(semaphore.permits).toBe(1);
  });
});

test("2 ** 32 permits are a RangeError, and none is released", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(2 ** 32 - 1);
    expect(() => semaphore.release()).toThrow(RangeError);
    expect(semaphore.permits).toBe(2 ** 32 - 1);
  });
});

test("a wait ends with SF_DISPOSED when the runtime does, and a late release is no error", async () => {
  const runtime = await open();
  const semaphore = runtime.semaphore(1);
  const permit = await semaphore.acquire();
  const waiting = semaphore.acquire();
  await Promise.all([
    runtime[Symbol.asyncDispose](),
    expect(waiting).rejects.toMatchObject({ code: "SF_DISPOSED" }),
  ]);
  permit.release();
  expect(() => semaphore.tryAcquire()).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
});

test("never more permits are out than there are, whoever holds them and whoever gives up", async () => {
  const holder = fc.record({
    host: fc.boolean(),
    permits: fc.integer({ min: 1, max: 4 }),
    yields: fc.integer({ min: 0, max: 3 }),
    abortAfter: fc.option(fc.integer({ min: 0, max: 6 })),
  });
  await run(async (runtime) => {
    const property = fc.asyncProperty(
      fc.integer({ min: 4, max: 6 }),
      fc.array(holder, { minLength: 2, maxLength: 12 }),
      async (total, holders) => {
        const semaphore = runtime.semaphore(total);
        let out = 0;
        let most = 0;
        calls.on = (change) => {
          out += change;
          most = Math.max(most, out);
        };
        const ends = holders.map(async ({ host, permits, yields, abortAfter }) => {
          const controller = new AbortController();
          const { signal } = controller;
          if (abortAfter !== null) void turns(abortAfter).then(() => controller.abort());
          if (!host) {
            await runtime.spawn("hold", [semaphore.address, permits, yields, 2], { signal });
            return;
          }
          using permit = await semaphore.acquire({ permits, signal });
          calls.on(permit.permits);
          await turns(yields);
          calls.on(-permit.permits);
        });
        await Promise.allSettled(ends);
        expect([semaphore.permits, out]).toEqual([total, 0]);
        expect(most).toBeLessThanOrEqual(total);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

test("10,000 waits leave no memory behind", async () => {
  await run(async (runtime) => {
    const semaphore = runtime.semaphore(1);
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const [first, second] = [semaphore.acquire(), semaphore.acquire()];
        (await first).release();
        (await second).release();
      }
    };
    await round(10);
    const { regionsBytes } = runtime.stats;
    await round(5_000);
    expect(runtime.stats.regionsBytes).toBe(regionsBytes);
  });
});

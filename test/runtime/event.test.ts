import { describe, expect, test } from "vitest";
import { sharedGuest, stateOf, turns } from "../support/shared-guest.ts";

const { calls, open, run } = sharedGuest();

test("a manual event lets every wait return until it is reset", async () => {
  await run(async (runtime) => {
    const event = runtime.event();
    expect(event.isSet).toBe(false);
    const hosts = [event.wait(), event.wait()];
    const guests = [1, 2].map(() => runtime.spawn("event_wait", [event.address]));
    await turns();
    event.set();
    event.set();
    expect(event.isSet).toBe(true);
    await Promise.all([...hosts, ...guests, event.wait()]);
    event.reset();
    expect(event.isSet).toBe(false);
    const late = event.wait();
    expect(await stateOf(late)).toBe("pending");
    event.set();
    await late;
  });
});

test("an automatic event lets one wait return for each set, in the order of the waits", async () => {
  await run(async (runtime) => {
    const event = runtime.event({ automatic: true });
    const first = event.wait();
    const second = runtime.spawn("event_wait", [event.address]);
    await turns();
    const third = event.wait();
    event.set();
    await first;
    expect([await stateOf(second), await stateOf(third)]).toEqual(["pending", "pending"]);
    event.set();
    await second;
    expect(await stateOf(third)).toBe("pending");
    event.set();
    await third;
    event.set();
    event.set();
    await event.wait();
    expect(event.isSet).toBe(false);
  });
});

test("what the guest sets the host sees", async () => {
  await run(async (runtime) => {
    const event = runtime.event();
    const waiting = event.wait();
    expect(await runtime.spawn("event_set", [event.address])).toBe(0);
    await waiting;
    expect(event.isSet).toBe(true);
  });
});

describe("an abort", () => {
  const reason = new Error("enough");

  test("ends the wait with its reason", async () => {
    await run(async (runtime) => {
      const event = runtime.event({ automatic: true });
      const controller = new AbortController();
      const aborted = event.wait({ signal: controller.signal });
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      await expect(event.wait({ signal: controller.signal })).rejects.toBe(reason);
      event.set();
      expect(event.isSet).toBe(true);
    });
  });

  test("ends no wait that need not wait", async () => {
    await run(async (runtime) => {
      const event = runtime.event({ automatic: true });
      event.set();
      await event.wait({ signal: AbortSignal.abort(reason) });
      expect(event.isSet).toBe(false);
    });
  });

  test("that comes in the run that served the wait is too late", async () => {
    await run(async (runtime) => {
      const event = runtime.event({ automatic: true });
      const controller = new AbortController();
      const waiting = event.wait({ signal: controller.signal });
      calls.on = () => controller.abort(reason);
      await runtime.spawn("event_set_then_call", [event.address]);
      await waiting;
      expect(event.isSet).toBe(false);
    });
  });

  test("does not hold on to signals of waits that are over", async () => {
    await run(async (runtime) => {
      const event = runtime.event();
      event.set();
      const controller = new AbortController();
      let listeners = 0;
      const { signal } = controller;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--;
        remove(...args);
      };
      for (let i = 0; i < 10; i++) await event.wait({ signal });
      event.reset();
      const waiting = event.wait({ signal });
      event.set();
      await waiting;
      expect(listeners).toBe(0);
    });
  });
});

test("a wait ends with SF_DISPOSED when the runtime does, and set is no error then", async () => {
  const runtime = await open();
  const event = runtime.event();
  const waiting = event.wait();
  await Promise.all([
    runtime[Symbol.asyncDispose](),
    expect(waiting).rejects.toMatchObject({ code: "SF_DISPOSED" }),
  ]);
  await expect(event.wait()).rejects.toMatchObject({ code: "SF_DISPOSED" });
  expect(() => runtime.event()).toThrow(expect.objectContaining({ code: "SF_DISPOSED" }));
  event.set();
  event.reset();
  expect(event.isSet).toBe(false);
});

test("10,000 waits leave no memory behind", async () => {
  await run(async (runtime) => {
    const event = runtime.event({ automatic: true });
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const controller = new AbortController();
        const waits = [event.wait(), event.wait({ signal: controller.signal })];
        event.set();
        controller.abort();
        await Promise.allSettled(waits);
      }
    };
    await round(10);
    const { regionsBytes } = runtime.stats;
    await round(5_000);
    expect(runtime.stats.regionsBytes).toBe(regionsBytes);
  });
});

import { describe, expect, test } from "vitest";
import { SHARED, SIGNAL } from "../../ts/abi.gen.ts";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("values");

describe("a future", () => {
  law("is set once and read by all", "future_is_set_once");
  law("closed without a value gives EPIPE", "future_closed");
});

describe("once", () => {
  for (const failures of [0, 1, 3, 5]) {
    law(
      `after ${failures} failures somebody succeeds, and nobody runs it again`,
      "once_failure_passes_on",
      [failures],
    );
  }
  law("is not held up by a canceled waiter or runner", "once_cancel");
});

describe("a futex", () => {
  law("wakes those at its address, in order", "futex_by_address", [0]);
  law("wakes those at its address when others share its queue", "futex_by_address", [1]);
  law("does not wait for a word that has changed", "futex_edges");
});

describe("a ticker", () => {
  law("does not drift, and says what it missed", "ticker_does_not_drift");
  law("of no period, of an endless one, and shared", "ticker_edges");
});

describe("a rate limiter", () => {
  law("gives its burst, then its rate", "limiter_burst_and_rate");
  law("serves in order, and a canceled call takes nothing", "limiter_in_order");
  law("knows what is more than its burst, whatever the figures", "limiter_extremes");
});

const POSITIONS = [
  ["from its start", 0],
  ["across the wrap of its position", -5],
] as const;

describe.each(POSITIONS)("a broadcast %s", (_name, position) => {
  law("tells who lags how much it missed, and is drained after the close", "broadcast_lag", [
    position,
  ]);
  law("reaches every parked consumer, in order", "broadcast_parked_consumers", [position]);
  for (const capacity of [1, 2, 7, 16]) {
    law(`agrees with a log of everything, capacity ${capacity}`, "broadcast_agrees_with_a_log", [
      capacity,
      position === 0 ? 0 : -250,
      capacity,
    ]);
  }
});

law("a broadcast needs a buffer and items", "broadcast_refuses");

describe("a watch", () => {
  law("gives the latest value, and each version once", "watch_latest");
  law("has versions that wrap, and can be closed", "watch_wrap_and_close");
});

describe("a signal", () => {
  law("wakes every watcher of its kind", "signal_wakes_every_watcher");
  law("raised several times is one, with a count", "signal_coalesces");
  law("that is no longer watched ends its waits", "signal_unwatch_ends_waits");
  law("can be selected", "signal_select");

  test("the host sees which signals are watched", async () => {
    const host = await VirtualHost.open(await load());
    const watched = (): number => host.guest.sharedU32(SHARED.signalsWatched);
    expect(watched()).toBe(0);
    await host.run("signal_watch", [0, SIGNAL.INTERRUPT]);
    await host.run("signal_watch", [1, SIGNAL.INTERRUPT]);
    await host.run("signal_watch", [2, SIGNAL.WINDOW]);
    expect(watched()).toBe((1 << SIGNAL.INTERRUPT) | (1 << SIGNAL.WINDOW));
    await host.run("signal_unwatch", [0]);
    await host.run("signal_unwatch", [0]);
    await host.run("signal_unwatch", [2]);
    await host.run("signal_unwatch", [5]);
    expect(watched()).toBe(1 << SIGNAL.INTERRUPT);
    await host.run("signal_unwatch", [1]);
    expect(watched()).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import { SHARED, SIGNAL } from "../../ts/abi.gen.ts";
import { VirtualHost, virtualLawsOf } from "../support/virtual-host.ts";

const { law, load } = virtualLawsOf("signal-watch");

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

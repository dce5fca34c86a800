import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SHARED } from "../../ts/abi.gen.ts";
import type { Guest } from "../../ts/guest/guest.ts";
import { AutoTrim } from "../../ts/runtime/auto-trim.ts";

const MIB = 1024 * 1024;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Regions of `usedMib` in use, and an AutoTrim whose trims leave `leaves` MiB free. */
function open({ usedMib = 0, leaves = 0 } = {}) {
  let freeMib = 0;
  const guest = {
    sharedU32: (field: number) =>
      (field === SHARED.regionsFreeBytes ? freeMib : freeMib + usedMib) * MIB,
  } as Guest;
  const state = { idle: true, trims: 0 };
  const auto = new AutoTrim(guest, {
    idle: () => state.idle,
    trim: () => {
      state.trims++;
      freeMib = leaves;
    },
  });
  const free = (mib: number): void => {
    freeMib = mib;
    auto.look();
  };
  return { state, free, auto };
}

test("memory that stays free for a second is given back, once", () => {
  const { state, free } = open();
  free(100);
  vi.advanceTimersByTime(999);
  expect(state.trims).toBe(0);
  vi.advanceTimersByTime(1);
  expect(state.trims).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("up to 16 MiB are kept, and no timer runs", () => {
  const { free } = open();
  free(16);
  expect(vi.getTimerCount()).toBe(0);
});

test("no more than what is in use is kept", () => {
  const { state, free } = open({ usedMib: 100 });
  free(100);
  expect(vi.getTimerCount()).toBe(0);
  free(101);
  vi.advanceTimersByTime(1000);
  expect(state.trims).toBe(1);
});

test("a burst within the second postpones it", () => {
  const { state, free } = open();
  free(100);
  vi.advanceTimersByTime(900);
  free(5);
  free(100);
  vi.advanceTimersByTime(1000);
  expect(state.trims).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(state.trims).toBe(1);
});

test("a few tasks that come and go do not", () => {
  const { state, free } = open();
  for (let index = 0; index < 10; index++) {
    free(100 - (index % 2));
    vi.advanceTimersByTime(100);
  }
  expect(state.trims).toBe(1);
});

test("a burst that uses it all ends the wait", () => {
  const { state, free } = open();
  free(100);
  free(0);
  vi.advanceTimersByTime(1000);
  expect(state.trims).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("while tasks run it waits", () => {
  const { state, free } = open();
  state.idle = false;
  free(100);
  vi.advanceTimersByTime(5000);
  expect(state.trims).toBe(0);
  state.idle = true;
  vi.advanceTimersByTime(1000);
  expect(state.trims).toBe(1);
});

test("what a trim could not give back is not searched again, until there is more", () => {
  const { state, free } = open({ leaves: 60 });
  free(100);
  vi.advanceTimersByTime(10_000);
  expect(state.trims).toBe(1);
  free(76);
  vi.advanceTimersByTime(10_000);
  expect(state.trims).toBe(1);
  free(77);
  vi.advanceTimersByTime(10_000);
  expect(state.trims).toBe(2);
});

test("nothing happens after stop", () => {
  const { state, free, auto } = open();
  free(100);
  auto.stop();
  vi.advanceTimersByTime(10_000);
  expect(state.trims).toBe(0);
});

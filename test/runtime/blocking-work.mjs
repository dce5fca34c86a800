// What the tests of `runtime.blocking` have done on threads. Arrays are shared with the test.

import { readFileSync } from "node:fs";

export const double = (number) => 2 * number;

export async function later(value) {
  await null;
  return { value };
}

/** Holds its thread until it is let go: [running, most of them at once, to let go]. */
export function hold(counts) {
  const running = Atomics.add(counts, 0, 1) + 1;
  for (;;) {
    const most = Atomics.load(counts, 1);
    if (running <= most || Atomics.compareExchange(counts, 1, most, running) === most) break;
  }
  for (;;) {
    const left = Atomics.load(counts, 2);
    if (left === 0) Atomics.wait(counts, 2, 0);
    else if (Atomics.compareExchange(counts, 2, left, left - 1) === left) break;
  }
  Atomics.sub(counts, 0, 1);
}

export function mark(counts) {
  Atomics.add(counts, 0, 1);
}

/** Counts for ever. */
export function spin(counts) {
  for (;;) Atomics.add(counts, 0, 1);
}

export function exit(code) {
  process.exit(code);
}

class OwnError extends Error {
  name = "OwnError";
  detail = { depth: 2 };
}

export function fail(how) {
  if (how === "range") throw new RangeError("out of range", { cause: "a cause" });
  if (how === "file") readFileSync("/nowhere/at all");
  if (how === "own") throw new OwnError("own");
  if (how === "value") throw { no: "error" };
  return () => {};
}

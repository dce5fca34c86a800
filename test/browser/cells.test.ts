import { describe, expect, test } from "vitest";
import { Cells } from "../../examples/browser/src/engine/cells.ts";
import { CELL_RAN, CELL_WAIT } from "../../examples/browser/src/engine/protocol.ts";
import { Waits } from "../../examples/browser/src/engine/waits.ts";
import { WAIT } from "../../ts/abi.gen.ts";

/** Parked in a sleep. */
const SLEEPS = 2 | (WAIT.SLEEP << 8);

/** As `taskStates` writes it: ids from the newest to the oldest. */
function states(ids: readonly number[], switches = 1): Uint32Array {
  const newestFirst = [...ids].sort((a, b) => b - a);
  return Uint32Array.from(newestFirst.flatMap((id) => [id, SLEEPS, switches]));
}

const placesOf = (cells: Cells, ids: readonly number[]): number[] =>
  ids.map((id) => cells.placeOf(id));

describe("a place for each coroutine", () => {
  test("the first ones stand in the order of their coming", () => {
    const cells = new Cells(new Waits());
    cells.update(states([1, 2, 3, 4]));
    expect(placesOf(cells, [1, 2, 3, 4])).toEqual([0, 1, 2, 3]);
    expect(cells.idAt(2)).toBe(3);
    expect([cells.tasks, cells.length]).toEqual([4, 4]);
  });

  test("whoever stays keeps it, and who is new takes one that is free", () => {
    const cells = new Cells(new Waits());
    cells.update(states([1, 2, 3, 4, 5]));
    cells.update(states([1, 3, 5]));
    expect(placesOf(cells, [1, 3, 5])).toEqual([0, 2, 4]);
    expect(cells.idAt(1)).toBe(undefined);
    expect(cells.placeOf(2)).toBe(-1);
    expect([...cells.bytes.subarray(0, 5)].map((byte) => byte !== 0)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
    cells.update(states([1, 3, 5, 6, 7, 8]));
    expect(new Set(placesOf(cells, [6, 7, 8]))).toEqual(new Set([1, 3, 5]));
    expect(placesOf(cells, [1, 3, 5])).toEqual([0, 2, 4]);
  });

  test("when most have gone, those that are left move up", () => {
    const cells = new Cells(new Waits());
    cells.update(states(Array.from({ length: 100 }, (_, index) => index + 1)));
    cells.update(states([10, 50, 90]));
    expect(placesOf(cells, [10, 50, 90])).toEqual([0, 1, 2]);
    expect(cells.length).toBe(3);
  });

  test("random comings and goings: no two in one place, and nobody moves without need", () => {
    const cells = new Cells(new Waits());
    let random = 7;
    const below = (end: number): number => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
      return random % end;
    };
    let live: number[] = [];
    let next = 1;
    for (let round = 0; round < 300; round++) {
      const before = new Map(live.map((id) => [id, cells.placeOf(id)]));
      live = live.filter(() => below(5) > 0);
      for (let count = below(40); count > 0; count--) live.push(next++);
      const length = cells.length;
      cells.update(states(live));
      const places = placesOf(cells, live);
      expect(new Set(places).size).toBe(live.length);
      expect(Math.max(-1, ...places)).toBeLessThan(cells.length);
      if (cells.length < length) continue; // They have moved up.
      for (const id of live) if (before.has(id)) expect(cells.placeOf(id)).toBe(before.get(id));
    }
  });
});

test("a coroutine that was entered since is marked, in that picture only", () => {
  const waits = new Waits();
  const cells = new Cells(waits);
  cells.update(states([1, 2], 1));
  expect(cells.bytes[0]! & CELL_RAN).toBe(CELL_RAN);
  cells.update(states([1, 2], 1));
  expect(cells.bytes[0]! & CELL_RAN).toBe(0);
  cells.update(Uint32Array.from([2, SLEEPS, 2, 1, SLEEPS, 1]));
  expect([0, 1].map((place) => cells.bytes[place]! & CELL_RAN)).toEqual([0, CELL_RAN]);
  expect(waits.names[cells.bytes[0]! & CELL_WAIT]).toBe("sleep");
  expect(cells.counts[waits.names.indexOf("sleep")]).toBe(2);
});

test("states have the names that the runtime gives them, each one index", () => {
  const waits = new Waits();
  const reads = 2 | (WAIT.OP << 8) | (5 << 16);
  const codes = [0, 1, reads, 2 | (WAIT.RECEIVE << 8), SLEEPS, reads, 0];
  const names = codes.map((code) => waits.names[waits.indexOf(code)]);
  expect(names.slice(0, 5)).toEqual([
    "ready",
    "running",
    "operation read",
    "channel receive",
    "sleep",
  ]);
  expect(names.slice(5)).toEqual([names[2], names[0]]);
  expect(waits.names).toHaveLength(6);
});

import { expect, test } from "vitest";
import { freshSeed, Random } from "../../ts/host/sim/random.ts";

const DRAWS = 100_000;

test("the same seed gives the same stream, another seed another one", () => {
  const draw = (seed: string): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 100 }, () => random.bits());
  };
  expect(draw("7")).toEqual(draw("7"));
  for (const other of ["8", "77", "", "7 "]) expect(draw(other)).not.toEqual(draw("7"));
});

test("a fork is the same however much was drawn before, and no other's", () => {
  const first = new Random("seed").fork("disk").bytes(32);
  const late = new Random("seed");
  for (let index = 0; index < 1000; index++) late.bits();
  expect(late.fork("disk").bytes(32)).toEqual(first);
  expect(late.fork("disks").bytes(32)).not.toEqual(first);
  expect(new Random("seed").fork("a").fork("b").bytes(32)).not.toEqual(
    new Random("seed").fork("b").fork("a").bytes(32),
  );
});

test("every bit is set half of the time", () => {
  const random = new Random("bits");
  const ones = new Array<number>(32).fill(0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const bits = random.bits();
    for (let bit = 0; bit < 32; bit++) ones[bit]! += (bits >>> bit) & 1;
  }
  // Six standard deviations of DRAWS coins.
  for (const count of ones) expect(Math.abs(count - DRAWS / 2)).toBeLessThan(3 * Math.sqrt(DRAWS));
});

test("whole numbers are spread evenly over their range", () => {
  const random = new Random("integers");
  for (const end of [1, 2, 7, 100]) {
    const counts = new Array<number>(end).fill(0);
    for (let draw = 0; draw < DRAWS; draw++) counts[random.integer(end)]!++;
    const mean = DRAWS / end;
    for (const count of counts)
      expect(Math.abs(count - mean)).toBeLessThan(6 * Math.sqrt(mean) + 1);
  }
});

test("a chance comes as often as its probability says; 0 and 1 draw nothing", () => {
  const random = new Random("chances");
  let hits = 0;
  for (let draw = 0; draw < DRAWS; draw++) if (random.chance(0.03)) hits++;
  expect(Math.abs(hits / DRAWS - 0.03)).toBeLessThan(0.004);
  const [one, other] = [new Random("same"), new Random("same")];
  for (let draw = 0; draw < 100; draw++) {
    expect(one.chance(0)).toBe(false);
    expect(one.chance(1)).toBe(true);
  }
  expect(one.bits()).toBe(other.bits());
});

test("bytes of any length are filled", () => {
  for (const length of [0, 1, 3, 4, 5, 1001]) {
    const bytes = new Random(`bytes ${length}`).bytes(length);
    expect(bytes).toHaveLength(length);
    if (length > 100) expect(new Set(bytes).size).toBeGreaterThan(100);
  }
});

test("fresh seeds differ", () => {
  expect(new Set(Array.from({ length: 100 }, freshSeed)).size).toBe(100);
});

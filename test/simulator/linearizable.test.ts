// Goal: the checker of the key-value store finds an order of a history if and only if there is one.
// Method: random small histories, compared with a search through every order.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NOTHING, type Operation, whyNotLinearizable } from "./linearizable.ts";

/** By trying every order. Writes without an end may be left out. */
function hasOrder(history: readonly Operation[]): boolean {
  const search = (held: number, left: readonly Operation[]): boolean => {
    if (left.every(isPending)) return true;
    const firstEnd = Math.min(...left.map(({ endNs }) => endNs));
    return left.some((next) => {
      // Another one ended before it began.
      if (next.startNs > firstEnd) return false;
      if (next.kind === "read" && next.value !== held) return false;
      return search(
        next.kind === "write" ? next.value : held,
        left.filter((other) => other !== next),
      );
    });
  };
  return search(
    NOTHING,
    history.filter((operation) => operation.kind === "write" || !isPending(operation)),
  );
}

function isPending({ endNs }: Operation): boolean {
  return endNs === Number.POSITIVE_INFINITY;
}

const span = fc.tuple(fc.nat(12), fc.nat(6), fc.nat(9)).map(([startNs, length, pending]) => ({
  startNs,
  endNs: pending === 0 ? Number.POSITIVE_INFINITY : startNs + length,
}));

const histories = fc
  .tuple(fc.array(span, { maxLength: 4 }), fc.array(fc.tuple(span, fc.nat(4)), { maxLength: 4 }))
  .map(([writes, reads]): Operation[] => [
    ...writes.map((when, index) => ({ kind: "write" as const, value: index + 1, ...when })),
    ...reads.map(([when, value]) => ({ kind: "read" as const, value, ...when })),
  ]);

test("a history is accepted if and only if some order explains it", () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(histories, (history) => {
      const why = whyNotLinearizable(history);
      if (why === undefined) accepted++;
      else refused++;
      expect(why === undefined).toBe(hasOrder(history));
    }),
    { numRuns: 20_000 },
  );
  expect(Math.min(accepted, refused)).toBeGreaterThan(1_000);
});

test("a write that was acknowledged and then not read is found", () => {
  expect(
    whyNotLinearizable([
      { kind: "write", value: 1, startNs: 0, endNs: 1 },
      { kind: "write", value: 2, startNs: 2, endNs: 3 },
      { kind: "read", value: 1, startNs: 4, endNs: 5 },
    ]),
  ).toMatch(/2 was written from 2 to 3, while it held 1/);
});

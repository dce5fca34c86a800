// Goal: the laws can fail: for each primitive there is a fault of the core that they find.
// Method: faults are put into a copy of the core's sources; the same guest is linked with it.
import { beforeAll, describe, expect, test } from "vitest";
import { faultyCore } from "../support/faulty-core.ts";
import { buildModel } from "./build.ts";
import { Explorer, type Violation } from "./explore.ts";
import { batches, type Mutation } from "./mutations.ts";
import { primitives } from "./primitives/index.ts";

const ORDERS_MAX = 200_000;

for (const [name, mutations] of Object.entries(batches)) {
  describe(name, () => {
    let explorer: Explorer;
    beforeAll(async () => {
      const wasm = await buildModel(await faultyCore(name, mutations));
      explorer = new Explorer(new WebAssembly.Module(wasm));
    });
    for (const mutation of mutations) {
      test(`${mutation.primitive.name}: found when ${mutation.fault}`, () => {
        expect(firstViolation(explorer, mutation)?.law).toBe(mutation.breaks);
      });
    }
  });
}

test("every primitive has a fault that is found", () => {
  const mutated = Object.values(batches).flatMap((each) => each.map(({ primitive }) => primitive));
  expect(new Set(mutated)).toEqual(new Set(primitives));
});

function firstViolation(explorer: Explorer, { primitive }: Mutation): Violation | undefined {
  for (const given of primitive.cases()) {
    const { violation } = explorer.every(given, ORDERS_MAX);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

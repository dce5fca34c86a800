import { expect, test } from "vitest";
import { pairs } from "./primitives/host.ts";
import { primitives } from "./primitives/index.ts";

test("every primitive has a case of three tasks with three operations each", () => {
  const without = primitives.filter((primitive) => {
    for (const { tasks } of primitive.cases()) {
      if (tasks.filter((script) => script.length >= 3).length >= 3) return false;
    }
    return primitive !== pairs; // Two requests at a time, as its name says.
  });
  expect(without.map(({ name }) => name)).toEqual([]);
});

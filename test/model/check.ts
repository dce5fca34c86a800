//! Runs the cases of a primitive, and says what it did and how to run a failing order again.

import { expect, test } from "vitest";
import { buildModel } from "./build.ts";
import type { Case, Primitive } from "./case.ts";
import { Explorer, type Violation } from "./explore.ts";

/** More than any case has: a case that is not exhausted is too large. */
const ORDERS_MAX = 200_000;

let explorer: Promise<Explorer> | undefined;

export function openExplorer(): Promise<Explorer> {
  explorer ??= buildModel().then((wasm) => new Explorer(new WebAssembly.Module(wasm)));
  return explorer;
}

export function report(text: string): void {
  process.stdout.write(`model: ${text}\n`);
}

/** A test that explores every order of every case. */
export function everyOrder(primitive: Primitive): void {
  test(`${primitive.name}: its laws hold in every order`, { timeout: 300_000 }, async () => {
    const explore = await openExplorer();
    const total = { cases: 0, orders: 0, steps: 0 };
    for (const given of primitive.cases()) {
      const { orders, steps, exhaustive, violation } = explore.every(given, ORDERS_MAX);
      if (violation !== undefined) throw new Error(failure(primitive, given, violation));
      expect(exhaustive, `${given.name}: more than ${ORDERS_MAX} orders`).toBe(true);
      total.cases++;
      total.orders += orders;
      total.steps += steps;
    }
    report(
      `${primitive.name}: ${total.cases} cases, all ${total.orders} orders, ${total.steps} steps`,
    );
  });
}

export function failure(primitive: Primitive, given: Case, violation: Violation): string {
  const args = [primitive.name, given.name, violation.choices.join(".")];
  return [
    `${primitive.name}: ${violation.law}`,
    violation.message,
    `in ${given.name}`,
    violation.log,
    "again:",
    `node --import ./test/support/register-ts.mjs test/model/replay.ts ${args.map((arg) => `'${arg}'`).join(" ")}`,
  ].join("\n");
}

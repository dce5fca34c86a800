//! What scripts are made of: the operations of guest/operations.def, as functions.

import { readFileSync } from "node:fs";
import { ARM_SOURCE } from "../../ts/abi.gen.ts";
import { packageRoot } from "../../ts/package-files.ts";

const text = readFileSync(packageRoot("test/model/guest/operations.def"), "utf8");
const names = [...text.matchAll(/^OPERATION\((\w+),/gm)].map((match) => match[1]!);
const codes = new Map(names.map((name, code) => [name, code]));

/** As in model.h. */
const FLAGS = { shielded: 1, after0: 2, after1: 4 };

/** Put in place of an item: the script gives each its own number. */
export const FRESH = -1;

export interface Op {
  readonly name: string;
  readonly code: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly until: number;
  readonly flags: number;
}

/** @throws {RangeError} there is no such operation. */
export function op(name: string, a = 0, b = 0, c = 0): Op {
  const code = codes.get(name);
  if (code === undefined) throw new RangeError(`guest/operations.def has no operation "${name}"`);
  return { name, code, a, b, c, until: 0, flags: 0 };
}

/** With a timeout: until the clock, which starts at 1, is there. */
export const until = (instant: number, inner: Op): Op => ({ ...inner, until: instant });
export const shielded = (inner: Op): Op => ({ ...inner, flags: inner.flags | FLAGS.shielded });
/** Only when the task's operation before gave 0. */
export const after0 = (inner: Op): Op => ({ ...inner, flags: inner.flags | FLAGS.after0 });
/** Only when the task's operation before gave 1. */
export const after1 = (inner: Op): Op => ({ ...inner, flags: inner.flags | FLAGS.after1 });

export const isShielded = (call: Op): boolean => (call.flags & FLAGS.shielded) !== 0;

/** An arm of op("select", arm, arm, arm). `number`: permits, an item, an instant. */
export function arm(source: keyof typeof ARM_SOURCE, which = 0, number = 0): number {
  return ARM_SOURCE[source] | (which << 8) | (number << 16);
}

/** `script` in task `task`, with its own items. */
export function withItems(script: readonly Op[], task: number): Op[] {
  return script.map((each, index) =>
    each.b === FRESH ? { ...each, b: 1000 * (task + 1) + 10 * (index + 1) } : each,
  );
}

const ARM_NAMES = Object.keys(ARM_SOURCE);

export function describe(each: Op): string {
  const args = [each.a, each.b === FRESH ? "item" : each.b, each.c].map((word) =>
    typeof word === "number" && each.name.startsWith("select") && word !== 0
      ? `${(ARM_NAMES[word & 255] ?? "").toLowerCase()} ${(word >> 8) & 255} ${word >> 16}`
      : word,
  );
  while (args.at(-1) === 0) args.pop();
  const timeout = each.until === 0 ? "" : ` until ${each.until}`;
  return `${each.name}(${args.join(", ")})${timeout}${isShielded(each) ? ", shielded" : ""}`;
}

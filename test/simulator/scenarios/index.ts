import type { Scenario } from "../scenario.ts";
import { chat } from "./chat.ts";
import { copy } from "./copy.ts";
import { echo } from "./echo.ts";
import { kv } from "./kv.ts";
import { pool } from "./pool.ts";

export const scenarios: readonly Scenario[] = [echo, pool, chat, copy, kv];

/** @throws {RangeError} there is no such scenario. */
export function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new RangeError(`there is no scenario "${name}"`);
  return scenario;
}

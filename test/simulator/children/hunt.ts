//! Looks for a seed that fails, and prints the first as a line of JSON: SCENARIO FAULTS SEEDS [CORE].

import { readFileSync } from "node:fs";
import type { Preset } from "../../../ts/host/sim/options.ts";
import { buildGuest } from "../build.ts";
import { run } from "../run.ts";
import { scenarios } from "../scenarios/index.ts";

const [name, faults, seeds, core] = process.argv.slice(2) as [string, Preset, string, string?];
const { guest } = scenarios.find((scenario) => scenario.name === name)!;
const module = await buildGuest(guest, core === undefined ? undefined : readFileSync(core));
for (let seed = 1; seed <= Number(seeds); seed++) {
  const { failure } = await run({ scenario: name, seed, faults }, module);
  if (failure === undefined) continue;
  process.stdout.write(`${JSON.stringify({ seed, law: failure.law, message: failure.message })}\n`);
  break;
}

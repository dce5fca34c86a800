// Goal: the scenarios can fail: each of these faults is found within 2,000 seeds.
// Method: the fault is put into a copy of the core, or into a module as it is loaded.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultyCore } from "../support/faulty-core.ts";
import { type Mutation, mutations } from "./mutations.ts";
import type { Job, Outcome } from "./run.ts";
import { runMany } from "./run-many.ts";
import { scenarioOf } from "./scenarios/index.ts";

const SEEDS_MAX = 2_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-mutations-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function* jobsOf({ scenario, faults }: Mutation): Generator<Job> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) yield { scenario, seed, faults };
}

for (const mutation of mutations) {
  const { fault, core, source, scenario } = mutation;
  test(`${scenario} finds it: ${fault}`, { timeout: 600_000 }, async () => {
    const corePath = join(directory, "core.wasm");
    if (core !== undefined) writeFileSync(corePath, await faultyCore("simulated", [core]));
    const found: Outcome[] = [];
    await runMany([scenarioOf(scenario)], jobsOf(mutation), {
      processes: 1,
      ...(core === undefined ? {} : { corePath }),
      ...(source === undefined ? {} : { fault: source }),
      onOutcome: (outcome) => {
        if (outcome.failure !== undefined) found.push(outcome);
        return outcome.failure === undefined;
      },
    });
    expect(mutation.breaks).toContain(found[0]?.failure?.law);
  });
}

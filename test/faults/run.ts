//! One run of one scenario: here, or in a process of its own.

import assert from "node:assert/strict";
import { Random } from "../../ts/host/sim/random.ts";
import { childCommand } from "../support/child.ts";
import { openDescriptors } from "../support/descriptors.ts";
import { runProgram } from "../support/run-program.ts";
import type { FaultBackend } from "./backends.ts";
import type { Counts, Scenario } from "./scenario.ts";
import { makeScratch, removeScratch, within } from "./surroundings.ts";

export interface FaultJob {
  readonly scenario: string;
  readonly backend: FaultBackend;
  readonly seed: string;
  readonly size: "short" | "full";
  readonly minutes: number;
}

export type FaultOutcome =
  | { readonly counts: Counts }
  | { readonly failure: string }
  | { readonly skipped: string };

/** Longer than it takes anywhere to notice that something hangs, and to say what. */
const PROCESS_MS = 600_000;

/** How long the system may take to close what nobody has any more. */
const CLOSING_MS = 60_000;

/**
 * Runs it in this process, which has no other descriptors afterwards.
 *
 * @throws {Error} a law does not hold.
 */
export async function runHere(scenario: Scenario, job: FaultJob): Promise<Counts> {
  await warmUp();
  const before = descriptors();
  const random = new Random(`${job.scenario} ${job.seed}`);
  const counts = await scenario.run({ ...job, random });
  await closed(before);
  return counts;
}

/** What Node opens once, when it first has a child process. */
async function warmUp(): Promise<void> {
  await runProgram("true", []);
}

async function closed(before: readonly string[]): Promise<void> {
  const end = performance.now() + CLOSING_MS;
  while (descriptors().length > before.length && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(descriptors(), before, "no descriptor is left");
}

/** libuv keeps one in reserve, for when there is no other, and opens it anew elsewhere. */
function descriptors(): string[] {
  return openDescriptors().filter((link) => link !== "/" && link !== "/dev/null");
}

/** Runs it in a process of its own, in its surroundings. */
export async function runApart(scenario: Scenario, job: FaultJob): Promise<FaultOutcome> {
  const skipped = scenario.without?.[job.backend];
  if (skipped !== undefined) return { skipped };
  const scratch = makeScratch();
  try {
    const child = childCommand("faults/child.ts", [JSON.stringify(job)], ["--expose-gc"]);
    const command = within(scenario.surroundings, [child[0], ...child[1]], scratch);
    if (typeof command === "string") return { skipped: command };
    const [program, ...args] = command;
    const { STACKFUL_BACKEND: _, ...env } = process.env;
    const limitMs = PROCESS_MS + 60_000 * job.minutes;
    const result = await runProgram(program, args, { env, limitMs });
    if (result.code === 0) return { counts: JSON.parse(result.stdout) as Counts };
    const how = result.hung ? "it hangs, and does not say where" : `it ended with ${result.code}`;
    return { failure: `${result.stderr}${how}` };
  } finally {
    removeScratch(scratch);
  }
}

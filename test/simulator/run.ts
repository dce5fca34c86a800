//! One run of one scenario, and what is told of it.

import type { Preset } from "../../ts/host/sim/options.ts";
import { describe } from "./program.ts";
import { scenarioOf } from "./scenarios/index.ts";
import { Simulation } from "./simulation.ts";
import { Violation } from "./violation.ts";

export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly faults: Preset;
}

export interface Failure {
  /** What should hold. */
  readonly law: string;
  readonly message: string;
  /** The last lines of the trace. */
  readonly trace: readonly string[];
  /** Of every program: its tasks, what they wait for, and where. */
  readonly tasks: string;
}

export interface Outcome extends Job {
  readonly failure: Failure | undefined;
  /** Virtual time that has passed. */
  readonly virtualMs: number;
}

const LINES_TOLD = 40;

/** Virtual time that does not move for so long, in real milliseconds, is stuck. */
const STUCK_MS = 20_000;

/** @param module - The linked guest of the scenario. */
export async function run(job: Job, module: WebAssembly.Module): Promise<Outcome> {
  const { outcome } = await runOnce(job, module, false);
  if (outcome.failure === undefined) return outcome;
  // The same again, now with the trace, which most runs do without.
  return (await runOnce(job, module, true)).outcome;
}

/** The same, with every line of the trace. */
export function runTraced(
  job: Job,
  module: WebAssembly.Module,
): Promise<{ readonly outcome: Outcome; readonly trace: readonly string[] }> {
  return runOnce(job, module, true);
}

async function runOnce(job: Job, module: WebAssembly.Module, traced: boolean) {
  const scenario = scenarioOf(job.scenario);
  const seed = `${job.scenario} ${job.seed}`;
  const simulation = new Simulation(seed, job.faults, module, traced);
  const { world } = simulation;
  const endWatch = watchTime(simulation);
  let failure: Failure | undefined;
  try {
    await simulation.run(() => scenario.run(simulation));
  } catch (error) {
    failure = {
      law: error instanceof Violation ? error.law : "the scenario runs",
      message: error instanceof Violation ? error.message : stackOf(error),
      trace: simulation.trace().slice(-LINES_TOLD),
      tasks: simulation.dump(),
    };
  } finally {
    endWatch();
  }
  await world[Symbol.asyncDispose]();
  const outcome: Outcome = { ...job, failure, virtualMs: world.nowNs / 1e6 };
  return { outcome, trace: simulation.trace() };
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : describe(error);
}

/** Guests that only yield to each other hold virtual time up for ever. */
function watchTime(simulation: Simulation): () => void {
  let seenNs = -1;
  const timer = setInterval(() => {
    const { nowNs } = simulation.world;
    if (nowNs === seenNs) {
      simulation.watch(
        Promise.reject(new Violation("every run ends", `time stands still at ${nowNs} ns`)),
      );
    }
    seenNs = nowNs;
  }, STUCK_MS);
  return () => clearInterval(timer);
}

/** The command that does the same again. */
function replayCommand({ scenario, seed, faults }: Job): string {
  return `npm run simulate -- ${scenario} --seed ${seed} --faults ${faults}`;
}

/** For people. */
export function formatFailure(job: Job, { law, message, trace, tasks }: Failure): string {
  const lines = [
    `FAILED ${job.scenario}, seed ${job.seed}, faults ${job.faults}`,
    `this does not hold: ${law}`,
    message,
    "",
    "the last of the trace:",
    ...trace.map((line) => `  ${line}`),
    "",
    ...(tasks === "" ? [] : [tasks]),
    `again: ${replayCommand(job)}`,
  ];
  return lines.join("\n");
}

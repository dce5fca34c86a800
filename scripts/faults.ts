//! `npm run faults -- [SCENARIO]`: guests on real backends, around which things break.

import { FAULT_BACKENDS, type FaultBackend, whyNot } from "../test/faults/backends.ts";
import { type FaultJob, type FaultOutcome, runApart } from "../test/faults/run.ts";
import type { Scenario } from "../test/faults/scenario.ts";
import { scenarios } from "../test/faults/scenarios/index.ts";
import { buildGuest } from "../test/support/build-guest.ts";
import { parseCommand, UsageError } from "../ts/cli/arguments.ts";
import { freshSeed } from "../ts/host/sim/random.ts";
import { chooseScenarios, runScript } from "./command.ts";

const NAMES = scenarios.map(({ name }) => name).join(", ");
const GUESTS = ["faults", "descriptors", "disk"];

const USAGE = `usage: npm run faults -- [SCENARIO] [options]

Runs guests on this machine's backends, breaks what is around them, and checks that no byte is lost or
repeated, that nothing is left, and that nothing hangs. SCENARIO is one of ${NAMES}, or all.

  --backend NAME  one of ${FAULT_BACKENDS.join(", ")} (default: each but kqueue, which is over a shim)
  --seed S        of all choices; the order of events is the system's (default: a random one)
  --minutes N     how long the scenario random goes on (default: 5)
  --short         as the tests run them
  --help          this text
`;

interface Wanted {
  readonly scenarios: readonly Scenario[];
  readonly backends: readonly FaultBackend[];
  readonly seed: string;
  readonly minutes: number;
  readonly size: "short" | "full";
}

/** @throws {UsageError} */
function parse(args: readonly string[]): Wanted | undefined {
  const parsed = parseCommand(args, USAGE, {
    backend: { type: "string" },
    seed: { type: "string", default: freshSeed() },
    minutes: { type: "string", default: "5" },
    short: { type: "boolean", default: false },
  });
  if (parsed === undefined) return undefined;
  const { values, positionals } = parsed;
  const chosen = chooseScenarios(scenarios, positionals, USAGE);
  const backends = FAULT_BACKENDS.filter((backend) =>
    values.backend === undefined ? backend !== "kqueue" : backend === values.backend,
  );
  if (backends.length === 0) {
    const known = FAULT_BACKENDS.join(", ");
    throw new UsageError(`--backend ${values.backend}: expected one of ${known}`);
  }
  const minutes = Number(values.minutes);
  if (!(minutes > 0))
    throw new UsageError(`--minutes ${values.minutes}: expected a number above 0`);
  const size = values.short ? "short" : "full";
  return { scenarios: chosen, backends, seed: values.seed, minutes, size };
}

/** The command that makes the same choices again. */
function replayCommand({ scenario, backend, seed, size, minutes }: FaultJob): string {
  const length =
    size === "short" ? " --short" : scenario === "random" ? ` --minutes ${minutes}` : "";
  return `npm run faults -- ${scenario} --backend ${backend} --seed ${seed}${length}`;
}

function tell(job: FaultJob, outcome: FaultOutcome, seconds: number): void {
  const head = `${job.scenario} ${job.backend}`;
  if ("skipped" in outcome) {
    process.stdout.write(`${head}: skipped: ${outcome.skipped}\n`);
  } else if ("counts" in outcome) {
    const figures = Object.entries(outcome.counts).map(([name, count]) => `${name} ${count}`);
    process.stdout.write(`${head}: ${figures.join(", ")}; ${seconds.toFixed(1)} s\n`);
  } else {
    const lines = [`FAILED ${head}`, outcome.failure, `again: ${replayCommand(job)}`];
    process.stdout.write(`\n${lines.join("\n")}\n\n`);
  }
}

async function runAll({ scenarios: chosen, backends, ...rest }: Wanted): Promise<number> {
  const startMs = performance.now();
  // Here, once: the processes find them made.
  for (const guest of GUESTS) await buildGuest(guest);
  const counted = { runs: 0, skipped: 0, failed: 0 };
  for (const backend of backends) {
    const missing = await whyNot(backend);
    for (const scenario of chosen) {
      const job: FaultJob = { ...rest, scenario: scenario.name, backend };
      const beganMs = performance.now();
      const outcome = missing === undefined ? await runApart(scenario, job) : { skipped: missing };
      tell(job, outcome, (performance.now() - beganMs) / 1_000);
      if ("skipped" in outcome) counted.skipped++;
      else counted.runs++;
      if ("failure" in outcome) counted.failed++;
    }
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const { runs, skipped, failed } = counted;
  const end = failed === 0 ? "no failure" : `${failed} failed`;
  process.stdout.write(`${runs} runs in ${seconds.toFixed(1)} s, ${skipped} skipped, ${end}\n`);
  return failed === 0 ? 0 : 1;
}

async function main(wanted: Wanted): Promise<number> {
  const { scenarios: chosen, backends, seed } = wanted;
  const name = chosen.length === 1 ? chosen[0]!.name : "all";
  process.stdout.write(`seed ${seed} scenario ${name} backends ${backends.join(",")}\n`);
  return runAll(wanted);
}

await runScript("faults", parse, main);

//! `npm run simulate -- [SCENARIO]`: guests under faults in a simulated world. See docs/simulator.md.

import { availableParallelism } from "node:os";
import { buildGuest } from "../test/simulator/build.ts";
import { formatFailure, type Job, type Outcome, runTraced } from "../test/simulator/run.ts";
import { runMany } from "../test/simulator/run-many.ts";
import type { Scenario } from "../test/simulator/scenario.ts";
import { scenarios } from "../test/simulator/scenarios/index.ts";
import { parseCommand, parseCount, UsageError } from "../ts/cli/arguments.ts";
import { PRESETS, type Preset } from "../ts/host/sim/options.ts";
import { chooseScenarios, runScript } from "./command.ts";

const NAMES = scenarios.map(({ name }) => name).join(", ");

const USAGE = `usage: npm run simulate -- [SCENARIO] [options]

Runs guests on a simulated network and disk, breaks what it can, and checks what they did.
SCENARIO is one of ${NAMES}, or all.

  --seeds N        how many seeds, each with every scenario (default: 1 with --seed, else 100)
  --seed S         the first of them (default: a random one)
  --faults PRESET  ${Object.keys(PRESETS).join(", ")} (default: chaos)
  --trace          print everything that happened; with one scenario and one seed
  --processes N    how many runs at once (default: one for each processor)
  --keep-going     go on after a failure
  --help           this text
`;

const SEED_END = 2 ** 31;

interface Options {
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  readonly seeds: number;
  readonly faults: Preset;
  readonly trace: boolean;
  readonly processes: number;
  readonly keepGoing: boolean;
}

/** @throws {UsageError} */
function parseOptions(args: readonly string[]): Options | undefined {
  const parsed = parseCommand(args, USAGE, {
    seeds: { type: "string" },
    seed: { type: "string" },
    faults: { type: "string", default: "chaos" },
    trace: { type: "boolean", default: false },
    processes: { type: "string" },
    "keep-going": { type: "boolean", default: false },
  });
  if (parsed === undefined) return undefined;
  const { values, positionals } = parsed;
  const chosen = chooseScenarios(scenarios, positionals, USAGE);
  if (!Object.hasOwn(PRESETS, values.faults)) {
    const known = Object.keys(PRESETS).join(", ");
    throw new UsageError(`--faults ${values.faults}: expected one of ${known}`);
  }
  const seed =
    values.seed === undefined
      ? Math.floor(Math.random() * SEED_END)
      : parseCount("seed", values.seed);
  const seeds =
    values.seeds === undefined
      ? values.seed === undefined && !values.trace
        ? 100
        : 1
      : parseCount("seeds", values.seeds, 1);
  if (values.trace && (seeds !== 1 || chosen.length !== 1)) {
    throw new UsageError("--trace: name one scenario, and one seed with --seed");
  }
  return {
    scenarios: chosen,
    seed,
    seeds,
    faults: values.faults as Preset,
    trace: values.trace,
    processes:
      values.processes === undefined
        ? availableParallelism()
        : parseCount("processes", values.processes, 1),
    keepGoing: values["keep-going"],
  };
}

function* jobsOf({ scenarios: chosen, seed, seeds, faults }: Options): Generator<Job> {
  for (let index = 0; index < seeds; index++) {
    for (const { name } of chosen) yield { scenario: name, seed: seed + index, faults };
  }
}

/** Tells how far it is: on a terminal again and again in one line. */
class Progress {
  readonly #total: number;
  readonly #startMs = performance.now();
  #shownMs = 0;
  #done = 0;
  #virtualMs = 0;

  constructor(total: number) {
    this.#total = total;
  }

  count({ virtualMs }: Outcome): void {
    this.#done++;
    this.#virtualMs += virtualMs;
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs < this.#shownMs + 200) return;
    this.#shownMs = nowMs;
    process.stderr.write(`\r${this.#done} of ${this.#total} runs`);
  }

  end(failures: number): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const hours = this.#virtualMs / 3_600_000;
    process.stdout.write(
      `${this.#done} of ${this.#total} runs in ${seconds.toFixed(1)} s ` +
        `(${(this.#done / seconds).toFixed(0)} a second), ${hours.toFixed(1)} simulated hours, ` +
        `${failures === 0 ? "no failure" : `${failures} failed`}\n`,
    );
  }
}

async function traceOne({ scenarios: [scenario], seed, faults }: Options): Promise<number> {
  const module = await buildGuest(scenario!.guest);
  const job = { scenario: scenario!.name, seed, faults };
  const { trace, outcome } = await runTraced(job, module);
  const { failure } = outcome;
  for (const line of trace) process.stdout.write(`${line}\n`);
  if (failure !== undefined) process.stdout.write(`${formatFailure(job, failure)}\n`);
  return failure === undefined ? 0 : 1;
}

async function runAll(options: Options): Promise<number> {
  const progress = new Progress(options.seeds * options.scenarios.length);
  let failures = 0;
  await runMany(options.scenarios, jobsOf(options), {
    processes: options.processes,
    onOutcome: (outcome) => {
      progress.count(outcome);
      if (outcome.failure === undefined) return true;
      failures++;
      process.stdout.write(`\n${formatFailure(outcome, outcome.failure)}\n\n`);
      return options.keepGoing;
    },
  });
  progress.end(failures);
  return failures === 0 ? 0 : 1;
}

async function main(options: Options): Promise<number> {
  const { scenarios: chosen, seed, faults, trace } = options;
  const name = chosen.length === 1 ? chosen[0]!.name : "all";
  process.stdout.write(`seed ${seed} scenario ${name} faults ${faults}\n`);
  return trace ? traceOne(options) : runAll(options);
}

await runScript("simulate", parseOptions, main);

/**
 * Repeats implementations in turns: a b c, b c a, c a b, ... so that a slow minute of the machine
 * hits all of them, and none always runs first.
 */
import type { ImplName, Params, Sample, Scenario } from "./scenario.ts";

export interface Run extends Sample {
  readonly version: string;
}

export interface Runner {
  readonly impl: ImplName;
  readonly run: (params: Params) => Promise<Run>;
}

export interface RoundOptions {
  readonly runs: number;
  /** Runs before them that are checked but not counted. */
  readonly warmUps: number;
}

/** The figures of one implementation for one metric. */
export interface Result {
  readonly scenario: string;
  readonly impl: ImplName;
  readonly params: Params;
  readonly metric: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly checksum: string;
  readonly version: string;
}

/** An implementation that failed, or that did other work than it should have. */
export interface Failure {
  readonly scenario: string;
  readonly impl: ImplName;
  readonly params: Params;
  readonly error: string;
}

export interface Round {
  readonly results: readonly Result[];
  readonly failures: readonly Failure[];
  readonly notes: ReadonlyMap<ImplName, Sample["notes"]>;
}

export async function runRound(
  scenario: Scenario,
  runners: readonly Runner[],
  params: Params,
  options: RoundOptions,
): Promise<Round> {
  const expected = scenario.checksum(params);
  const runsOf = new Map<Runner, Run[]>(runners.map((runner) => [runner, []]));
  const failures: Failure[] = [];

  for (let turn = 0; turn < options.warmUps + options.runs; turn++) {
    for (const runner of rotated([...runsOf.keys()], turn)) {
      try {
        const run = checked(await runner.run(params), metricsOf(scenario, runner.impl), expected);
        if (turn >= options.warmUps) runsOf.get(runner)!.push(run);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push({ scenario: scenario.name, impl: runner.impl, params, error: text });
        runsOf.delete(runner);
      }
    }
  }

  const results: Result[] = [];
  const notes = new Map<ImplName, Sample["notes"]>();
  for (const [{ impl }, runs] of runsOf) {
    results.push(
      ...metricsOf(scenario, impl).map((metric) => summary(scenario, impl, params, metric, runs)),
    );
    notes.set(impl, runs.at(-1)?.notes);
  }
  return { results, failures, notes };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function metricsOf(scenario: Scenario, impl: ImplName): readonly string[] {
  return [...scenario.metrics, ...(scenario.metricsOf?.[impl] ?? [])];
}

function checked(run: Run, metrics: readonly string[], expected: string): Run {
  if (run.checksum !== expected) {
    throw new Error(`checksum mismatch: expected ${expected}, got ${run.checksum}`);
  }
  for (const metric of metrics) {
    if (!Number.isFinite(run.metrics[metric])) throw new Error(`no figure for ${metric}`);
  }
  return run;
}

function summary(
  scenario: Scenario,
  impl: ImplName,
  params: Params,
  metric: string,
  runs: readonly Run[],
): Result {
  const values = runs.map((run) => run.metrics[metric]!).sort((a, b) => a - b);
  const middle = (values.length - 1) / 2;
  const last = runs.at(-1)!;
  return {
    scenario: scenario.name,
    impl,
    params,
    metric,
    median: (values[Math.floor(middle)]! + values[Math.ceil(middle)]!) / 2,
    min: values[0]!,
    max: values.at(-1)!,
    runs: values.length,
    checksum: last.checksum,
    version: last.version,
  };
}

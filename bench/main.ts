/** `npm run -s bench -- SCENARIO...`: see `--help`. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadScenario, scenarioNames, scenariosOf } from "./registry.ts";
import { jsonReporter, paramText, type Reporter, tableReporter } from "./report.ts";
import { type RoundOptions, runRound } from "./round.ts";
import { findRunners } from "./runners.ts";
import { type Family, families, type Scenario } from "./scenario.ts";

const help = `usage: bench SCENARIO... [options]    ("all" runs every scenario, "file" those of files)

  --peers LIST   compare with: ${families.slice(1).join(",")}, or none
                 (default: as the scenario says, most go,tokio; with --smoke: none)
  --node PATH    Node binary for the implementations that run in Node (default: this one)
  --runs N       counted runs of each implementation, after one warm-up run (default: 5)
  --smoke        tiny parameters and one run: proves that the benchmarks work
  --json         one JSON line per implementation and metric
  --verbose      notes of the implementations, on stderr
  --help         this text
`;

interface Options extends RoundOptions {
  /** Undefined: those that the scenario names. */
  readonly peers: readonly Family[] | undefined;
  readonly nodePath: string;
  readonly scenarios: readonly string[];
  readonly smoke: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** @throws {TypeError | RangeError} with a message for the user. */
function parseOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      peers: { type: "string" },
      node: { type: "string" },
      runs: { type: "string" },
      smoke: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (positionals.length === 0) {
    throw new RangeError(`name a scenario (known: ${scenarioNames.join(", ")}, or all)`);
  }
  const { smoke, json, verbose } = values;
  const runs = values.runs === undefined ? (smoke ? 1 : 5) : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new RangeError(`--runs takes a number of at least 1, not "${values.runs}"`);
  }
  const nodePath = values.node ?? process.execPath;
  if (!existsSync(nodePath)) throw new RangeError(`--node: there is no file "${nodePath}"`);
  return {
    scenarios: [...new Set(positionals.flatMap(scenariosOf))],
    peers: values.peers === undefined ? (smoke ? [] : undefined) : parsePeers(values.peers),
    nodePath,
    runs,
    warmUps: smoke ? 0 : 1,
    smoke,
    json,
    verbose,
  };
}

function parsePeers(list: string): Family[] {
  if (list === "none") return [];
  return list.split(",").map((name) => {
    const family = families.find((known) => known === name);
    if (family === undefined || family === "stackful") {
      throw new RangeError(`unknown peer "${name}" (known: ${families.slice(1).join(", ")}, none)`);
    }
    return family;
  });
}

/** Whether everything that ran did the expected work. */
async function runScenario(
  scenario: Scenario,
  options: Options,
  reporter: Reporter,
): Promise<boolean> {
  const peers = options.peers ?? scenario.against ?? ["go", "tokio"];
  const families = new Set<Family>(["stackful", ...peers]);
  const { runners, skips } = await findRunners(scenario, { families, nodePath: options.nodePath });
  for (const skip of skips) {
    reporter.skip(skip);
    complain(`${skip.scenario}: ${skip.impl} is skipped: ${skip.skipped}`);
  }

  let good = true;
  for (const params of options.smoke ? scenario.params.smoke : scenario.params.full) {
    const round = await runRound(scenario, runners, params, options);
    reporter.round(params, round);
    for (const failure of round.failures) {
      good = false;
      reporter.failure(failure);
      complain(`${scenario.name} ${paramText(params)}: ${failure.impl} failed: ${failure.error}`);
    }
    if (!options.verbose) continue;
    for (const [impl, notes] of round.notes) {
      if (notes !== undefined) complain(`${scenario.name}: ${impl}: ${JSON.stringify(notes)}`);
    }
  }
  scenario.cleanUp?.();
  return good;
}

function complain(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

async function main(): Promise<number> {
  let options: Options | "help";
  let scenarios: Scenario[];
  try {
    options = parseOptions(process.argv.slice(2));
    if (options === "help") {
      process.stdout.write(help);
      for (const name of scenarioNames) {
        process.stdout.write(`  ${name.padEnd(13)}  ${(await loadScenario(name)).summary}\n`);
      }
      return 0;
    }
    scenarios = await Promise.all(options.scenarios.map(loadScenario));
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    complain(`${error.message}\n       (--help lists the options)`);
    return 2;
  }

  let good = true;
  for (const scenario of scenarios) {
    const reporter = options.json ? jsonReporter : tableReporter;
    good = (await runScenario(scenario, options, reporter)) && good;
  }
  return good ? 0 : 1;
}

process.exitCode = await main();

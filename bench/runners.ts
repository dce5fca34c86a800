/** Finds what can run a scenario: child processes of Node, peer programs, and TCP servers. */
import { runForLine, toFlags } from "./command.ts";
import { peerProgram, root } from "./peers.ts";
import type { Run, Runner } from "./round.ts";
import { type Family, families, type ImplName, type Scenario } from "./scenario.ts";
import { runServer } from "./server-run.ts";
import { tcpLoad } from "./tcp.ts";

export interface Skip {
  readonly scenario: string;
  readonly impl: ImplName;
  readonly skipped: string;
}

export interface RunnerOptions {
  readonly families: ReadonlySet<Family>;
  readonly nodePath: string;
}

const timeoutMs = 120_000;

/** The runners of the wanted families, in the order of `families`, and why the others are not. */
export async function findRunners(
  scenario: Scenario,
  options: RunnerOptions,
): Promise<{ readonly runners: Runner[]; readonly skips: Skip[] }> {
  const runners: Runner[] = [];
  const skips: Skip[] = [];
  for (const family of families.filter((name) => options.families.has(name))) {
    const found = implNames(scenario).filter((name) => name.split("-")[0] === family);
    if (found.length === 0) {
      const skipped = `${scenario.name} has no ${family} implementation`;
      skips.push({ scenario: scenario.name, impl: family, skipped });
    }
    for (const impl of found) {
      const runner = await makeRunner(scenario, impl, options.nodePath);
      if (typeof runner === "string") {
        skips.push({ scenario: scenario.name, impl, skipped: runner });
      } else {
        runners.push({ impl, run: runner });
      }
    }
  }
  return { runners, skips };
}

function implNames(scenario: Scenario): ImplName[] {
  return [
    ...Object.keys(scenario.implementations),
    ...(scenario.peers ?? []),
    ...Object.keys(scenario.servers ?? {}),
  ] as ImplName[];
}

/** A string is the reason why there is none. */
async function makeRunner(
  scenario: Scenario,
  impl: ImplName,
  nodePath: string,
): Promise<Runner["run"] | string> {
  if (impl === "go" || impl === "tokio" || impl === "c") {
    const program = await peerProgram(impl);
    if ("missing" in program) return program.missing;
    if (scenario.peers?.includes(impl)) {
      return (params) => runJson([program.path, scenario.name, ...toFlags(params)]);
    }
  }
  const server = scenario.servers?.[impl];
  if (server !== undefined) {
    const load = scenario.load ?? tcpLoad;
    const missing = await load.missing?.();
    if (missing !== undefined) return missing;
    return async (params) => runServer(await server({ nodePath, root, params }), load, params);
  }
  const script = `${root}dist/bench/run-one.js`;
  return (params) => runJson([nodePath, script, scenario.name, impl, JSON.stringify(params)]);
}

async function runJson(argv: readonly string[]): Promise<Run> {
  return JSON.parse(await runForLine(argv, timeoutMs)) as Run;
}

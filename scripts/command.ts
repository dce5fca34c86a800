//! What a script with arguments does around its work.

import { UsageError } from "../ts/cli/arguments.ts";

/**
 * Runs it, and sets the exit code: 2 for wrong arguments, with the reason; 0 when `parse` gave what was asked
 * for, a usage text, itself; else what `run` returns.
 */
export async function runScript<Wanted>(
  name: string,
  parse: (args: string[]) => Wanted | undefined,
  run: (wanted: Wanted) => Promise<number>,
): Promise<void> {
  let wanted: Wanted | undefined;
  try {
    wanted = parse(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = wanted === undefined ? 0 : await run(wanted);
}

/** The scenario that is named; all of them for "all", and for nothing. @throws {UsageError} */
export function chooseScenarios<Scenario extends { readonly name: string }>(
  scenarios: readonly Scenario[],
  [name = "all", more]: readonly string[],
  usage: string,
): readonly Scenario[] {
  if (more !== undefined) throw new UsageError("one scenario, please", usage);
  const chosen = scenarios.filter((scenario) => name === "all" || scenario.name === name);
  if (chosen.length > 0) return chosen;
  const names = scenarios.map((scenario) => scenario.name).join(", ");
  throw new UsageError(`there is no scenario "${name}"; there are ${names}, and all`);
}

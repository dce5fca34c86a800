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

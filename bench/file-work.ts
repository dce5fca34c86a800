/** What the file scenarios measure: work per second, and the processor time of one. */
import { runForLine, toFlags } from "./command.ts";
import { peerProgram } from "./peers.ts";
import type { Implementation, Params, Sample } from "./scenario.ts";

/** One run of a piece of work. */
export interface Timed {
  readonly result: unknown;
  readonly us: number;
  /** Of the process, its threads included. */
  readonly cpuUs: number;
  readonly notes?: Readonly<Record<string, unknown>>;
}

export async function timedWork(work: () => PromiseLike<unknown>): Promise<Timed> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const result = await work();
  const us = (performance.now() - started) * 1e3;
  const { user, system } = process.cpuUsage(cpu);
  return { result, us, cpuUs: user + system };
}

/** `unit`: of what there were `count`; `result` is the checksum. */
export function sampleOf(unit: string, count: number, { result, us, cpuUs, notes }: Timed): Sample {
  const metrics = { [`${unit}s/s`]: (count / us) * 1e6, [`us-cpu/${unit}`]: cpuUs / count };
  return { metrics, checksum: String(result), ...(notes === undefined ? {} : { notes }) };
}

/** The same done by a program of peers/c or peers/go, which gets the path and the parameters. */
export function peerWork(
  name: "c" | "go",
  scenario: string,
  path: (params: Params) => string,
): Implementation {
  return async (params) => {
    const program = await peerProgram(name);
    if ("missing" in program) throw new Error(program.missing);
    const argv = [program.path, scenario, ...toFlags(params), path(params)];
    return JSON.parse(await runForLine(argv, 120_000)) as Sample;
  };
}

/**
 * Points one load at a server, whoever wrote the server.
 *
 * The protocol of every server: its first line on stdout is {"port":N}; it serves until its stdin
 * has ended and every connection is gone; then it prints {"cpuMicroseconds":N,
 * "userMicroseconds":N,"version":"..."}, which is its own user and system time (all of it, and the
 * user part) since the port was printed, and ends with status 0. Where a load warms the server up,
 * the server prints {"warm":true} when something has come on stdin, and counts from then on.
 */
import { Program } from "./command.ts";
import type { Command, Params, Sample } from "./scenario.ts";

export const timeoutMs = 120_000;

/** What a load generator found. */
export interface LoadResult extends Sample {
  /** The generator's. */
  readonly version: string;
  /** Messages, requests or chunks that the server has handled. */
  readonly handled: number;
}

export interface Load {
  /** Why it cannot run here. */
  missing?(): Promise<string | undefined>;
  /** What comes before, and is not measured. */
  warmUp?(port: number, params: Params): Promise<unknown>;
  /** Loads the server at 127.0.0.1. @throws {Error} when the server did not do its work. */
  run(port: number, params: Params): Promise<LoadResult>;
  /** The metrics that come of the server's own report. */
  cost(report: ServerReport, result: LoadResult): Readonly<Record<string, number>>;
}

export interface ServerReport {
  readonly cpuMicroseconds: number;
  readonly userMicroseconds: number;
  /** Of several threads that serve, the processor time of the one that had the most. */
  readonly busiestMicroseconds?: number;
  readonly version?: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly notes?: Readonly<Record<string, unknown>>;
}

/** Starts the server, loads it, stops it. The metrics are the generator's and the server's. */
export async function runServer(
  server: Command,
  load: Load,
  params: Params,
): Promise<Sample & { readonly version: string }> {
  const program = Program.start(server.argv, { timeoutMs });
  try {
    const { port } = parseLine<{ port: number }>(await program.line(), "port");
    if (load.warmUp !== undefined) {
      await load.warmUp(port, params);
      program.writeLine("warm");
      parseLine(await program.line(), "warm");
    }
    const result = await load.run(port, params);
    program.endInput();
    let line = await program.line();
    // The guest of the stackful server prints its own totals first.
    if (!line.includes('"cpuMicroseconds"')) line = await program.line();
    const report = parseLine<ServerReport>(line, "cpuMicroseconds");
    await program.finish();
    return {
      metrics: { ...result.metrics, ...report.metrics, ...load.cost(report, result) },
      checksum: result.checksum,
      notes: { ...result.notes, ...report.notes, load: result.version },
      version: `${report.version ?? "unknown"}; load: ${result.version}`,
    };
  } finally {
    program.kill();
  }
}

export function parseLine<T = { readonly [key: string]: unknown }>(
  line: string,
  key: keyof T & string,
): T {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !(key in value)) {
    throw new Error(`expected a JSON line with "${key}", got ${line}`);
  }
  return value as T;
}

import { tableLines } from "../ts/table.ts";
import type { Failure, Result, Round } from "./round.ts";
import type { Skip } from "./runners.ts";
import type { Params } from "./scenario.ts";

/** Where the figures of a benchmark go. Skips and failures are told on stderr as well. */
export interface Reporter {
  skip(skip: Skip): void;
  failure(failure: Failure): void;
  round(params: Params, round: Round): void;
}

export const jsonReporter: Reporter = {
  skip: (skip) => printJson(skip),
  failure: (failure) => printJson(failure),
  round: (_params, { results }) => results.forEach(printJson),
};

export const tableReporter: Reporter = {
  skip: () => {},
  failure: () => {},
  round: (params, { results }) => {
    const scenario = results[0]?.scenario;
    if (scenario === undefined) return;
    print(`\n${scenario}  ${paramText(params)}`);
    for (const line of tableOf(results)) print(`  ${line}`);
  },
};

export function paramText(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function tableOf(results: readonly Result[]): string[] {
  const header = ["metric", "implementation", "median", "min", "max", "/ stackful"];
  const metrics = [...new Set(results.map((result) => result.metric))];
  const rows = metrics.flatMap((metric) => {
    const of = results.filter((result) => result.metric === metric);
    const base = of.find((result) => result.impl.split("-")[0] === "stackful");
    return of.map((result) => [
      metric,
      result.impl,
      ...[result.median, result.min, result.max].map(figure),
      base === undefined ? "-" : `${(result.median / base.median).toFixed(2)}x`,
    ]);
  });
  return tableLines([header, ...rows], (column) => column >= 2);
}

function figure(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

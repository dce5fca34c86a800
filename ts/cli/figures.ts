//! What linking cost, for people or as JSON.

import type { LinkFigures } from "../link/link.ts";
import { table } from "../table.ts";
import { grouped } from "./stats.ts";

export function printFigures(figures: LinkFigures, output: string, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ output, ...figures })}\n`);
    return;
  }
  process.stdout.write(
    table([
      ["linked", output],
      ["guest", `${grouped(figures.guestBytes)} bytes`],
      ["with the core", `${grouped(figures.plainBytes)} bytes`],
      ["instrumented", `${grouped(figures.linkedBytes)} bytes (${figures.sizeFactor.toFixed(2)}x)`],
      [
        "functions",
        `${grouped(figures.functions)}, ${grouped(figures.functionsInstrumented)} may park`,
      ],
      ["entries", grouped(figures.entries)],
      ["link time", `${(figures.linkMs / 1000).toFixed(1)} s`],
    ]),
  );
}

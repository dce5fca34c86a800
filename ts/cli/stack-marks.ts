//! How much of their stacks tasks have used, as a table.

import type { Runtime } from "../runtime/runtime.ts";
import { table } from "../table.ts";
import { grouped } from "./stats.ts";

export function formatStackMarks(runtime: Runtime): string {
  const bounds = runtime.stackBounds();
  const marks = Object.entries(runtime.stackMarks()).sort(([, a], [, b]) => b - a);
  if (marks.length === 0) return "no task has used any stack\n";
  return table([
    ["stack of", "bytes used at most"],
    ...marks.map(([name, bytes]): [string, string] => {
      const bound = bounds[name];
      return [
        name,
        bound === undefined ? grouped(bytes) : `${grouped(bytes)} of ${grouped(bound)}`,
      ];
    }),
  ]);
}

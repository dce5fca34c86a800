//! `stackful explain`: which functions may be on the stack of a parked task, why, and what their
//! instrumentation costs in size.

import { type Explained, explain } from "../link/explain.ts";
import { oneModule, parseCommand } from "./arguments.ts";
import { readInput } from "./link.ts";
import { grouped } from "./stats.ts";

const USAGE = `usage: stackful explain [options] in.wasm

  --function NAME       only this one
  --async-import M.N    a host import that may return a promise
  --json                one JSON object

Takes a module that has not been linked. A function is instrumented when it calls something that may
park, or makes an indirect call, which may reach anything.
`;

export async function explainCommand(args: readonly string[]): Promise<number> {
  const parsed = parseCommand(args, USAGE, {
    function: { type: "string" },
    "async-import": { type: "string", multiple: true },
    json: { type: "boolean" },
  });
  if (parsed === undefined) return 0;
  const { values, positionals } = parsed;
  const input = oneModule(positionals, USAGE);
  const report = await explain(await readInput(input), values["async-import"] ?? []);
  const wanted = values.function;
  const functions =
    wanted === undefined
      ? report.functions
      : report.functions.filter(({ name }) => name === wanted);
  if (wanted !== undefined && functions.length === 0) {
    process.stderr.write(
      `stackful explain: ${wanted} is not instrumented, or there is no such function\n`,
    );
    return 1;
  }
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...report, functions })}\n`
      : `${functions.map(line).join("\n")}\n\n${report.functions.length} of ${report.functionsAll} functions may park; ` +
          `code ${grouped(report.plainBytes)} -> ${grouped(report.linkedBytes)} bytes\n`,
  );
  return 0;
}

function line({ name, path, bytes, linkedBytes }: Explained): string {
  const cost = linkedBytes === undefined ? "inlined" : `${bytes} -> ${linkedBytes} bytes`;
  return `${name}  ${path.length > 1 ? path.slice(1).join(" > ") : ""}  (${cost})`;
}

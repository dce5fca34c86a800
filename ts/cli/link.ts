//! `stackful link`.

import { readFile, writeFile } from "node:fs/promises";
import { StackfulError } from "../errors.ts";
import { link } from "../link/link.ts";
import { oneModule, parseCommand, parseCount, UsageError } from "./arguments.ts";
import { printFigures } from "./figures.ts";
import { printStackReport } from "./stack-report.ts";

const USAGE = `usage: stackful link [options] in.wasm -o out.wasm
       stackful link --stack-report [options] in.wasm

  -o, --output FILE     where the linked module goes
  --async-import M.N    a host import that may return a promise, for instance env.fetch
  -O, --optimize N      how much Binaryen optimises: 0 to 4 (3)
  --stack-report        print how large a stack each entry needs, and why; with --json a line each
  --json                print the figures as JSON
`;

export async function linkCommand(args: readonly string[]): Promise<number> {
  const parsed = parseCommand(args, USAGE, {
    output: { type: "string", short: "o" },
    "async-import": { type: "string", multiple: true },
    optimize: { type: "string", short: "O" },
    "stack-report": { type: "boolean" },
    json: { type: "boolean" },
  });
  if (parsed === undefined) return 0;
  const { values, positionals } = parsed;
  const input = oneModule(positionals, USAGE);
  const { output, json = false, "stack-report": report = false } = values;
  if (output === undefined && !report) throw new UsageError("where to? give -o", USAGE);
  const { wasm, figures, stacks } = await link(await readInput(input), {
    asyncImports: values["async-import"] ?? [],
    optimize: parseCount("optimize", values.optimize ?? "3"),
  });
  if (output !== undefined) {
    await writeOutput(output, wasm);
    printFigures(figures, output, json);
  }
  if (report) printStackReport(stacks, json);
  return 0;
}

/** @throws {StackfulError} SF_MODULE when the file cannot be read. */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new StackfulError("SF_MODULE", `reading ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws {StackfulError} SF_IO when it cannot be written. */
export async function writeOutput(path: string, wasm: Uint8Array): Promise<void> {
  try {
    await writeFile(path, wasm);
  } catch (cause) {
    const { message, code: errno = "EIO" } = cause as NodeJS.ErrnoException;
    throw new StackfulError("SF_IO", `writing ${path}: ${message}`, { errno, cause });
  }
}

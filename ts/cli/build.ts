//! `stackful build`.

import { build } from "../link/build.ts";
import { parseCommand, UsageError } from "./arguments.ts";
import { printFigures } from "./figures.ts";
import { writeOutput } from "./link.ts";

const USAGE = `usage: stackful build [options] source... -o out.wasm [-- clang arguments]

  -o, --output FILE     where the linked module goes
  -I DIR                a directory for #include; stackful.h is always found
  --reactor             no main: exports are started with spawn
  --async-import M.N    a host import that may return a promise
  --json                print the figures as JSON

Compiles C and C++ with the npm package @yowasp/clang, or with the wasi-sdk in WASI_SDK_PATH.
Without clang arguments: -O2.
`;

export async function buildCommand(args: readonly string[]): Promise<number> {
  const dashes = args.indexOf("--");
  const flags = dashes < 0 ? ["-O2"] : args.slice(dashes + 1);
  const parsed = parseCommand(dashes < 0 ? args : args.slice(0, dashes), USAGE, {
    output: { type: "string", short: "o" },
    include: { type: "string", short: "I", multiple: true },
    reactor: { type: "boolean" },
    "async-import": { type: "string", multiple: true },
    json: { type: "boolean" },
  });
  if (parsed === undefined) return 0;
  const { values, positionals } = parsed;
  if (positionals.length === 0) throw new UsageError("which sources?", USAGE);
  if (values.output === undefined) throw new UsageError("where to? give -o", USAGE);
  const { wasm, figures } = await build({
    sources: positionals,
    includes: values.include ?? [],
    flags,
    reactor: values.reactor ?? false,
    asyncImports: values["async-import"] ?? [],
  });
  await writeOutput(values.output, wasm);
  printFigures(figures, values.output, values.json ?? false);
  return 0;
}

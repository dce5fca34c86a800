//! Command lines: what node:util's parseArgs leaves open.

import { type ParseArgsConfig, parseArgs } from "node:util";

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  /** @param usage - Of the command: its first lines are told, too. All of it would push the message off a screen. */
  constructor(message: string, usage?: string) {
    super(usage === undefined ? message : `${message}\n${synopsis(usage)}\n(--help says more)`);
  }
}

/** What stands before the first empty line. */
function synopsis(usage: string): string {
  return usage.split("\n\n", 1)[0]!;
}

type Options = NonNullable<ParseArgsConfig["options"]>;

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>;

/** `parseArgs` in strict form, with errors as `UsageError` and --help printed. */
export function parseCommand<const O extends Options>(
  args: readonly string[],
  usage: string,
  options: O,
): Parsed<O> | undefined {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(usage);
    return undefined;
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node goes on about arguments that begin with a dash.
    const [message] = (error as Error).message.split(". To specify", 1);
    throw new UsageError(message!, usage);
  }
}

/** Everything up to the first argument that is no option, that argument, and the rest. */
export function splitAtOperand(args: readonly string[], options: Options) {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const operand = tokens.find((token) => token.kind === "positional");
  if (operand === undefined) return { own: [...args], operand: undefined, rest: [] };
  return {
    own: args.slice(0, operand.index).filter((arg) => arg !== "--"),
    operand: operand.value,
    rest: args.slice(operand.index + 1),
  };
}

/** The one module that a command takes. */
export function oneModule(positionals: readonly string[], usage: string): string {
  const [input, more] = positionals;
  if (input !== undefined && more === undefined) return input;
  throw new UsageError(input === undefined ? "which module?" : "one module, please", usage);
}

/** A whole number of at least `min`. */
export function parseCount(name: string, text: string, min = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && Number.isSafeInteger(value)) return value;
  throw new UsageError(`--${name} ${text}: expected a whole number of at least ${min}`);
}

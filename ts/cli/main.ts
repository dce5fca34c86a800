#!/usr/bin/env node
//! The command `stackful`.

import { StackfulError } from "../errors.ts";
import { UsageError } from "./arguments.ts";

interface Command {
  readonly summary: string;
  run(args: readonly string[]): Promise<number>;
}

/** Loaded on demand: `run` must not wait for the linker to load. */
const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    summary: "run a guest: stackful run app.wasm [args]",
    run: async (args) => (await import("./run.ts")).runCommand(args),
  },
  build: {
    summary: "C and C++ to a linked guest: stackful build app.c -o app.wasm",
    run: async (args) => (await import("./build.ts")).buildCommand(args),
  },
  link: {
    summary: "link a compiled guest: stackful link in.wasm -o out.wasm",
    run: async (args) => (await import("./link.ts")).linkCommand(args),
  },
  explain: {
    summary: "why functions are instrumented, and what it costs",
    run: async (args) => (await import("./explain.ts")).explainCommand(args),
  },
  doctor: {
    summary: "what this machine can do: backends, toolchain, and why not",
    run: async (args) => (await import("./doctor.ts")).doctorCommand(args),
  },
};

function help(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(9)}${summary}`,
  );
  return `usage: stackful <command> [options]\n\n${lines.join("\n")}\n\nstackful <command> --help says more.\n`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name = "--help", ...args] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(help());
    return 0;
  }
  if (name === "--version" || name === "-V") {
    const { packageVersion } = await import("./version.ts");
    process.stdout.write(`stackful ${packageVersion()}\n`);
    return 0;
  }
  const command = COMMANDS[name];
  if (command === undefined) {
    process.stderr.write(`stackful: no command "${name}"\n${help()}`);
    return 2;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`stackful ${name}: ${error.message}\n`);
      return 2;
    }
    if (error instanceof StackfulError || error instanceof RangeError) {
      process.stderr.write(`stackful ${name}: ${error.message}\n`);
      const { cause } = error;
      if (cause instanceof Error && cause.stack !== undefined && isGuestTrace(error)) {
        process.stderr.write(`${cause.stack}\n`);
      }
      return 1;
    }
    throw error;
  }
}

/** A trap's stack names the guest's functions; that of a missing file helps nobody. */
function isGuestTrace(error: Error): boolean {
  const code = (error as Partial<StackfulError>).code;
  return code === "SF_TRAP" || code === "SF_STACK_OVERFLOW";
}

// Not process.exit: output that is still on its way to a pipe must get there. And no await: while the
// main module has not ended, Deno and Bun do not say that a program has nothing left to do.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

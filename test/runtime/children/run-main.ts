//! Runs a program to its end and says what came out. Parameters: the module, the loop, arguments.

import { Runtime } from "../../../ts/runtime/runtime.ts";

const [path, loop, ...args] = process.argv.slice(2);
async function main(): Promise<void> {
  const runtime = await Runtime.create(path!, {
    args,
    backend: "node",
    loop: loop as "embedded" | "owned",
  });
  try {
    const code = await runtime.run();
    process.stdout.write(`\nexit code ${code}\n`);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    process.stdout.write(`\n${code}: ${message}\n`);
  }
}

// No await at the top level: then Deno and Bun say no beforeExit.
void main();

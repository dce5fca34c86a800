//! Everything that a change has to pass, in one command: `npm run check`. Set-up has compiled the TypeScript.
//!
//!   node dist/scripts/check.js [WORD]     only the steps with WORD in their name

import { spawnSync } from "node:child_process";
import { packageRoot } from "../ts/package-files.ts";

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const bin = (name: string): string => packageRoot(`node_modules/.bin/${name}`);
const node = (script: string, ...args: string[]): string[] => [
  process.execPath,
  packageRoot(`dist/${script}`),
  ...args,
];

const STEPS: readonly Step[] = [
  { name: "format and lint", command: [bin("biome"), "check", "--error-on-warnings"] },
  {
    name: "types",
    command: [bin("tsc"), "-p", packageRoot(), "--noEmit", "--incremental", "false"],
  },
  { name: "generated files", command: node("scripts/gen-abi.js", "--check") },
  { name: "import direction and style", command: node("scripts/tidy.js") },
  { name: "package: manifest", command: [bin("publint"), "--strict"] },
  {
    name: "package: types",
    // ESM only: a CommonJS program gets the package by import(), or by require in Node 22 and newer.
    command: [bin("attw"), "--pack", ".", "--profile", "esm-only"],
  },
  { name: "tests", command: [bin("vitest"), "run"] },
  {
    name: "benchmarks, smoke",
    command: node("bench/main.js", "all", "--smoke", "--peers", "none"),
  },
];

const wanted = process.argv[2] ?? "";
let failed = 0;
for (const { name, command } of STEPS.filter((step) => step.name.includes(wanted))) {
  process.stdout.write(`\n── ${name}\n`);
  const { status } = spawnSync(command[0]!, command.slice(1), {
    cwd: packageRoot(),
    stdio: "inherit",
  });
  if (status !== 0) {
    failed++;
    process.stdout.write(`── ${name}: FAILED\n`);
  }
}
process.stdout.write(failed === 0 ? "\ncheck: all good\n" : `\ncheck: ${failed} steps failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

//! Runs one order of one case again: PRIMITIVE CASE CHOICES, as a failing test prints them.

import { buildCore } from "../../scripts/build-core.ts";
import { buildModel } from "./build.ts";
import { Explorer } from "./explore.ts";
import { primitives } from "./primitives/index.ts";

const [primitiveName, caseName, choices = ""] = process.argv.slice(2);
const primitive = primitives.find((each) => each.name === primitiveName);
const given = [...(primitive?.cases() ?? [])].find((each) => each.name === caseName);
if (given === undefined) {
  const names = primitives.map((each) => `'${each.name}'`).join(", ");
  process.stderr.write(`no such case. Primitives: ${names}\n`);
  process.exit(2);
}

await buildCore();
const explorer = new Explorer(new WebAssembly.Module(await buildModel()));
const numbers = choices === "" ? [] : choices.split(".").map(Number);
const { log, violation } = explorer.one(given, numbers);
process.stdout.write(`${log}\n`);
if (violation === undefined) {
  process.stdout.write("every law holds\n");
} else {
  process.stdout.write(`${violation.law}: ${violation.message}\n`);
  process.exitCode = 1;
}

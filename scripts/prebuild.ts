//! `npm run prebuild -- [TARGET …]`: the addon for other machines, cross-compiled by zig.

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../ts/package-files.ts";
import { targetProblems } from "./prebuild/portable.ts";
import { compileTarget, TARGETS, type Target, targetFile } from "./prebuild/targets.ts";
import { testHere } from "./prebuild/test-here.ts";
import { findZig, installZig } from "./prebuild/zig.ts";

const names = (shipped: boolean): string =>
  TARGETS.filter((target) => target.shipped === shipped)
    .map(({ name }) => name)
    .join(", ");

const USAGE = `usage: npm run prebuild -- [TARGET …] [--check] [--test] [--force]

Compiles the addon into prebuilds/TARGET/stackful.node, which is in the package when it is packed. TARGET is
one of
${names(true)}; all of them without one.
zig is what STACKFUL_ZIG names, or the one in PATH, or pip installs it below dist/.

  --check  compiles for ${names(false)},
           too, which are not for the package
  --test   then runs what runs here, minutes of it, the laws of test/conformance: linux-arm64 by qemu, win32-x64
           by Wine, this machine's in Node for musl; pip and npm install these Nodes
  --force  compiles what is up to date, too
  --help   this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: "boolean", default: false },
    test: { type: "boolean", default: false },
    force: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function wanted(): readonly Target[] {
  const unknown = positionals.find((given) => !TARGETS.some(({ name }) => name === given));
  if (unknown !== undefined) {
    process.stderr.write(`prebuild: no such target: ${unknown}\n`);
    process.exit(2);
  }
  if (positionals.length > 0) return TARGETS.filter(({ name }) => positionals.includes(name));
  return TARGETS.filter(({ shipped }) => shipped || values.check);
}

/** A line of what was made, or of why it was not. */
function build(target: Target, zig: string): { readonly line: string; readonly built: boolean } {
  const name = target.name.padEnd("openbsd-arm64".length);
  try {
    const status = compileTarget(target, zig, values.force);
    const file = targetFile(target);
    const problems = targetProblems(target);
    if (problems.length > 0) throw new Error(problems.join("; "));
    const kilobytes = Math.ceil(statSync(file).size / 1000);
    const sum = createHash("sha256").update(readFileSync(file)).digest("hex");
    const where = relative(packageRoot(), file);
    return { line: `${name}  ${status}, ${kilobytes} kB  ${where}  sha256 ${sum}`, built: true };
  } catch (error) {
    return { line: `${name}  not built: ${firstError(error)}`, built: false };
  }
}

/** What the compiler said first. */
function firstError(error: unknown): string {
  const { message } = error as Error;
  return message.split("\n").find((line) => /\berror:/.test(line)) ?? message;
}

if (values.help) {
  process.stdout.write(USAGE);
} else {
  const targets = wanted();
  const zig = findZig() ?? installZig();
  process.stderr.write(`prebuild: zig ${zig.version} (${zig.command})\n`);
  for (const target of targets) {
    const { line, built } = build(target, zig.command);
    process.stdout.write(`${line}\n`);
    if (!built) process.exitCode = 1;
  }
  if (values.test) {
    const begin = (what: string): void => void process.stderr.write(`prebuild: ${what} …\n`);
    for await (const { line, failed } of testHere(targets, begin)) {
      process.stdout.write(`${line}\n`);
      if (failed) process.exitCode = 1;
    }
  }
}

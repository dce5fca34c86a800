//! Laws in a Node that is not this one, with the addon of prebuilds/.

import { chmodSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { PREBUILT } from "../../test/native/tested-addon.ts";
import { packageRoot } from "../../ts/package-files.ts";
import type { SuiteResult } from "../matrix/results.ts";
import { runTests } from "../matrix/run-tests.ts";

/** A program that takes the arguments of Node; or why there is none. */
export type OtherNode = { readonly command: string } | { readonly reason: string };

/** A machine that emulates another is slow, and may be busy besides. */
const LIMIT_MS = 3_600_000;

/** Makes a program of a command without quotes in it. */
export function writeCommand(file: string, words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`).join(" ");
  writeFileSync(file, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/**
 * Runs the laws of a native backend in that Node. vitest itself stays in this one: its native parts are
 * here for no other.
 */
export function runInOtherNode(
  command: string,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<SuiteResult> {
  const preload = pathToFileURL(packageRoot("scripts/prebuild/worker-node.mjs")).href;
  return runTests({
    command: [process.execPath],
    file,
    env: {
      ...env,
      [PREBUILT]: "1",
      STACKFUL_WORKER_NODE: command,
      NODE_OPTIONS: `--import=${preload}`,
    },
    limitMs: LIMIT_MS,
  });
}

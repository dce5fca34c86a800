//! Runs a TypeScript file of the tests in a process of its own.

import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../ts/package-files.ts";

export interface ChildResult {
  readonly code: number | null;
  /** It did not end in time and was ended. */
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** `file` is relative to test/. A child that hangs is ended after `limitMs`. */
export async function runChild(
  file: string,
  args: readonly string[],
  { limitMs = 30_000, nodeArgs = [] }: { limitMs?: number; nodeArgs?: readonly string[] } = {},
): Promise<ChildResult> {
  const loader = pathToFileURL(packageRoot("test/support/register-ts.mjs")).href;
  const child = spawn(
    process.execPath,
    [...nodeArgs, "--import", loader, packageRoot(`test/${file}`), ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(limit);
  return { code, hung, ...output };
}

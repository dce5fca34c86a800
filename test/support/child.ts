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

export interface ChildOptions {
  readonly limitMs?: number;
  readonly nodeArgs?: readonly string[];
}

export interface RunningChild {
  readonly ended: Promise<ChildResult>;
  /** Resolves once it has written `text` to stdout or stderr; rejects when it ends without. */
  wrote(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

/** `file` is relative to test/. A child that hangs is ended after `limitMs`. */
export function runChild(
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  return startChild(file, args, options).ended;
}

/** The same, for a child that something is to happen to while it runs. */
export function startChild(
  file: string,
  args: readonly string[],
  { limitMs = 30_000, nodeArgs = [] }: ChildOptions = {},
): RunningChild {
  const loader = pathToFileURL(packageRoot("test/support/register-ts.mjs")).href;
  const child = spawn(
    process.execPath,
    [...nodeArgs, "--import", loader, packageRoot(`test/${file}`), ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const output = { stdout: "", stderr: "" };
  const expected = new Set<() => void>();
  const take = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
    output[stream] += chunk.toString();
    for (const look of expected) look();
  };
  child.stdout.on("data", take("stdout"));
  child.stderr.on("data", take("stderr"));
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, limitMs);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve)).then(
    (code) => {
      clearTimeout(limit);
      return { code, hung, ...output };
    },
  );
  return {
    ended,
    signal: (name) => void child.kill(name),
    wrote: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!output.stdout.includes(text) && !output.stderr.includes(text)) return;
          expected.delete(look);
          resolve();
        };
        expected.add(look);
        look();
        void ended.then(() =>
          reject(new Error(`the child never wrote "${text}": ${JSON.stringify(output)}`)),
        );
      }),
  };
}

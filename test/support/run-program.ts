//! Runs a program for a test: what it wrote, how it ended, and an end to it when it hangs.

import { spawn } from "node:child_process";

export interface ProgramResult {
  readonly code: number | null;
  /** It did not end in time and was ended. */
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** @defaultValue 30000 */
  readonly limitMs?: number;
  readonly cwd?: string;
  /** @defaultValue that of the tests */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunningProgram {
  readonly ended: Promise<ProgramResult>;
  /**
   * Resolves once it has written `text` to stdout or stderr, to what is in stdout; rejects when it ends
   * without.
   */
  wrote(text: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
}

/** A program that hangs is ended after `limitMs`. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return startProgram(command, args, options).ended;
}

/** The same, for a program that something is to happen to while it runs. */
export function startProgram(
  command: string,
  args: readonly string[],
  { limitMs = 30_000, ...options }: ProgramOptions = {},
): RunningProgram {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
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
    // Deno takes a child that `child.kill` sent a signal to for ended by it, whatever it did.
    signal: (name) => void process.kill(child.pid!, name),
    wrote: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!output.stdout.includes(text) && !output.stderr.includes(text)) return;
          expected.delete(look);
          resolve(output.stdout);
        };
        expected.add(look);
        look();
        void ended.then(() =>
          reject(new Error(`the child never wrote "${text}": ${JSON.stringify(output)}`)),
        );
      }),
  };
}

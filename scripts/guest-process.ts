//! Guests in processes of their own: `stackful run` for scripts that need several of them.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { packageRoot } from "../ts/package-files.ts";
import type { RuntimeStats } from "../ts/runtime/stats.ts";

const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export interface GuestProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Its output, each line parsed. */
  readonly lines: AsyncGenerator<unknown>;
  /** Resolves, when its output has been read to the end, to how it ended: "0", "1", "SIGKILL". */
  readonly ended: Promise<string>;
  /** What it has written to stderr so far. */
  stderr(): string;
}

const children = new Set<ChildProcess>();

/** Runs the example `name` with `stackful run`. */
export function startGuest(
  name: string,
  cliOptions: readonly string[],
  args: readonly string[],
): GuestProcess {
  const cli = packageRoot("dist/ts/cli/main.js");
  const guest = packageRoot(`dist/examples/${name}.wasm`);
  const command = [cli, "run", "--stats=json", ...cliOptions, guest, ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => {
      stderr += `${error.message}\n`;
    });
    child.on("close", (code, signal) => {
      children.delete(child);
      resolve(signal ?? `${code}`);
    });
  });
  return { name, child, lines: parseLines(child), ended, stderr: () => stderr };
}

async function* parseLines(child: ChildProcess): AsyncGenerator<unknown> {
  for await (const line of createInterface({ input: child.stdout! })) yield JSON.parse(line);
}

/** No guest outlives this process, whatever ends it (SIGKILL excepted). */
export function killGuestsAtExit(): void {
  process.on("exit", () => {
    for (const child of children) child.kill("SIGKILL");
  });
  for (const [signal, code] of Object.entries(SIGNAL_EXIT_CODES)) {
    process.on(signal, () => process.exit(code));
  }
}

/** The runtime's figures: --stats=json is the last line that a guest's process writes. */
export function guestStats(guest: GuestProcess): RuntimeStats | undefined {
  const line = guest
    .stderr()
    .split("\n")
    .findLast((text) => text.startsWith("{"));
  return line === undefined ? undefined : (JSON.parse(line) as RuntimeStats);
}

/** Resident set size. Linux only; elsewhere undefined. */
export function residentBytes({ child }: GuestProcess): number | undefined {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) * 1024 || undefined;
  } catch {
    return undefined; // No /proc, or the process has just ended: its exit code says more.
  }
}

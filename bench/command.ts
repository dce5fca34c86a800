import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Params } from "./scenario.ts";

const stderrBytesMax = 64 * 1024;

/** A program in the background whose standard output is read line by line. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #timer: NodeJS.Timeout;
  readonly #exit: Promise<string>; // how it ended
  readonly #timeoutMs: number;
  #timedOut = false;
  #stderr = "";

  private constructor(argv: readonly string[], timeoutMs: number, cwd: string | undefined) {
    this.#timeoutMs = timeoutMs;
    const [file = "", ...args] = argv;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], cwd });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrBytesMax);
    });
    // The program may end without reading: that is told by its exit status.
    this.#child.stdin!.on("error", () => {});
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code === "ENOENT" ? `${file} is not installed` : error.message);
      });
      this.#child.on("close", (code, signal) => resolve(`exit status ${signal ?? code}`));
    });
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.kill();
    }, timeoutMs);
    this.#timer.unref();
  }

  static start(
    argv: readonly string[],
    options: { readonly timeoutMs: number; readonly cwd?: string },
  ): Program {
    return new Program(argv, options.timeoutMs, options.cwd);
  }

  /** The next line of its output. @throws {Error} if it ends first. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done) throw await this.#failure();
    return next.value;
  }

  writeLine(text: string): void {
    this.#child.stdin!.write(`${text}\n`);
  }

  endInput(): void {
    this.#child.stdin!.end();
  }

  /** Waits for the end of the program. @throws {Error} unless it ended with status 0. */
  async finish(): Promise<void> {
    const status = await this.#exit;
    clearTimeout(this.#timer);
    if (status !== "exit status 0") throw await this.#failure();
  }

  /** Ends the program whatever it does. Harmless when it has ended. */
  kill(): void {
    clearTimeout(this.#timer);
    this.#child.kill("SIGKILL");
  }

  async #failure(): Promise<Error> {
    const status = await this.#exit;
    const why = this.#timedOut ? `no end after ${this.#timeoutMs} ms` : status;
    const said = this.#stderr.trim();
    return new Error(said === "" ? why : `${why}: ${said}`);
  }
}

/** Runs a program that prints one line. @throws {Error} with its error output if it fails. */
export async function runForLine(argv: readonly string[], timeoutMs: number): Promise<string> {
  const program = Program.start(argv, { timeoutMs });
  try {
    program.endInput();
    const line = await program.line();
    await program.finish();
    return line;
  } finally {
    program.kill();
  }
}

/** `{ inFlight: 16 }` as `["--in-flight=16"]`. */
export function toFlags(params: Params): string[] {
  return Object.entries(params).map(([name, value]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${flag}=${value}`;
  });
}

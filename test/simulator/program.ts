//! A guest that runs on a host of the simulated world, and what holds of any guest when it ends.

import { StackfulError } from "../../ts/errors.ts";
import type { Backend } from "../../ts/host/backend.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import type { Task } from "../../ts/runtime/task.ts";
import { type Report, readReports } from "./reports.ts";
import { check } from "./violation.ts";

const LIMITS = {
  guestMemoryBytes: 4 * 1024 * 1024,
  tasksMax: 1000,
  handlesMax: 256,
  shutdownMs: 60_000,
};

export class Program {
  readonly name: string;
  readonly host: SimHost;
  readonly runtime: Runtime;
  /** Its host was crashed or killed: whatever it was doing is over. */
  gone = false;
  readonly #backend: Backend;
  readonly #reportsAddress: number;
  readonly #stacksAtStart: number;
  readonly #failures: readonly StackfulError[];

  static async start(
    name: string,
    host: SimHost,
    module: WebAssembly.Module,
    grants: NonNullable<RuntimeOptions["grants"]>,
  ): Promise<Program> {
    let backend: Backend | undefined;
    const failures: StackfulError[] = [];
    const runtime = await Runtime.create(module, {
      backend: {
        open: async (options) => {
          backend = await host.open(options);
          return backend;
        },
      },
      grants,
      limits: LIMITS,
      onOutput: () => {},
      onTaskFailed: (error) => void failures.push(error),
    });
    return new Program(name, host, runtime, backend!, failures);
  }

  private constructor(
    name: string,
    host: SimHost,
    runtime: Runtime,
    backend: Backend,
    failures: readonly StackfulError[],
  ) {
    this.name = name;
    this.host = host;
    this.runtime = runtime;
    this.#backend = backend;
    this.#failures = failures;
    this.#reportsAddress = (runtime.exports.reports_address as () => number)() >>> 0;
    this.#stacksAtStart = this.#stacksInUse();
  }

  /** Starts an export of the guest. */
  spawn(entry: string, args: readonly number[]): Task {
    return this.runtime.spawn(entry, args, { stackBytes: 64 * 1024 });
  }

  /**
   * Runs an export of the guest to its end.
   *
   * @returns its result; undefined when the program went meanwhile.
   */
  async call(entry: string, ...args: readonly number[]): Promise<number | undefined> {
    return await this.outcome(this.spawn(entry, args));
  }

  /** What the task returned; undefined when the program went meanwhile. */
  async outcome(task: Task): Promise<number | undefined> {
    try {
      return Number(await task);
    } catch (error) {
      const ofHost = error instanceof StackfulError && error.code === "SF_IO" && this.gone;
      check(ofHost, "no task fails", () => `${this.name}: ${task.name}: ${describe(error)}`);
      return undefined;
    }
  }

  reports(): Report[] {
    return readReports(this.runtime.memory, this.#reportsAddress);
  }

  /** Ends a program whose tasks have ended. Nothing of it must be left. */
  async end(): Promise<void> {
    if (!this.gone) this.#checkNothingLeft("when its tasks had ended");
    await this.runtime[Symbol.asyncDispose]();
    if (!this.gone) this.#checkNothingLeft("when it was disposed of");
    for (const error of this.#failures) {
      check(false, "no task fails", () => `${this.name}: ${describe(error)}`);
    }
  }

  #checkNothingLeft(when: string): void {
    const { tasksLive, handlesOpen } = this.runtime.stats;
    const stackBytes = this.#stacksInUse() - this.#stacksAtStart;
    const { pending } = this.#backend;
    check(
      tasksLive === 0 && handlesOpen === 0 && stackBytes === 0 && pending === 0,
      "nothing is left",
      () =>
        `${this.name}, ${when}: ${tasksLive} tasks, ${handlesOpen} handles, ` +
        `${stackBytes} bytes of stacks, ${pending} operations`,
    );
  }

  #stacksInUse(): number {
    const { regionsBytes, regionsFreeBytes } = this.runtime.stats;
    return regionsBytes - regionsFreeBytes;
  }
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `\n${error.cause.stack ?? error.cause.message}` : "";
  return `${error.message}${cause}`;
}

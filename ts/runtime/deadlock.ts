//! When nothing can wake a task any more.
//!
//! An embedder's timer, socket or promise may call `cancel` or send into a channel, so the runtime
//! cannot tell from its own books. Node can: it says `beforeExit` when nothing is left that would ever
//! run JavaScript again, and then nothing will. Deno and Bun say it too, unless the main module waits at
//! its top level: then Deno ends the program and Bun waits for ever. Hosts that say no such thing get no
//! report.

import { StackfulError } from "../errors.ts";
import { type DumpedTask, formatDump } from "./dump-format.ts";

/** Every task waits, and nothing can wake one. Its code is SF_DEADLOCK. */
export class DeadlockError extends StackfulError {
  /** All of them, with their stacks; of a pool each with its `executor`. */
  readonly tasks: readonly DumpedTask[];

  constructor(tasks: readonly DumpedTask[]) {
    super(
      "SF_DEADLOCK",
      `all ${tasks.length} tasks wait, and no timer, operation or host promise can wake one\n${formatDump(tasks).trimEnd()}`,
    );
    this.tasks = tasks;
  }
}

/** One listener for all runtimes: Node warns of many. */
const checks = new Set<() => void>();

function onBeforeExit(): void {
  for (const check of [...checks]) check();
}

/** Calls `check` when the host has nothing left to do, between `start` and `stop`. */
export class IdleWatch {
  readonly #check: () => void;
  #started = false;
  #awake: ReturnType<typeof setInterval> | undefined;

  constructor(check: () => void) {
    this.#check = check;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (checks.size === 0) globalThis.process?.on?.("beforeExit", onBeforeExit);
    checks.add(this.#check);
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.sleep();
    checks.delete(this.#check);
    if (checks.size === 0) globalThis.process?.off?.("beforeExit", onBeforeExit);
  }

  /** Keeps the process, for something that does not itself: a signal. */
  stayAwake(): void {
    this.#awake ??= setInterval(() => {}, 2 ** 31 - 1);
  }

  /** It has come. */
  sleep(): void {
    clearInterval(this.#awake);
    this.#awake = undefined;
  }
}

//! A child process of node:child_process as a handle.

import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { ERRNO, SIGNAL, SIGNAL_KILL } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { errnoOf } from "../resources/errno.ts";
import { ProcessHandle } from "../resources/process-handle.ts";
import type { Context } from "../resources/resource.ts";

/** By SIGNAL. */
const NAMES: Readonly<Record<number, NodeJS.Signals>> = {
  [SIGNAL.INTERRUPT]: "SIGINT",
  [SIGNAL.TERMINATE]: "SIGTERM",
  [SIGNAL.HANGUP]: "SIGHUP",
  [SIGNAL.QUIT]: "SIGQUIT",
  [SIGNAL.USER1]: "SIGUSR1",
  [SIGNAL.USER2]: "SIGUSR2",
  [SIGNAL.WINDOW]: "SIGWINCH",
  [SIGNAL_KILL]: "SIGKILL",
};

export class Child extends ProcessHandle {
  readonly #process: ChildProcess;
  #onEnd: (() => void) | undefined;

  /** @param child - Runs. */
  constructor(context: Context, child: ChildProcess) {
    super(context);
    this.#process = child;
    child.unref();
    child.on("error", () => {}); // Of a signal that could not be sent: KILL tells.
    child.on("exit", (code, signal) => {
      const ended = { code: code ?? 0, signal: 0 };
      this.ended(signal === null ? ended : { code: -1, signal: constants.signals[signal] });
      this.#onEnd?.();
    });
  }

  /** Kills it; resolves once it has ended. */
  async end(): Promise<void> {
    if (this.status !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      this.#process.ref();
      this.#process.kill("SIGKILL");
    });
  }

  protected override signal(kind: number): number {
    const name = NAMES[kind]!;
    if (jsRuntime() === "deno" && name !== "SIGKILL") return this.#signalInDeno(name);
    // False: it has ended, and Node has not said so yet.
    return this.#process.kill(name) ? 0 : -ERRNO.ESRCH;
  }

  /** Deno's own kill takes any signal for the end: it closes the pipes, and tells no other signal later. */
  #signalInDeno(name: NodeJS.Signals): number {
    if (this.context.sandbox?.allowsSignals() === false) return -ERRNO.ENOTCAPABLE;
    try {
      process.kill(this.#process.pid!, name);
      return 0;
    } catch (error) {
      return -errnoOf(error);
    }
  }

  protected override keepAlive(waiting: boolean): void {
    if (waiting) this.#process.ref();
    else this.#process.unref();
  }
}

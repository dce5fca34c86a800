//! A child process as a handle: WAIT and KILL.

import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { ERRNO, EXIT_STATUS, OP, SIGNAL, SIGNAL_KILL } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { OperationQueue } from "../resources/operation-queue.ts";
import type { Context, Resource } from "../resources/resource.ts";
import { type ExitStatus, writeExitStatus } from "../resources/spawn-request.ts";

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

export class Child implements Resource {
  readonly #context: Context;
  readonly #process: ChildProcess;
  readonly #waits = new OperationQueue();
  #status: ExitStatus | undefined;
  #onEnd: (() => void) | undefined;

  /** @param child - Runs. */
  constructor(context: Context, child: ChildProcess) {
    this.#context = context;
    this.#process = child;
    child.unref();
    child.on("error", () => {}); // Of a signal that could not be sent: KILL tells.
    child.on("exit", (code, signal) => this.#ended(code, signal));
  }

  start(operation: Operation): number | undefined {
    const { code, argument } = operation.submission;
    if (code === OP.WAIT) return this.#wait(operation);
    return code === OP.KILL ? this.#kill(argument) : -ERRNO.ENOTSUP;
  }

  cancel(operation: Operation): void {
    if (!this.#waits.remove(operation)) return;
    this.#context.operations.finish(operation, -ERRNO.ECANCELED);
    this.#keepAlive();
  }

  /** It goes on. */
  close(): number {
    this.#finishAll(-ERRNO.EBADF);
    return 0;
  }

  /** Kills it; resolves once it has ended. */
  async end(): Promise<void> {
    if (this.#status !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      this.#process.ref();
      this.#process.kill("SIGKILL");
    });
  }

  #wait(operation: Operation): number | undefined {
    const { pointer } = operation.submission;
    if (!this.#context.ring.inRange(pointer, EXIT_STATUS.size)) return -ERRNO.EFAULT;
    if (this.#status !== undefined) return this.#tell(operation, this.#status);
    operation.owner = this;
    this.#waits.add(operation);
    this.#keepAlive();
    return undefined;
  }

  #kill(kind: number): number {
    const name = NAMES[kind];
    if (name === undefined) return -ERRNO.EINVAL;
    if (this.#status !== undefined) return -ERRNO.ESRCH;
    if (jsRuntime() === "deno" && name !== "SIGKILL") return this.#killInDeno(name);
    // False: it has ended, and Node has not said so yet.
    return this.#process.kill(name) ? 0 : -ERRNO.ESRCH;
  }

  /** Deno's own kill takes any signal for the end: it closes the pipes, and tells no other signal later. */
  #killInDeno(name: NodeJS.Signals): number {
    if (this.#context.sandbox?.allowsSignals() === false) return -ERRNO.ENOTCAPABLE;
    try {
      process.kill(this.#process.pid!, name);
      return 0;
    } catch (error) {
      return -errnoOf(error);
    }
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#status =
      signal === null
        ? { code: code ?? 0, signal: 0 }
        : { code: -1, signal: constants.signals[signal] };
    for (let wait = this.#waits.oldest; wait !== undefined; wait = this.#waits.oldest) {
      this.#waits.remove(wait);
      this.#context.operations.finish(wait, this.#tell(wait, this.#status));
    }
    this.#onEnd?.();
  }

  #tell({ submission }: Operation, status: ExitStatus): number {
    writeExitStatus(this.#context.ring, submission.pointer, status);
    return 0;
  }

  #finishAll(result: number): void {
    for (let wait = this.#waits.oldest; wait !== undefined; wait = this.#waits.oldest) {
      this.#waits.remove(wait);
      this.#context.operations.finish(wait, result);
    }
    this.#keepAlive();
  }

  /** Whether the host's event loop is to wait for it. */
  #keepAlive(): void {
    if (this.#waits.empty) this.#process.unref();
    else this.#process.ref();
  }
}

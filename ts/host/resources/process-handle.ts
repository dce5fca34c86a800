//! A child process as a handle of a backend written in JavaScript: WAIT and KILL. How it is told a signal, and
//! that it has ended, is the host's part.

import { ERRNO, EXIT_STATUS, OP, SIGNAL, SIGNAL_KILL } from "../../abi.gen.ts";
import type { Operation } from "./operation.ts";
import { OperationQueue } from "./operation-queue.ts";
import type { Context, Resource } from "./resource.ts";
import { type ExitStatus, writeExitStatus } from "./spawn-request.ts";

const SIGNALS: ReadonlySet<number> = new Set([...Object.values(SIGNAL), SIGNAL_KILL]);

export abstract class ProcessHandle implements Resource {
  protected readonly context: Context;
  readonly #waits = new OperationQueue();
  #status: ExitStatus | undefined;

  /** @param context - Of a guest whose process runs. */
  constructor(context: Context) {
    this.context = context;
  }

  /** Undefined: it runs. */
  protected get status(): ExitStatus | undefined {
    return this.#status;
  }

  /**
   * Sends a signal to what has not ended.
   *
   * @param kind - One of SIGNAL, or SIGNAL_KILL.
   * @returns 0 or a negated errno.
   */
  protected abstract signal(kind: number): number;

  /** Whether the host's event loop is to wait for it. */
  protected abstract keepAlive(waiting: boolean): void;

  start(operation: Operation): number | undefined {
    const { code, argument } = operation.submission;
    if (code === OP.WAIT) return this.#wait(operation);
    return code === OP.KILL ? this.#kill(argument) : -ERRNO.ENOTSUP;
  }

  cancel(operation: Operation): void {
    if (!this.#waits.remove(operation)) return;
    this.context.operations.finish(operation, -ERRNO.ECANCELED);
    this.#keepAlive();
  }

  /** It goes on. */
  close(): number {
    for (const wait of this.#takeWaits()) this.context.operations.finish(wait, -ERRNO.EBADF);
    this.#keepAlive();
    return 0;
  }

  /** It has ended. */
  protected ended(status: ExitStatus): void {
    this.#status = status;
    for (const wait of this.#takeWaits()) {
      this.context.operations.finish(wait, this.#tell(wait, status));
    }
  }

  #wait(operation: Operation): number | undefined {
    const { pointer } = operation.submission;
    if (!this.context.ring.inRange(pointer, EXIT_STATUS.size)) return -ERRNO.EFAULT;
    if (this.#status !== undefined) return this.#tell(operation, this.#status);
    operation.owner = this;
    this.#waits.add(operation);
    this.#keepAlive();
    return undefined;
  }

  #kill(kind: number): number {
    if (!SIGNALS.has(kind)) return -ERRNO.EINVAL;
    return this.#status === undefined ? this.signal(kind) : -ERRNO.ESRCH;
  }

  #tell({ submission }: Operation, status: ExitStatus): number {
    writeExitStatus(this.context.ring, submission.pointer, status);
    return 0;
  }

  *#takeWaits(): Iterable<Operation> {
    for (let wait = this.#waits.oldest; wait !== undefined; wait = this.#waits.oldest) {
      this.#waits.remove(wait);
      yield wait;
    }
  }

  #keepAlive(): void {
    this.keepAlive(!this.#waits.empty);
  }
}

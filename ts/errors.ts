/** Stable across releases. Match on `code`, not on `message` or on the class. */
export type StackfulErrorCode =
  | "SF_CANCELED" // the task was canceled before it returned
  | "SF_CLOSED" // the channel is closed
  | "SF_DEADLOCK" // every task is parked and nothing can wake one
  | "SF_DISPOSED" // the runtime was already disposed
  | "SF_EXECUTOR" // an executor of a pool crashed, or never started
  | "SF_EXIT" // the guest called exit while the task was alive
  | "SF_IMPORT" // a host import is missing, or returned what it must not
  | "SF_IO" // the host failed an operation; see `errno`
  | "SF_LIMIT" // a limit of the runtime was reached
  | "SF_LINK" // the module cannot be linked; the message names the function and what to do
  | "SF_MODULE" // not a linked module, or one linked for another ABI version
  | "SF_STACK_OVERFLOW" // the task's stack was too small
  | "SF_STATUS" // a member of a group returned a negated errno; see `errno`
  | "SF_TOOLCHAIN" // the compiler is missing or failed
  | "SF_TRAP"; // the task trapped; other tasks go on

export interface StackfulErrorOptions {
  /** POSIX name such as "ECONNRESET". */
  readonly errno?: string;
  /** What to try next, in one sentence. Appended to the message. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The only error class this package throws on purpose. */
export class StackfulError extends Error {
  override readonly name = "StackfulError";
  readonly code: StackfulErrorCode;
  readonly errno: string | undefined;

  constructor(code: StackfulErrorCode, message: string, options: StackfulErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message} (${options.hint})`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.errno = options.errno;
  }
}

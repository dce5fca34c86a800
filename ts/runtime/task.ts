//! A task of the host: an export of the guest that runs as a coroutine.

import { StackfulError } from "../errors.ts";
import type { HostArm, Outcome } from "./arm.ts";

/** What a guest function returns: undefined for none, an array for several results. */
export type TaskResult = number | bigint | undefined | readonly (number | bigint)[];

export type TaskStatus =
  | "ready" // waits for its turn
  | "running"
  | "parked" // waits for something
  | "ended"; // returned

/** What a task asks of its runtime. */
export interface TaskOwner {
  start(address: number): void;
  cancel(address: number): void;
  status(address: number): TaskStatus;
}

/**
 * A running export. Awaiting it gives what the export returned. Waiting ends neither the task nor a
 * later wait: it can be awaited any number of times.
 *
 * @throws {StackfulError} from `await`: SF_TRAP when it trapped (cause: the engine's error with its
 *   stack trace), SF_STACK_OVERFLOW when its stack was too small, SF_IMPORT when a host import threw
 *   (cause: what it threw), SF_DEADLOCK, SF_EXIT and SF_DISPOSED when the runtime ended first.
 */
export class Task implements PromiseLike<TaskResult>, AsyncDisposable {
  readonly name: string;
  readonly #owner: TaskOwner;
  readonly #address: number;
  readonly #abort = new AbortController();
  readonly #outcome: Promise<TaskResult>;
  readonly #resolve: (result: TaskResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #watchers = new Set<(outcome: Outcome<TaskResult>) => void>();
  #ended: Outcome<TaskResult> | undefined;
  #result: TaskResult;

  /** @internal Tasks come from `Runtime.spawn`. */
  constructor(owner: TaskOwner, address: number, name: string) {
    this.#owner = owner;
    this.#address = address;
    this.name = name;
    let resolve!: (result: TaskResult) => void;
    let reject!: (error: unknown) => void;
    this.#outcome = new Promise<TaskResult>((onResult, onError) => {
      resolve = onResult;
      reject = onError;
    });
    this.#resolve = resolve;
    this.#reject = reject;
    // A task that nobody awaits must not end the process; the runtime reports its failure.
    this.#outcome.catch(() => {});
  }

  /** Whether it has returned or failed. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** What it returned; undefined while it lives, and when it failed. */
  get result(): TaskResult {
    return this.#result;
  }

  get status(): TaskStatus {
    return this.ended ? "ended" : this.#owner.status(this.#address);
  }

  /** Aborted by `cancel`. For host imports: pass it to what the import waits for. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Requests that the task's next cancel point, or the one it is parked at, returns ECANCELED. Does
   * not wait: await the task for its end. What the task returns stays its result. No effect once it
   * has ended.
   */
  cancel(): void {
    if (this.ended) return;
    this.#owner.cancel(this.#address);
    this.#abort.abort(new StackfulError("SF_CANCELED", `task "${this.name}" was canceled`));
  }

  /**
   * Requests a cancel, once, and waits for the task's end, whatever it does with the request. Never
   * rejects: await the task for what became of it. `await using` a task does the same.
   */
  async cancelAndWait(): Promise<void> {
    this.cancel();
    await this.#outcome.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancelAndWait();
  }

  // biome-ignore lint/suspicious/noThenProperty: a Task is awaitable, as documented.
  then<A = TaskResult, B = never>(
    onResult?: ((result: TaskResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onResult, onError);
  }

  /** @internal Its end, for a select. Told before those that await it. */
  onEnd(): HostArm<TaskResult, Outcome<TaskResult>> {
    return {
      poll: () => this.#ended,
      watch: (ready) => {
        this.#watchers.add(ready);
        return () => this.#watchers.delete(ready);
      },
    };
  }

  /** @internal Lets it run. */
  start(): void {
    this.#owner.start(this.#address);
  }

  /** @internal */
  settle(outcome: { readonly result: TaskResult } | { readonly error: unknown }): void {
    if ("error" in outcome) {
      this.#ended = () => {
        throw outcome.error;
      };
      this.#reject(outcome.error);
    } else {
      this.#ended = () => outcome.result;
      this.#result = outcome.result;
      this.#resolve(outcome.result);
    }
    for (const watcher of [...this.#watchers]) watcher(this.#ended);
  }
}

/** A signal may outlive many tasks: it must not hold on to those that have ended. */
export function cancelOnAbort(task: Task, signal: AbortSignal): void {
  if (signal.aborted) {
    task.cancel();
    return;
  }
  const onAbort = (): void => task.cancel();
  const release = (): void => signal.removeEventListener("abort", onAbort);
  signal.addEventListener("abort", onAbort, { once: true });
  task.then(release, release);
}

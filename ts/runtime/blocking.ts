//! `runtime.blocking`: functions of the embedder's that block, on a few threads of their own. Calls begin in
//! the order in which they were made. A thread is started when none is idle and there may be one more, and
//! ends after ten idle seconds.

import { startBlockingThread } from "#platform/runtime/blocking-thread";
import { StackfulError } from "../errors.ts";
import type { BlockingAnswer, BlockingCall, BlockingThread } from "./blocking-thread.ts";

export interface BlockingOptions {
  /**
   * Ends the call. One that has not begun never does. Of one that runs nobody waits any more, and its thread
   * is ended once it comes back to JavaScript: what it had begun stays half done.
   */
  readonly signal?: AbortSignal;
}

const IDLE_MS = 10_000;

interface Job {
  readonly call: BlockingCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export class BlockingPool {
  readonly #threadsMax: number;
  readonly #waiting = new Set<Job>();
  readonly #threads = new Set<PoolThread>();
  #closed = false;

  constructor(threadsMax: number) {
    this.#threadsMax = threadsMax;
  }

  run(call: BlockingCall, { signal }: BlockingOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = (): void => {
        job.reject(signal!.reason);
        this.#abandon(job);
      };
      const forget = (): void => signal?.removeEventListener("abort", abort);
      const job: Job = {
        call,
        resolve: (value) => {
          forget();
          resolve(value);
        },
        reject: (reason) => {
          forget();
          reject(reason);
        },
      };
      signal?.addEventListener("abort", abort);
      this.#waiting.add(job);
      this.#begin();
    });
  }

  /** Ends all calls and threads. Resolves when no thread is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const reason = new StackfulError("SF_DISPOSED", "the runtime ended before the call did");
    for (const job of this.#waiting) job.reject(reason);
    this.#waiting.clear();
    const threads = [...this.#threads];
    for (const thread of threads) thread.job?.reject(reason);
    await Promise.all(threads.map((thread) => thread.kill()));
  }

  #abandon(job: Job): void {
    if (this.#waiting.delete(job)) return;
    for (const thread of this.#threads) if (thread.job === job) void thread.kill();
  }

  /** Gives threads what they have room for. */
  #begin(): void {
    for (const job of this.#waiting) {
      let thread: PoolThread | undefined;
      try {
        thread = this.#idle() ?? this.#start();
        if (thread === undefined) return;
        this.#waiting.delete(job);
        thread.begin(job);
      } catch (error) {
        // There are no threads, or the arguments cannot be cloned.
        this.#waiting.delete(job);
        job.reject(error);
      }
    }
  }

  #idle(): PoolThread | undefined {
    for (const thread of this.#threads) if (thread.idle) return thread;
    return undefined;
  }

  #start(): PoolThread | undefined {
    if (this.#threads.size >= this.#threadsMax) return undefined;
    const thread = new PoolThread(
      () => this.#begin(),
      () => {
        this.#threads.delete(thread);
        if (!this.#closed) this.#begin();
      },
    );
    this.#threads.add(thread);
    return thread;
  }
}

class PoolThread {
  job: Job | undefined;
  readonly #thread: BlockingThread;
  readonly #onIdle: () => void;
  readonly #onEnded: () => void;
  #killed: Promise<void> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(onIdle: () => void, onEnded: () => void) {
    this.#onIdle = onIdle;
    this.#onEnded = onEnded;
    this.#thread = startBlockingThread({
      answer: (answer) => this.#answer(answer),
      ended: (reason) => this.#ended(reason),
    });
  }

  get idle(): boolean {
    return this.job === undefined && this.#killed === undefined;
  }

  /** @throws {DOMException} an argument cannot be cloned. */
  begin(job: Job): void {
    clearTimeout(this.#idleTimer);
    try {
      this.#thread.call(job.call);
      this.job = job;
      this.#thread.hold(true);
    } catch (error) {
      this.#rest();
      throw error;
    }
  }

  kill(): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#killed ??= this.#thread.kill();
    return this.#killed;
  }

  #rest(): void {
    this.#thread.hold(false);
    this.#idleTimer = setTimeout(() => void this.kill(), IDLE_MS);
    this.#idleTimer.unref?.();
  }

  #answer(answer: BlockingAnswer): void {
    const { job } = this;
    if (job === undefined || this.#killed !== undefined) return;
    this.job = undefined;
    this.#rest();
    if ("value" in answer) job.resolve(answer.value);
    else job.reject(errorOf(answer));
    this.#onIdle();
  }

  #ended(cause: unknown): void {
    clearTimeout(this.#idleTimer);
    this.#killed ??= Promise.resolve();
    const { call } = this.job ?? {};
    const message = `blocking ${call?.name}: its thread ended: ${String(cause)}`;
    this.job?.reject(new StackfulError("SF_IO", message, { cause }));
    this.#onEnded();
  }
}

/** As it was thrown, but for its class where that is not one of the language's. */
function errorOf({ thrown, name, properties }: Exclude<BlockingAnswer, { value: unknown }>) {
  if (!(thrown instanceof Error)) return thrown;
  Object.assign(thrown, properties);
  if (name !== undefined && thrown.name !== name) {
    Object.defineProperty(thrown, "name", { value: name, configurable: true, writable: true });
  }
  return thrown;
}
